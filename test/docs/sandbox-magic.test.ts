/**
 * Tests the tables of docs/sandbox.md: each amount is tried through the API alone, and every word that the page promises must appear in a response to
 * the wallet.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { movableClock } from '../support/clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { opened, type Body, type Call } from '../support/wallet.ts';
import { magicAmounts as thorAmounts } from '../../src/providers/bitrefill/bitrefill.simulator-magic.ts';
import { startBitrefillSimulator } from '../../src/providers/bitrefill/bitrefill.simulator.ts';
import { sandbox as bitrefill } from '../../src/providers/bitrefill/bitrefill.sandbox.ts';
import { magicAmounts as tankAmounts } from '../../src/providers/blocktank/blocktank.simulator-magic.ts';
import { startBlocktankSimulator } from '../../src/providers/blocktank/blocktank.simulator.ts';
import { sandbox as blocktank } from '../../src/providers/blocktank/blocktank.sandbox.ts';
import { magicAmounts as sellAmounts } from '../../src/providers/bringin/bringin.simulator-magic.ts';
import { startBringinSimulator, type RunningSimulator } from '../../src/providers/bringin/bringin.simulator.ts';
import { sandbox as bringin } from '../../src/providers/bringin/bringin.sandbox.ts';
import { magicAmounts as buyAmounts } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator-magic.ts';
import { sandbox as fiatOnRamp } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.sandbox.ts';
import { magicAmounts as sellerAmounts } from '../../src/providers/lsps1/lsps1.simulator-magic.ts';
import { startLsps1Simulator } from '../../src/providers/lsps1/lsps1.simulator.ts';
import { sandbox as lsps1 } from '../../src/providers/lsps1/lsps1.sandbox.ts';

const page = readFileSync(new URL('../../docs/sandbox.md', import.meta.url), 'utf8');
/** Returns the rows of the table below a heading: the amount, and all code words in what the wallet sees. */
const rowsBelow = (heading: string): { amount: number; cells: string[]; words: string[] }[] =>
  [...(page.split(heading)[1]?.split('\n#')[0] ?? '').matchAll(/^\| `(\d+)` \|(.*)\|$/gm)].map(([, amount = '', rest = '']) => {
    const cells = rest.split(' | ').map((cell) => cell.trim());
    return { amount: Number(amount), cells, words: [...(cells.at(-1) ?? '').matchAll(/`([\w-]+)`/g)].map(([, word = '']) => word) };
  });
const buys = rowsBelow('### Buy: `amount_fiat`');
const sales = rowsBelow('### Sell: `amount_sats`');
const channels = rowsBelow('### Liquidity: `amount_sats`');

/** A gateway with the sandbox's own providers. What the providers do by themselves after some seconds, they do by the test's clock. */
let gateway: TestGateway;
let bank: RunningSimulator;
const closes: (() => Promise<void>)[] = [];
beforeAll(async () => {
  const clock = movableClock();
  const { now } = clock;
  const options = <O extends { id: string }>(providers: readonly O[], id: string): O => {
    const found = providers.find((one) => one.id === id);
    if (!found) throw new Error(`the sandbox has no ${id}`);
    return found;
  };
  // A request that waits for a price or an order waits by the machine's clock, so these waits are short here.
  const ours = (id: string) => ({ simulator: { ...options(fiatOnRamp.providers, id), autoFillMs: 100, latencyMs: 0 } as object });
  bank = await startBringinSimulator({ ...options(bringin.providers, 'bringin'), now });
  const north = await startLsps1Simulator({ ...options(lsps1.providers, 'north'), now });
  const thor = await startBitrefillSimulator({ ...options(bitrefill.providers, 'thor'), now });
  const tank = await startBlocktankSimulator({ ...options(blocktank.providers, 'tank'), now });
  gateway = await startTestGateway(
    { alpine: ours('alpine'), cobalt: ours('cobalt') },
    {
      clock,
      blocks: {
        bringin: {
          kind: 'bringin',
          base_url: bank.url,
          master_key_env: 'BRINGIN_MASTER_KEY',
          api_secret_env: 'BRINGIN_API_SECRET',
          lightning_hosts: ['dev.bringin.xyz'],
        },
        north: { kind: 'lsps1', base_url: north.url },
        tank: { kind: 'blocktank', base_url: tank.baseUrl, expiry_margin_s: 0 },
        thor: {
          kind: 'bitrefill',
          base_url: thor.baseUrl,
          api_key_env: 'BITREFILL_API_KEY',
          api_secret_env: 'BITREFILL_API_SECRET',
          receipt_email: 'receipts@example.com',
        },
      },
      environment: { ...bringin.secrets, ...bitrefill.secrets },
    },
  );
  closes.push(gateway.close, bank.close, north.close, thor.close, tank.close);
});
afterAll(async () => {
  for (const close of closes) await close();
});

/** Opens a wallet that records every word in the gateway's responses: member names, and values that are strings. */
const listening = async (): Promise<{ call: Call; heard: Set<string> }> => {
  const { call } = await opened(gateway.url);
  const heard = new Set<string>();
  const listen = (value: unknown): void => {
    if (typeof value === 'string') heard.add(value);
    else if (Array.isArray(value)) value.forEach(listen);
    else if (typeof value === 'object' && value !== null)
      for (const [name, inner] of Object.entries(value)) {
        heard.add(name);
        listen(inner);
      }
  };
  const told: Call = async (path, body) => {
    const answer = await call(path, body);
    listen(answer.body);
    return answer;
  };
  return { call: told, heard };
};

