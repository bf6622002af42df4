import { randomBytes, randomUUID } from 'node:crypto';
import { bech32, hex } from '@scure/base';
import { encodeInvoice } from '../../bitcoin/bolt11.ts';
import { encodeLnurl } from '../../bitcoin/lnurl.ts';
import { decimalTimesFloor, divCeil, parseDecimal } from '../../domain/money.ts';
import type { Faults } from '../kit/faults.simulator.ts';
import * as magic from './bringin.simulator-magic.ts';
import { clock, errorReply, iso, newId, type Payable, type State, type Transaction, type User, type Fault, type Deviation } from './bringin.simulator-state.ts';
import { orderBody, ring } from './bringin.simulator-webhooks.ts';

const nodeKey = '11'.repeat(32);
const invoiceLifeS = 900;
const prefixes = { main: 'bc', test: 'tb', signet: 'tb', regtest: 'bcrt' } as const;
type Body = { [name: string]: unknown };

const network = (state: State): 'main' | 'test' | 'signet' | 'regtest' => state.options.network ?? 'regtest';
export const newAddress = (state: State): string => bech32.encode(prefixes[network(state)], [0, ...bech32.toWords(randomBytes(20))]);
const newInvoice = (state: State, amountMsat: bigint, description: string, of: { network?: 'main' | 'regtest'; expirySeconds?: number } = {}): string =>
  encodeInvoice({
    network: of.network ?? network(state),
    amountMsat,
    timestamp: Math.floor(clock(state) / 1000),
    expirySeconds: of.expirySeconds ?? invoiceLifeS,
    paymentHash: hex.encode(randomBytes(32)),
    paymentSecret: hex.encode(randomBytes(32)),
    description,
    payeePrivateKey: nodeKey,
  });

const magicOf = (state: State, sats: bigint): magic.Magic | undefined => (state.options.magic === true ? magic.magicOf(sats) : undefined);

const priceOf = (state: State): string => state.options.price ?? '91800.00';
const afterFees = (state: State): string => state.options.bringinPrice ?? '90882.00';
const centsFor = (state: State, sats: bigint): bigint => {
  const price = parseDecimal(afterFees(state)) ?? { digits: 0n, scale: 0 };
  return decimalTimesFloor({ digits: price.digits, scale: price.scale + 6 }, sats);
};
/** Returns the minimum of a Lightning address: EUR 20 at the market price. */
const leastSats = (state: State): bigint => {
  const price = parseDecimal(priceOf(state)) ?? { digits: 1n, scale: 0 };
  return divCeil(20n * 100_000_000n * 10n ** BigInt(price.scale), price.digits);
};

export const rates = (state: State, faults: Faults<Fault>, endpoint: string, body: Body): Response => {
  if (body['ticker'] !== 'BTCEUR' && body['ticker'] !== 'USDCEUR') return errorReply(state, 400, 'ticker');
  const bringinPrice = faults.take(endpoint, 'better-than-market') ? '999999.99' : afterFees(state);
  const ticker = faults.take(endpoint, 'other-ticker') ? 'USDCEUR' : body['ticker'];
  return Response.json({ ticker, price: priceOf(state), bringinPrice, currency: 'EUR', timestamp: Date.now() });
};

const isIpv4 = (value: unknown): boolean => typeof value === 'string' && /^(\d{1,3}\.){3}\d{1,3}$/.test(value);

/**
 * Returns the reusable address. The value of `sourceBlockchain` for on-chain bitcoin is not documented, so BITCOIN, BTC and no value are accepted.
 */
