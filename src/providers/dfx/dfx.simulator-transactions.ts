/** What the simulated DFX says about orders and transactions: to everybody, and to their owner. */
import { roundDown, roundFee, roundHalfUp, shown, type Fraction, type Unit } from './dfx.simulator-amounts.ts';
import { iso, refuse, type Books, type Order, type Transaction, type User } from './dfx.simulator-books.ts';
import type { Endpoint } from './dfx.simulator-state.ts';

type Row = { [member: string]: unknown };
const typeOf = { buy: 'Buy', sell: 'Sell' } as const;
const unitsOf = { buy: ['fiat', 'crypto'], sell: ['crypto', 'fiat'] } as const satisfies { [ramp: string]: [Unit, Unit] };

/** Returns the members of a row that describe the two sides of the exchange. */
const sidesOf = ({ options }: Books, ramp: 'buy' | 'sell', currency: string): Row => {
  const bitcoin = options.assets[0]?.name ?? 'BTC';
  return ramp === 'buy'
    ? { inputAsset: currency, inputPaymentMethod: 'Bank', outputAsset: bitcoin, outputBlockchain: 'Lightning' }
    : { inputAsset: bitcoin, inputBlockchain: 'Lightning', outputAsset: currency, outputPaymentMethod: 'Bank' };
};

/** Returns the row of an order that has no transaction, or whose transaction is not booked yet. */
const orderRow = (books: Books, order: Order, isOwner: boolean): Row => ({
  id: null,
  uid: order.uid,
  type: typeOf[order.route.ramp],
  state: order.transaction ? 'Completed' : order.isConfirmed ? 'WaitingForPayment' : 'Created',
  inputAmount: shown(roundDown(order.amount, unitsOf[order.route.ramp][0])),
  ...sidesOf(books, order.route.ramp, order.currency.name),
  date: iso(order.createdOn),
  ...(isOwner ? { externalTransactionId: order.externalId ?? null } : {}),
});

/** Strangers see no fees, no account numbers, no external id and no reasons, and see `CheckPending` instead of `KycRequired`. */
export const transactionRow = (books: Books, transaction: Transaction, isOwner: boolean): Row => {
  const { ramp, input, output, fee, order, chargeback, route } = transaction;
  const [from, to] = unitsOf[ramp];
  const shownOutput = (amount: Fraction): number =>
    books.options.output === 'exact' && to === 'crypto' ? Number((amount.n * 100_000_000n) / amount.d) / 1e8 : shown(roundHalfUp(amount, to));
  const iban = ramp === 'sell' ? route?.key.split(' ')[0] : undefined;
  return {
    id: transaction.id,
    uid: transaction.uid,
    orderUid: order?.uid ?? null,
    type: typeOf[ramp],
    state: !isOwner && transaction.state === 'KycRequired' ? 'CheckPending' : transaction.state,
    reason: isOwner ? (transaction.reason ?? null) : null,
    inputAmount: shown(roundHalfUp(input, from)),
    ...sidesOf(books, ramp, transaction.currency.name),
    inputTxId: transaction.inputTxId ?? null,
    outputAmount: output ? shownOutput(output) : null,
    outputTxId: transaction.outputTxId ?? null,
    outputDate: transaction.outputOn === undefined ? null : iso(transaction.outputOn),
    chargebackAmount: chargeback ? shown(roundHalfUp(input, from)) : null,
    chargebackTxId: chargeback?.txId ?? null,
    chargebackDate: chargeback ? iso(chargeback.on) : null,
    date: iso(transaction.createdOn),
    ...(isOwner
      ? {
          feeAmount: fee ? shown(roundFee(fee, from)) : null,
          feeAsset: ramp === 'buy' ? transaction.currency.name : (books.options.assets[0]?.name ?? 'BTC'),
          externalTransactionId: order?.externalId ?? null,
          ...(iban === undefined ? {} : { targetAccount: iban }),
        }
      : {}),
  };
};

const isOf = (user: User | undefined, owner: User | undefined): boolean => user !== undefined && owner?.account === user.account;

/** Returns whether this read still shows a paid order as not booked. Each such read uses up one of the order's `unbookedReads`. */
const isUnbooked = (order: Order): boolean => {
  if (order.unbookedReads === 0) return false;
  order.unbookedReads -= 1;
  return true;
};

export type Sought = { id?: string | undefined; uid?: string | undefined; orderId?: string | undefined; orderUid?: string | undefined };
export type Reader = { endpoint: Endpoint; user: User | undefined };

/**
 * Finds a row. An order's id or uid finds the order's row until its transaction is booked, and then the transaction's row. On the public endpoint, an
 * id without a uid finds nothing. An external id finds nothing on any endpoint.
 */
const rowOf = (books: Books, { id, uid, orderId, orderUid }: Sought, { user, endpoint }: Reader): Row | undefined => {
  const isPublic = endpoint === 'GET /v1/transaction/single';
  const order =
    orderUid === undefined && (orderId === undefined || isPublic) ? undefined : books.orders.find((one) => one.uid === orderUid || String(one.id) === orderId);
  const mayRead = (owner: User | undefined): boolean => isPublic || isOf(user, owner);
  if (order) {
    if (!mayRead(order.route.user)) return undefined;
    const isOwner = isOf(user, order.route.user);
    if (order.transaction && !isUnbooked(order)) return transactionRow(books, order.transaction, isOwner);
    return orderRow(books, order, isOwner);
  }
  const found = books.transactions.find((one) => (uid !== undefined && one.uid === uid) || (!isPublic && id !== undefined && String(one.id) === id));
  return found && mayRead(found.route?.user) ? transactionRow(books, found, isOf(user, found.route?.user)) : undefined;
};

export const readTransaction = (books: Books, sought: Sought, reader: Reader): Response => {
  const row = rowOf(books, sought, reader);
  return row ? Response.json(withLies(books, reader.endpoint, row)) : refuse(404, 'Transaction not found');
};

/** Lists the account's booked transactions, and its confirmed orders that are unpaid or whose transaction is not booked yet. */
export const listTransactions = (books: Books, user: User): Response => {
  const orders = books.orders.filter((order) => isOf(user, order.route.user));
  const waiting = orders.filter((order) => order.isConfirmed && (order.transaction === undefined || order.unbookedReads > 0));
  const unbooked = new Set(orders.filter(isUnbooked).map(({ transaction }) => transaction));
  const booked = books.transactions.filter((one) => isOf(user, one.route?.user) && !unbooked.has(one));
  return Response.json([...booked.map((one) => transactionRow(books, one, true)), ...waiting.map((order) => orderRow(books, order, true))]);
};

const withLies = ({ faults }: Books, endpoint: Endpoint, row: Row): Row => ({
  ...row,
  ...(faults.take(endpoint, 'other-uid') ? { uid: 'QAnotherCustomer1', orderUid: 'QAnotherCustomer1' } : {}),
  ...(faults.take(endpoint, 'other-input') ? { inputAmount: Number(row['inputAmount']) * 2 } : {}),
  ...(faults.take(endpoint, 'other-currency') ? { inputAsset: 'USD', outputAsset: 'USD' } : {}),
  ...(faults.take(endpoint, 'unknown-state') ? { state: 'SwapInProgress' } : {}),
  ...(faults.take(endpoint, 'absurd-output') ? { outputAmount: 1e21 } : {}),
});
