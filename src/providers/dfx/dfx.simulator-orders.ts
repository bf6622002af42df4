/** Orders of the simulated DFX: where the customer pays, and at what price. */
import { encodeInvoice } from '../../bitcoin/bolt11.ts';
import { encodeLnurl } from '../../bitcoin/lnurl.ts';
import { roundDown, type Fraction } from './dfx.simulator-amounts.ts';
import { iso, randomHex, randomText, refuse, type Books, type Order, type Route, type User } from './dfx.simulator-books.ts';
import { quote, type Ramp } from './dfx.simulator-price.ts';
import { readOrderRequest, type QuoteRequest } from './dfx.simulator-request.ts';
import { entryReason, isBlocked, limitOf, reasonsAgainst } from './dfx.simulator-rules.ts';
import type { Endpoint, QuoteError, SimulatedAsset, SimulatedCurrency } from './dfx.simulator-state.ts';

const dayMs = 86_400_000;
const expiryMs = 30 * 60_000;
/** A payment is never matched to an order older than this. */
export const matchMs = 7 * dayMs;
const forgetMs = 90 * dayMs;
/** What the LNURL of a sale takes, in sats. */
export const lnurlLimits = { least: 100, most: 100_000_000 };
const nodeKey = '11'.repeat(32);

export const assetOf = ({ options }: Books, { asset }: QuoteRequest): SimulatedAsset | undefined =>
  options.assets.find((one) => ('id' in asset ? one.id === asset.id : one.blockchain === asset.blockchain));
export const currencyOf = ({ options }: Books, { currency }: QuoteRequest): SimulatedCurrency | undefined =>
  options.currencies.find((one) => ('id' in currency ? one.id === currency.id : one.name === currency.name));

export const satsOf = ({ n, d }: Fraction): number => Number((n * 100_000_000n) / d);

/** Returns the price of a request. For a user, their wallet's fee and the reasons why they may not trade are part of it. */
export const priced = (books: Books, ramp: Ramp, request: QuoteRequest, customer?: { user: User; iban: string | undefined }) => {
  const [asset, currency] = [assetOf(books, request), currencyOf(books, request)];
  if (!customer || !currency) return quote(books.options, ramp, { request, asset, currency });
  const { user, iban } = customer;
  const wish = { ramp, method: request.paymentMethod, currency, iban };
  return quote(books.options, ramp, {
    request: { ...request, wallet: user.wallet },
    asset,
    currency,
    customer: { reasonsOf: (fiat) => reasonsAgainst(books, user, wish, fiat), limit: limitOf(books, user.account).limit },
  });
};

/** The reasons for which an order is refused with a 400, and not with an answer that says `isValid: false`. */
const refusedBy400: QuoteError[] = ['AssetUnsupported', 'CurrencyUnsupported', 'PaymentMethodNotAllowed', 'EmailRequired', 'RecommendationRequired'];

export const placeOrder = (books: Books, ramp: Ramp, user: User, body: unknown): { order: Order; answer: object } | Response => {
  const { options } = books;
  const read = readOrderRequest(ramp, body);
  if (Array.isArray(read)) return refuse(400, read);
  if (isBlocked(user)) return refuse(403, 'Forbidden resource');
  const { quote: request, iban } = read;
  const reason = entryReason(books, user);
  if (reason) return refuse(400, reason);
  const currency = currencyOf(books, request);
  if (currency && options.noBank.currencies.includes(currency.name)) return refuse(400, options.noBank.message);
  if (ramp === 'sell' && currency?.name === 'CHF' && !/^(?:CH|LI)/.test(iban ?? ''))
    return refuse(400, 'CHF transactions are only permitted to Liechtenstein or Switzerland');
  const quoted = priced(books, ramp, request, { user, iban: ramp === 'sell' ? iban : undefined });
  const by400 = quoted.errors.find((error) => refusedBy400.includes(error)) ?? (options.refuseOrdersBy === '400' ? options.refuse[0] : undefined);
  if (by400 !== undefined || !currency) return refuse(400, by400 ?? 'CurrencyUnsupported');
  const asset = assetOf(books, request);
  const key = ramp === 'buy' ? `${asset?.id}` : `${iban} ${currency.id}`;
  const order: Order = {
    id: books.nextId('order'),
    uid: `Q${randomText(books, 16, 'uid')}`,
    route: routeOf(books, ramp, user, key),
    currency,
    amount: roundDown(quoted.source, ramp === 'buy' ? 'fiat' : 'crypto'),
    rate: quoted.rate,
    isValid: quoted.errors.length === 0,
    isConfirmed: false,
    isExactPrice: read.exactPrice,
    externalId: read.externalId,
    createdOn: options.now(),
    transaction: undefined,
    unbookedReads: 0,
  };
  books.orders.push(order);
  return { order, answer: answerOf(books, order, quoted.answer, iban) };
};

/** Returns the user's route for the key. It stays the same for ever. */
const routeOf = (books: Books, ramp: Ramp, user: User, key: string): Route => {
  const known = books.routes.find((route) => route.ramp === ramp && route.user === user && route.key === key);
  if (known) return known;
  const text = randomText(books, 12, 'reference');
  const reference = `${text.slice(0, 4)}-${text.slice(4, 8)}-${text.slice(8)}`;
  const route: Route = { id: books.nextId('route'), ramp, user, key, reference, lnurlId: randomHex(books, 8) };
  books.routes.push(route);
  return route;
};

type Answer = { [member: string]: unknown };