export const depositAddress = (state: State, user: User, faults: Faults<Fault>, endpoint: string, body: Body, domain: string, origin: string): Response => {
  const { sourceBlockchain: chain, sourceCurrency: currency, ipAddress } = body;
  if (currency !== 'BTC') return errorReply(state, 400, 'sourceCurrency');
  if (ipAddress !== undefined && !isIpv4(ipAddress)) return errorReply(state, 400, 'ipAddress');
  const payable: Payable = { user, to: 'card', subType: 'LIGHTNING', orderId: '', sourceId: undefined, sats: undefined, expiresOn: Infinity, paid: false };
  if (chain === 'LIGHTNING') {
    const name = `card-${user.id.slice(0, 8)}`;
    const host = faults.take(endpoint, 'other-host') ? 'evil.example' : domain;
    const form = state.options.depositForm ?? 'lightning_address';
    const address = form === 'invoice' ? newOpenInvoice(state) : form === 'lnurl' ? encodeLnurl(`${origin}/.well-known/lnurlp/${name}`) : `${name}@${host}`;
    state.payables.set(address, payable);
    return Response.json({ maximumDepositAmount: '500000', minimumDepositAmount: '1000', address });
  }
  if (chain !== undefined && chain !== 'BITCOIN' && chain !== 'BTC') return errorReply(state, 400, 'sourceBlockchain');
  const address = newAddress(state);
  state.payables.set(address, { ...payable, subType: 'ONCHAIN' });
  return Response.json({ maximumDepositAmount: '16061358', minimumDepositAmount: '0', address });
};
const newOpenInvoice = (state: State): string =>
  encodeInvoice({
    network: network(state),
    timestamp: Math.floor(clock(state) / 1000),
    expirySeconds: invoiceLifeS,
    paymentHash: hex.encode(randomBytes(32)),
    paymentSecret: hex.encode(randomBytes(32)),
    description: 'top-up',
    payeePrivateKey: nodeKey,
  });

/** Makes an order for one exact amount. Amounts are strings; the customer's own IP address is required. */
export const makeOrder = (state: State, user: User, faults: Faults<Fault>, endpoint: string, body: Body): Response => {
  const { sourceAmount, ipAddress, paymentMethod, sourceId } = body;
  if (typeof sourceAmount !== 'string' || !/^\d+$/.test(sourceAmount)) return errorReply(state, 400, 'sourceAmount must be a string');
  if (!isIpv4(ipAddress)) return errorReply(state, 400, 'ipAddress');
  if (paymentMethod !== 'LIGHTNING' && paymentMethod !== 'ON_CHAIN') return errorReply(state, 400, 'paymentMethod');
  const sats = BigInt(sourceAmount);
  if (sats < leastSats(state)) return errorReply(state, 409, 'below the minimum', '10301');
  const told = magicOf(state, sats);
  if (told === 'declined') return errorReply(state, 409, 'not today', '20001');
  const lifeS = told === 'expired' ? magic.shortLifeS : invoiceLifeS;
  const id = newId(state.options);
  const expiresOn = Math.floor(clock(state) / 1000) * 1000 + lifeS * 1000;
  const lightning = paymentMethod === 'LIGHTNING';
  const foreign = faults.take(endpoint, 'other-network') ? { network: network(state) === 'main' ? ('regtest' as const) : ('main' as const) } : {};
  const late = faults.take(endpoint, 'other-expiry') ? { expirySeconds: lifeS * 2 } : { expirySeconds: lifeS };
  const target = lightning
    ? newInvoice(state, sats * 1000n, 'Top up', { ...foreign, ...late })
    : newAddress('network' in foreign ? { ...state, options: { ...state.options, ...foreign } } : state);
  const payable: Payable = {
    user,
    to: 'card',
    subType: lightning ? 'LIGHTNING' : 'ONCHAIN',
    orderId: id,
    sourceId: typeof sourceId === 'string' ? sourceId : undefined,
    sats,
    createdOn: clock(state),
    expiresOn,
    paid: false,
  };
  state.payables.set(target, payable);
  payLater(state, target, sats);
  const amount = faults.take(endpoint, 'other-amount') ? (sats + 1n).toString() : sourceAmount;
  const expiresAt = state.options.expiryUnit === 's' ? expiresOn / 1000 : expiresOn;
  return Response.json({ id, amount, ...(lightning ? { invoice: target } : { depositAddress: target }), expiresAt });
};

