/** Money that arrives at the simulated DFX: which order it is for, what it brings, and how it is paid out. */
import { decodeInvoice } from '../../bitcoin/bolt11.ts';
import { invoiceFrom, loopbackUrlOf, payTermsOf } from './dfx.simulator-address.ts';
import { hundredths, isLess, minus, times, type Fraction } from './dfx.simulator-amounts.ts';
import { randomHex, randomText, type Books, type Invoice, type Order, type Route, type Transaction } from './dfx.simulator-books.ts';
import { matchMs, satsOf } from './dfx.simulator-orders.ts';
import { delivery } from './dfx.simulator-price.ts';
import type { SimulatedCurrency } from './dfx.simulator-state.ts';
import { tellPayment } from './dfx.simulator-webhooks.ts';

/** An order keeps its price if it is at most this old when it is processed. */
const guaranteeMs = 30 * 60_000;

// ---- arrival ---------------------------------------------------------------------------------------------------------------------------

const isEqual = (a: Fraction, b: Fraction): boolean => !isLess(a, b) && !isLess(b, a);
const isWithinOnePercent = (paid: Fraction, asked: Fraction): boolean => {
  const difference = minus(paid, asked);
  return !isLess(times(asked, hundredths(1)), difference.n < 0n ? minus(asked, paid) : difference);
};

/**
 * Returns the order that a payment is for: of this route and currency, within ±1 % of the order's amount, and of the last 7 days. Confirmed orders
 * come first, among these the exact amount, and then the newest.
 */
const orderFor = (books: Books, route: Route, currency: SimulatedCurrency, paid: Fraction): Order | undefined => {
  const open = books.orders.filter(
    (order) =>
      order.route === route &&
      order.currency.id === currency.id &&
      order.isValid &&
      order.transaction === undefined &&
      order.createdOn >= books.options.now() - matchMs &&
      isWithinOnePercent(paid, order.amount),
  );
  const rank = (order: Order): number => (order.isConfirmed ? (isEqual(order.amount, paid) ? 0 : 1) : 2);
  return open.toSorted((a, b) => rank(a) - rank(b) || b.id - a.id)[0];
};

type Arrival = { route: Route | undefined; currency: SimulatedCurrency; input: Fraction; inputTxId: string | undefined };

const arrive = async (books: Books, { route, currency, input, inputTxId }: Arrival): Promise<Transaction> => {
  const { options } = books;
  const order = route && orderFor(books, route, currency, input);
  const transaction: Transaction = {
    id: books.nextId('transaction'),
    uid: `T${randomText(books, 16, 'uid')}`,
    ramp: route?.ramp ?? 'buy',
    route,
    order,
    currency,
    input,
    inputTxId,
    state: route ? 'Created' : 'Unassigned',
    reason: undefined,
    heldIn: undefined,
    changes: 0,
    createdOn: options.now(),
    fee: undefined,
    output: undefined,
    outputTxId: undefined,
    outputOn: undefined,
    payoutTries: 0,
    chargeback: undefined,
  };
  books.transactions.push(transaction);
  if (route?.ramp === 'buy') route.user.account.transferSeen = true;
  if (order) Object.assign(order, { transaction, unbookedReads: options.unbookedReads });
  await tellPayment(books, transaction);
  if (route) stepLater(books, transaction);
  return transaction;
};

/** A bank transfer. `amount` in hundredths. A reference that nobody has makes it `Unassigned`. */
export type Transfer = { reference: string; amount: number; currency: string };
export const receiveTransfer = async (books: Books, { reference, amount, currency: name }: Transfer): Promise<Transaction> => {
  const currency = books.options.currencies.find((one) => one.name === name);
  if (!currency) throw new Error(`no currency ${name}`);
  const route = books.routes.find((one) => one.ramp === 'buy' && one.reference === reference);
  return await arrive(books, { route, currency, input: hundredths(amount), inputTxId: undefined });
};

export const receiveSats = async (books: Books, { route, sats, hash }: Pick<Invoice, 'route' | 'sats' | 'hash'>): Promise<Transaction> => {
  const currency = books.options.currencies.find(({ id }) => String(id) === route.key.split(' ')[1]);
  if (!currency) throw new Error('the currency of this route is gone');
  return await arrive(books, { route, currency, input: { n: BigInt(sats), d: 100_000_000n }, inputTxId: hash });
};

export const payInvoice = async (books: Books, pr: string): Promise<Transaction> => {
  const invoice = books.invoices.get(pr.replace(/^lightning:/i, '').toLowerCase());
  if (!invoice) throw new Error('this simulator has no such invoice');
  if (invoice.isPaid || books.options.now() >= invoice.expiresOn) throw new Error('this invoice can no longer be paid');
  invoice.isPaid = true;
  return await receiveSats(books, invoice);
};

/** The customer pays an order: `other` hundredths of the currency (a purchase) or sats (a sale), or the exact amount if it is absent. */
export const payOrder = async (books: Books, { route, currency, amount }: Order, other?: number): Promise<Transaction> => {
  if (route.ramp === 'sell') return await receiveSats(books, { route, sats: other ?? satsOf(amount), hash: randomHex(books, 32) });
  const cents = Number((amount.n * 100n) / amount.d);
  return await receiveTransfer(books, { reference: route.reference, amount: other ?? cents, currency: currency.name });
};