const answerOf = (books: Books, order: Order, price: Answer, iban: string | undefined): Answer => {
  const { options, faults } = books;
  const { route } = order;
  const endpoint: Endpoint = route.ramp === 'buy' ? 'PUT /v1/buy/paymentInfos' : 'PUT /v1/sell/paymentInfos';
  const lies = (name: 'other-amount' | 'other-estimate' | 'foreign-uid'): boolean => faults.take(endpoint, name) !== undefined;
  const uid = lies('foreign-uid') ? (books.orders.find((one) => one.route.user !== route.user)?.uid ?? 'QAnotherCustomer1') : order.uid;
  return {
    ...price,
    ...(lies('other-amount') ? { amount: Number(price['amount']) * 2 } : {}),
    ...(lies('other-estimate') ? { estimatedAmount: Number(price['estimatedAmount']) * 2 } : {}),
    id: order.id,
    uid,
    statusUrl: `${books.origin()}/tx/${uid}`,
    timestamp: iso(order.createdOn - (order.isExactPrice ? 0 : options.priceAgeMs)),
    routeId: route.id,
    ...(route.ramp === 'buy' ? transferDetails(books, order, price) : lightningDetails(books, order, iban ?? '')),
    exactPrice: order.isExactPrice,
    expiryDate: iso(order.createdOn + expiryMs),
  };
};

const transferDetails = ({ options, faults }: Books, { route, currency, isValid }: Order, price: Answer): Answer => {
  const endpoint: Endpoint = 'PUT /v1/buy/paymentInfos';
  if (faults.take(endpoint, 'no-details') || (!isValid && !options.detailsIfInvalid)) return { isPersonalIban: options.personalIban };
  const bank = { ...options.bank, ...(faults.take(endpoint, 'bad-iban') ? { iban: 'LI75088110105923K000X' } : {}) };
  const reference = options.personalIban ? '' : route.reference;
  const cents = Number(price['amount']).toFixed(2);
  return {
    ...bank,
    ...(reference === '' ? {} : { remittanceInfo: reference }),
    paymentRequest: currency.name === 'CHF' ? swissQr(bank, cents, reference) : giroCode(bank, cents, reference),
    isPersonalIban: options.personalIban,
  };
};
type BankDetails = Books['options']['bank'];
const giroCode = ({ bic, name, iban }: BankDetails, amount: string, reference: string): string =>
  ['BCD', '001', '2', 'SCT', bic, name, iban, `EUR${amount}`, '', '', reference].join('\n');
/** The Swiss Payments Code: type S has a structured address, and NON means no structured reference. */
const swissQr = ({ name, iban, street, number, zip, city, countryCode }: BankDetails, amount: string, reference: string): string => {
  const creditor = ['S', name, street, number, zip, city, countryCode];
  return ['SPC', '0200', '1', iban, ...creditor, ...Array<string>(7).fill(''), amount, 'CHF', ...Array<string>(7).fill(''), 'NON', '', reference, 'EPD'].join(
    '\n',
  );
};

const lightningDetails = (books: Books, order: Order, iban: string): Answer => {
  const { faults } = books;
  const endpoint: Endpoint = 'PUT /v1/sell/paymentInfos';
  const { name } = order.route.user.account;
  const beneficiary = { iban, ...(name === undefined ? {} : { name }) };
  if (!order.isValid || faults.take(endpoint, 'no-details')) return { beneficiary };
  const sats = satsOf(order.amount);
  const isTaken = sats >= lnurlLimits.least && sats <= lnurlLimits.most;
  const other = faults.take(endpoint, 'invoice-amount') ? 1 : 0;
  const isForeign = faults.take(endpoint, 'other-network') !== undefined;
  return {
    depositAddress: encodeLnurl(`${books.origin()}/v1/lnurlp/${order.route.lnurlId}`),
    ...(isTaken ? { paymentRequest: newInvoice(books, order.route, sats + other, isForeign) } : {}),
    beneficiary,
  };
};

/** Makes an invoice for a sale over this route. */
export const newInvoice = (books: Books, route: Route, sats: number, isForeign = false): string => {
  const { now, network, invoiceLifeS } = books.options;
  const timestamp = Math.floor(now() / 1000);
  const hash = randomHex(books, 32);
  const pr = encodeInvoice({
    network: isForeign ? (network === 'main' ? 'regtest' : 'main') : network,
    amountMsat: BigInt(sats) * 1000n,
    timestamp,
    expirySeconds: invoiceLifeS,
    paymentHash: hash,
    paymentSecret: randomHex(books, 32),
    description: 'DFX sale',
    payeePrivateKey: nodeKey,
  });
  books.invoices.set(pr, { route, sats, hash, expiresOn: (timestamp + invoiceLifeS) * 1000, isPaid: false });
  return pr;
};

/**
 * Sets an order to `WaitingForPayment`, so that it is listed and matched first. UNKNOWN in the docs: what an unknown id gets, and the body of the 200
 * response.
 */
export const confirmOrder = (books: Books, user: User, id: string): Response => {
  const order = books.orders.find((one) => String(one.id) === id && one.route.user.account === user.account);
  if (!order || order.route.ramp !== 'buy') return refuse(404, 'Transaction request not found');
  if (!order.isValid || order.createdOn < books.options.now() - matchMs) return refuse(400, 'Transaction request is invalid or expired');
  if (order.isConfirmed || order.transaction) return refuse(409, 'Transaction request is already confirmed');
  order.isConfirmed = true;
  return new Response(null, { status: 200 });
};

/** Deletes orders that nobody paid in 90 days. */
export const forgetOrders = (books: Books): void => {
  books.orders = books.orders.filter((order) => order.transaction !== undefined || order.createdOn > books.options.now() - forgetMs);
};