/** Moves the clock and asks again, until all of these words were in the gateway's responses. */
const hears = async (words: string[], heard: Set<string>, ask: () => Promise<unknown>): Promise<void> => {
  expect(words).not.toEqual([]);
  await gateway.passUntil(
    `hears ${words.join(', ')}`,
    async () => {
      await ask();
      return words.every((word) => heard.has(word)) ? true : undefined;
    },
    { stepMs: 10_000, limitMs: 600_000 },
  );
};

const offersOf = (body: Body): { quote_id: string; provider: { id: string } }[] => body['offers'] as { quote_id: string; provider: { id: string } }[];

describe('buy', () => {
  it.each(buys)('$amount: $words', async ({ amount, words }) => {
    const { call, heard } = await listening();
    const { body } = await call('/offers', { amount_fiat: amount, currency_id: 1, payment_option_id: 1 });
    const [best] = offersOf(body);
    expect(best?.provider.id).toBe('alpine');
    const order = { quote_id: best?.quote_id };
    const { body: placed } = await call('/order', order);
    const others = new Set(((placed['offers'] ?? []) as { provider: { id: string } }[]).map(({ provider }) => provider.id));
    expect([...others]).toEqual(placed['status'] === 409 ? ['cobalt'] : []);
    await hears(words, heard, async () => {
      await call('/order-status');
      await call('/order', order);
      await call('/withdrawal', { order_id: placed['order_id'] });
    });
  });

  it('with failover the next provider takes what one declines', async () => {
    const { call } = await opened(gateway.url);
    const { body } = await call('/offers', { amount_fiat: 10_102, currency_id: 1, payment_option_id: 1 });
    const moved = await call('/order', { quote_id: offersOf(body)[0]?.quote_id, failover: { max: 1, min_amount_sats: 1000 } });
    expect([moved.status, moved.body['provider'], moved.body['stage']]).toEqual([200, { id: 'cobalt', name: 'cobalt' }, 'awaiting_payment']);
  });
});

describe('sell', () => {
  const optionNamed = async (call: Call, name: string): Promise<object> => {
    const { body } = await call('/sell/payment-options', { currency_code: 'EUR' });
    const [euro] = body['currencies'] as { eur: { currency_id: number; payment_options: { id: number; option: string }[] } }[];
    return { currency_id: euro?.eur.currency_id, payment_option_id: euro?.eur.payment_options.find((one) => one.option === name)?.id };
  };
  const account = async (call: Call, email: string): Promise<unknown> => {
    const { body } = await call('/sell/accounts', { provider: 'bringin', email });
    const id = body['account_id'];
    await gateway.passUntil('connected', async () => {
      const seen = await call('/sell/account-status', { account_id: id });
      return seen.body['account_status'] === 'connected' ? true : undefined;
    });
    return id;
  };
  const order = async (call: Call, amount: number, name: string, more: object): Promise<void> => {
    const { body } = await call('/sell/quote', { amount_sats: amount, ...(await optionNamed(call, name)) });
    await call('/sell/order', { quote_id: body['quote_id'], ...more });
  };

  it.each(sales)('$amount onto the card: $words', async ({ amount, words }) => {
    const { call, heard } = await listening();
    await account(call, `card-${amount}@example.com`);
    await order(call, amount, 'Card balance', {});
    await hears(
      words.filter((word) => word !== 'filled'),
      heard,
      async () => await call('/sell/order-status'),
    );
  });

  it.each(sales.filter(({ cells }) => !cells[0]?.includes('(bank:')))('$amount to a bank: $words', async ({ amount, words }) => {
    const { call, heard } = await listening();
    const username = `user${amount}`;
    const to = { iban: 'DE89370400440532013000', bic: 'COBADEFFXXX', beneficiary_name: 'Alice Example' };
    const accountId = await account(call, `bank-${amount}@example.com`);
    const { body } = await call('/sell/connections', { account_id: accountId, name: 'Savings', lightning_username: username, ...to });
    const connection = { connection_id: body['connection_id'] };
    await hears(['code_required'], heard, async () => await call('/sell/connection-status', connection));
    await call('/sell/connection-confirm', { ...connection, code: '123456' });
    await order(call, amount, 'SEPA', connection);
    const asked = (await (await fetch(`${bank.url}/.well-known/lnurlp/${username}`)).json()) as { callback: string };
    await fetch(`${asked.callback}?amount=${amount * 1000}`);
    await hears(
      words.filter((word) => word !== 'finished'),
      heard,
      async () => await call('/sell/order-status'),
    );
  });
});

describe('liquidity', () => {
  const cases = channels.flatMap((row) =>
    ([...(row.cells[0] === 'the sellers' ? [] : ['thor']), ...(row.cells[0] === 'Bitrefill' ? [] : ['north', 'tank'])] as const).map((who) => ({
      ...row,
      who,
    })),
  );
  it.each(cases)('$amount from $who: $words', async ({ amount, words, who }) => {
    const { call, heard } = await listening();
    const wanted = { product: who === 'thor' ? 'turbo' : 'inbound', amount_sats: amount, pay_with: 'lightning' };
    const { body } = await call('/liquidity/offers', { ...wanted, firm: true });
    await call('/liquidity/order', { quote_id: offersOf(body).find(({ provider }) => provider.id === who)?.quote_id });
    await hears(
      words.filter((word) => word !== (who === 'thor' ? 'finished' : 'filled')),
      heard,
      async () => await call('/liquidity/order-status'),
    );
  });
});

it('the page has every amount that means something', () => {
  const keys = (...all: object[]): number[] => [...new Set(all.flatMap((one) => Object.keys(one).map(Number)))].toSorted((a, b) => a - b);
  expect([buys, sales, channels].map((rows) => rows.map(({ amount }) => amount))).toEqual([
    keys(buyAmounts),
    keys(sellAmounts),
    keys(thorAmounts, sellerAmounts, tankAmounts),
  ]);
});