/** Lists transactions. `startDate` and `endDate` (ms) and `limit` and `offset` (strings) are optional. */
export const listTransactions = (state: State, user: User, faults: Faults<Fault>, endpoint: string, body: Body): Response => {
  const { startDate, endDate, limit = '20', offset = '0' } = body;
  const unpaid = unpaidRows(state, user);
  const all = (state.options.listsUnpaid === 'first' ? [...unpaid, ...user.transactions] : [...user.transactions, ...unpaid]).filter((row) => {
    const at = Date.parse(row.createdAt);
    return at >= Number(startDate ?? 0) && at <= Number(endDate ?? Infinity);
  });
  const has = (deviation: Deviation): boolean => state.options.deviations?.includes(deviation) ?? false;
  const size = has('pages-of-two') ? 2 : Number(limit);
  const from = has('pages-repeat') ? 0 : Number(offset);
  const page = all.slice(from, from + size);
  const odd = faults.take(endpoint, 'unknown-status') ? { status: 'SWAP_COMPLETED' } : {};
  const rows: object[] = page.map(({ sourceId: _ours, ...row }) => ({ ...row, ...odd }));
  // Rows that are not transactions.
  if (has('odd-rows') && from === 0) rows.unshift({ type: 'NOTE', text: 'welcome' }, { orderId: null, status: 7 });
  return Response.json({ transactions: rows, number: page.length, totalCount: has('count-of-page') ? page.length : all.length });
};

/** With the option `listsUnpaid`, returns a row for each invoice or address that was made for a single payment and has not been paid. */
const unpaidRows = (state: State, user: User): Transaction[] =>
  [...(state.options.listsUnpaid === undefined ? [] : state.payables.values())].flatMap((one) =>
    one.user !== user || one.paid || one.sats === undefined
      ? []
      : [{ ...rowOf(state, one, one.sats), status: clock(state) >= one.expiresOn ? 'EXPIRED' : 'INITIATED' }],
  );

const rowOf = (state: State, { orderId, subType, sourceId, createdOn }: Payable, sats: bigint): Transaction => ({
  orderId: orderId === '' ? newId(state.options) : orderId,
  type: 'OFFRAMP_WITHOUT_FIAT_WITHDRAWAL',
  subType,
  sourceAmount: sats.toString(),
  sourceCurrency: 'BTC',
  destinationAmount: centsFor(state, sats).toString(),
  destinationCurrency: 'EUR',
  destinationAddress: randomUUID(),
  status: 'PROCESSING',
  createdAt: iso(state.options.listsUnpaid === undefined ? clock(state) : (createdOn ?? clock(state))),
  sourceId,
});

// ---- paying --------------------------------------------------------------------------------------------------------------------------

/** Returns the LUD-06 metadata of a connection's or a card's address. `minSendable` is a string, as in Bringin's own example. */
export const payRequest = (state: State, name: string, origin: string, domain: string, pos: boolean): Response => {
  const target = `${name}@${domain}`;
  if (!receiverOf(state, target)) return Response.json({ status: 'ERROR', reason: 'no such user' });
  const min = (pos ? 100n : leastSats(state)) * 1000n;
  const metadata = JSON.stringify([
    ['text/plain', `Pay ${target}`],
    ['text/identifier', target],
  ]);
  return Response.json({
    status: 'OK',
    tag: 'payRequest',
    callback: `${origin}/lnurlp/${name}/callback`,
    metadata,
    commentAllowed: 120,
    minSendable: min.toString(),
    maxSendable: 5_471_036_000,
    payerData: {},
  });
};