/** Pays a new order after `autoPayMs`, a sale by its invoice. Does nothing if the order was paid sooner, or can no longer be paid. */
export const payLater = (books: Books, order: Order, pr: string | undefined): void => {
  const { autoPayMs, now } = books.options;
  if (autoPayMs === undefined || !order.isValid) return;
  books.later(autoPayMs, async () => {
    const invoice = books.invoices.get(pr ?? '');
    if (order.transaction !== undefined || invoice?.isPaid === true) return;
    if (invoice === undefined) await payOrder(books, order);
    else if (now() < invoice.expiresOn) await payInvoice(books, pr ?? '');
  });
};

// ---- what follows ----------------------------------------------------------------------------------------------------------------------

/** Takes the next step after `stepMs`, unless the transaction's state has changed by then. */
const stepLater = (books: Books, transaction: Transaction): void => {
  const { stepMs } = books.options;
  if (stepMs === undefined) return;
  const { changes } = transaction;
  books.later(stepMs, async () => {
    if (transaction.changes === changes && (await step(books, transaction))) stepLater(books, transaction);
  });
};

/**
 * Moves the transaction to the next of `Processing`, `PayoutInProgress` (which sets the price) and `Completed`. Returns whether a step may follow.
 */
export const step = async (books: Books, transaction: Transaction): Promise<boolean> => {
  switch (transaction.state) {
    case 'Created':
      return await become(books, transaction, 'Processing');
    case 'Processing':
      price(books, transaction);
      return await become(books, transaction, 'PayoutInProgress');
    case 'PayoutInProgress':
      await payOut(books, transaction);
      return transaction.state === 'PayoutInProgress';
    default:
      return false;
  }
};

/** Takes all steps, until the transaction is completed, on hold or failed. */
export const deliver = async (books: Books, transaction: Transaction): Promise<void> => {
  while (await step(books, transaction));
};

export const become = async (books: Books, transaction: Transaction, state: string): Promise<true> => {
  transaction.state = state;
  transaction.changes += 1;
  await tellPayment(books, transaction);
  return true;
};

const price = (books: Books, transaction: Transaction): void => {
  const { options } = books;
  const { ramp, input, order, route } = transaction;
  const currency = options.currencies.find(({ id }) => id === transaction.currency.id) ?? transaction.currency;
  const keepsPrice = options.guaranteedPrice && order !== undefined && options.now() - order.createdOn <= guaranteeMs;
  const wallet = route?.user.wallet;
  Object.assign(transaction, delivery(options, { ramp, amount: input, currency, wallet, guaranteed: keepsPrice ? order.rate : undefined }));
};

const payOut = async (books: Books, transaction: Transaction): Promise<void> => {
  transaction.payoutTries += 1;
  const { payout } = books.options;
  if (payout === 'routing-error' && transaction.payoutTries === 1) return;
  if (payout === 'unclear') await become(books, transaction, 'Stopped');
  else if (payout === 'below-minimum' && transaction.ramp === 'buy') await become(books, transaction, 'Failed');
  else {
    const txId = transaction.ramp === 'buy' ? await paySats(books, transaction) : randomHex(books, 16);
    if (txId === undefined) return void (await become(books, transaction, 'Failed'));
    Object.assign(transaction, { outputTxId: txId, outputOn: books.options.now() });
    await become(books, transaction, 'Completed');
  }
};

/**
 * Pays the user's address, and returns the payment's hash, or undefined if an LNURL on loopback gives no fitting invoice. Other addresses count as
 * paid.
 */
const paySats = async (books: Books, { output, route }: Transaction): Promise<string | undefined> => {
  const address = route?.user.address ?? '';
  const sats = satsOf(output ?? hundredths(0));
  let paid: { invoice: string | undefined; txId: string } = { invoice: undefined, txId: randomHex(books, 32) };
  if (loopbackUrlOf(address)) {
    const terms = await payTermsOf(address);
    const msat = BigInt(sats) * 1000n;
    const text = terms && msat >= terms.least && msat <= terms.most ? await invoiceFrom(terms, msat) : undefined;
    const invoice = decodeInvoice(text ?? '');
    if (invoice?.amountMsat !== msat || invoice.network !== books.options.network) return undefined;
    paid = { invoice: text, txId: invoice.paymentHash };
  }
  books.payouts.push({ address, sats, ...paid });
  return paid.txId;
};

// ---- other outcomes --------------------------------------------------------------------------------------------------------------------

/** Puts a transaction on hold: DFX or the customer has to do something first. `release` resumes where the hold began. */
export const hold = async (books: Books, transaction: Transaction, state: string, reason?: string): Promise<void> => {
  transaction.heldIn ??= transaction.state;
  transaction.reason = reason;
  await become(books, transaction, state);
};
export const release = async (books: Books, transaction: Transaction): Promise<void> => {
  const { heldIn = 'Processing' } = transaction;
  Object.assign(transaction, { heldIn: undefined, reason: undefined });
  await become(books, transaction, heldIn);
  stepLater(books, transaction);
};
/** The money goes back: first `ReturnPending`, and once that is the state, `Returned`. */
export const giveBack = async (books: Books, transaction: Transaction): Promise<void> => {
  if (transaction.state !== 'ReturnPending') return void (await become(books, transaction, 'ReturnPending'));
  transaction.chargeback = { on: books.options.now(), txId: randomHex(books, 16) };
  await become(books, transaction, 'Returned');
};
