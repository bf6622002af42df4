/**
 * An overlong list from a provider costs no more than a full one. An answer has room for 20,000 rows, but at most 1,000 are read. A row that
 * cannot be read costs as much as one that can.
 */
import { expect, it } from 'vitest';
import { inventoryReply, ordersReply } from '../../src/providers/bitrefill/bitrefill-wire.ts';
import { findOrder as findBlocktankOrder, infoWire as blocktankInfo } from '../../src/providers/blocktank/blocktank-wire.ts';
import { linksReply, transactionsReply } from '../../src/providers/bringin/bringin-wire.ts';
import { toCatalogue } from '../../src/providers/dfx/dfx-catalogue.ts';
import { transactionsReply as dfxTransactions } from '../../src/providers/dfx/dfx-order-wire.ts';
import { dfxSettings } from '../../src/providers/dfx/dfx-settings.ts';
import { assetsReply, fiatsReply, quoteReply } from '../../src/providers/dfx/dfx-wire.ts';
import { toFeatures, toOptions } from '../../src/providers/fiat-on-ramp/fiat-on-ramp-mapping.ts';
import { settings } from '../../src/providers/fiat-on-ramp/fiat-on-ramp-settings.ts';
import { featuresWire, paymentOptionsWire } from '../../src/providers/fiat-on-ramp/fiat-on-ramp-wire.ts';
import { withCamelNames, withSnakeNames } from '../../src/providers/kit/find-document.ts';
import { findOrder } from '../../src/providers/lsps1/lsps1-wire.ts';

const fls01 = settings.parse({ base_url: 'https://fls01.example' });
const optionsOf = (currencies: unknown): unknown => {
  const read = paymentOptionsWire.safeParse({ currencies });
  return read.success && toOptions(read.data, fls01);
};
const featuresOf = (supported_features: unknown): unknown => {
  const read = featuresWire.safeParse({ supported_features });
  return read.success && toFeatures(read.data);
};

it.each<[string, (rows: unknown[]) => unknown]>([
  ['dfx, assets', (rows) => assetsReply.safeParse(rows)],
  ['dfx, currencies', (rows) => fiatsReply.safeParse(rows)],
  ['dfx, transactions', (rows) => dfxTransactions.safeParse(rows)],
  ['dfx, reasons', (rows) => quoteReply.safeParse({ isValid: false, errors: rows })],
  ['fiat-on-ramp, features', featuresOf],
  ['fiat-on-ramp, currencies', optionsOf],
  ['fiat-on-ramp, options', (rows) => optionsOf([{ EUR: { currency_id: 1, payment_options: rows } }])],
  ['fiat-on-ramp, options of many currencies', (rows) => optionsOf(rows.map((row) => ({ EUR: { currency_id: 1, payment_options: [row] } })))],
  ['bitrefill, packages', (rows) => inventoryReply.safeParse({ operator: { slug: 'a', currency: 'sats', packages: rows } })],
  ['bitrefill, orders', (rows) => ordersReply.safeParse({ orders: rows })],
  ['blocktank, nodes', (rows) => blocktankInfo.safeParse({ nodes: rows })],
  ['blocktank, transactions', (rows) => findBlocktankOrder({ id: 'a', payment: { onchain: { transactions: rows } } })],
  ['bringin, transactions', (rows) => transactionsReply.safeParse({ transactions: rows })],
  ['bringin, connections', (rows) => linksReply.safeParse({ bringinLinks: rows })],
  ['lsps1, ways to pay', (rows) => findOrder({ order_id: 'a', payment: rows })],
  ['every kind, names in camel case', withCamelNames],
  ['every kind, names in snake case', withSnakeNames],
])('of 20,000 rows, at most 1,000 are looked at: %s', (_what, read) => {
  let looked = 0;
  const rowOf = (): object => {
    let isNew = true;
    const look = <T>(value: T): T => {
      if (isNew) looked += 1;
      isNew = false;
      return value;
    };
    return new Proxy({}, { get: () => look(undefined), has: () => look(false), ownKeys: () => look([]) });
  };
  read(Array.from({ length: 20_000 }, rowOf));
  expect(looked).toBeLessThanOrEqual(1000);
});

it('a listing of DFX has at most 100 options', () => {
  const assets = assetsReply.parse([{ name: 'BTC', blockchain: 'Lightning', buyable: true }]);
  const fiats = fiatsReply.parse(Array<object>(500).fill({ id: 2, name: 'EUR', sellable: true }));
  expect(toCatalogue('buy', assets, fiats, dfxSettings.parse({ base_url: 'https://dfx.example' })).options).toHaveLength(100);
});

it('the names of a row are read once, whatever else is looked for beside the list', () => {
  let read = 0;
  const row = () => new Proxy({ orderId: 'one', status: 'x' }, { ownKeys: (target) => ((read += 1), Reflect.ownKeys(target)) });
  const reply = transactionsReply.safeParse({ data: { transactions: Array.from({ length: 999 }, row) }, total: 999 });
  expect(reply.data).toMatchObject({ given: 999, unread: 0, totalCount: 999 });
  expect(read).toBe(999);
});

it.each([withCamelNames, withSnakeNames])('an object of more members than any document has keeps its names: %o', (rename) => {
  const named = (count: number) => Object.fromEntries(Array.from({ length: count }, (_none, n) => [`orderId_${n}X`, n]));
  expect(rename(named(1000))).not.toEqual(named(1000));
  expect(rename(named(1001))).toEqual(named(1001));
});