export const payCallback = (state: State, name: string, domain: string, amount: string | undefined): Response => {
  const receiver = receiverOf(state, `${name}@${domain}`);
  const msat = /^\d{1,15}$/.test(amount ?? '') ? BigInt(amount ?? '0') : 0n;
  if (!receiver || msat < 100_000n || msat > 5_471_036_000n || msat % 1000n !== 0n)
    return Response.json({ status: 'ERROR', reason: 'this amount cannot be received' });
  const pr = newInvoice(state, msat, `Pay ${name}`);
  const now = clock(state);
  state.payables.set(pr, { ...receiver, orderId: newId(state.options), sats: msat / 1000n, createdOn: now, expiresOn: now + invoiceLifeS * 1000 });
  payLater(state, pr, msat / 1000n);
  return Response.json({ pr, routes: [] });
};

const receiverOf = (state: State, lnAddress: string): Payable | undefined => {
  const card = state.payables.get(lnAddress);
  if (card) return card;
  for (const user of state.users.values())
    if (user.links.some((link) => link.lnAddress === lnAddress && link.status === 'ACTIVE'))
      return { user, to: 'connection', subType: 'LN_ADDRESS', orderId: '', sourceId: undefined, sats: undefined, expiresOn: Infinity, paid: false };
  return undefined;
};

/** Pays an invoice after `autoPayMs`, if that option is set and the invoice was not paid sooner. */
const payLater = (state: State, target: string, sats: bigint): void => {
  const { autoPayMs } = state.options;
  if (autoPayMs === undefined || magicOf(state, sats) === 'expired') return;
  state.later(autoPayMs, async () => {
    if (state.payables.get(target)?.paid === false) await pay(state, target, sats);
  });
};

/** Records that sats arrive, and ends the transaction after `convertMs`. An invoice can be paid only once; an address accepts any amount. */
export const pay = async (state: State, target: string, sats?: bigint): Promise<string> => {
  const payable = state.payables.get(target) ?? receiverOf(state, target) ?? connectionByDeposit(state, target);
  const isInvoice = target.startsWith('ln');
  if (!payable) throw new Error('this simulator has no such invoice or address');
  if (isInvoice && (payable.paid || clock(state) >= payable.expiresOn)) throw new Error('this invoice can no longer be paid');
  payable.paid = true;
  const amount = payable.sats === undefined ? sats : isInvoice ? payable.sats : (sats ?? payable.sats);
  if (amount === undefined) throw new Error('an amount is needed');
  const { user } = payable;
  const told = magicOf(state, amount);
  const usual = rowOf(state, payable, amount);
  const row = told === 'pays-less' ? { ...usual, destinationAmount: magic.lessOf(centsFor(state, amount)).toString() } : usual;
  user.transactions.push(row);
  const convertMs = (state.options.convertMs ?? 0) * (told === 'slow' ? magic.slowTimes : 1);
  if (told === 'failed') await settle(state, user, row, 'FAILED', payable.to);
  else if (convertMs > 0) state.later(convertMs, async () => await settle(state, user, row, 'SUCCESSFUL', payable.to));
  else await settle(state, user, row, 'SUCCESSFUL', payable.to);
  return row.orderId;
};

const connectionByDeposit = (state: State, address: string): Payable | undefined => {
  const user = [...state.users.values()].find((one) => one.links.some((link) => link.depositAddress === address && link.status === 'ACTIVE'));
  return user && { user, to: 'connection', subType: 'ONCHAIN', orderId: '', sourceId: undefined, sats: undefined, expiresOn: Infinity, paid: false };
};

/**
 * Sets a transaction's status. Sends a webhook only for a card top-up that succeeded or failed, since Bringin documents a webhook for nothing else.
 */
export const settle = async (state: State, user: User, row: Transaction, status: string, to: 'card' | 'connection'): Promise<void> => {
  row.status = status;
  if (status === 'SUCCESSFUL' && to === 'card') user.balance += BigInt(row.destinationAmount);
  if (to === 'card' && (status === 'SUCCESSFUL' || status === 'FAILED')) await ring(state, user, '/order-status', orderBody(state, user, row));
};
