/** Orders of the simulated Thor: their validation, both dialects (bitrefill-wire.ts, `orderReply`), and how they proceed. */
import { bech32, hex } from '@scure/base';
import { decodeInvoice, encodeInvoice, invoiceExpiry } from '../../bitcoin/bolt11.ts';
import { encodeLnurl } from '../../bitcoin/lnurl.ts';
import * as magic from './bitrefill.simulator-magic.ts';
import { priceOf, products, ratesOf } from './bitrefill.simulator-price.ts';
import { clock, errorReply, newId, randomHex, type Order, type State } from './bitrefill.simulator-state.ts';
import { ring } from './bitrefill.simulator-webhooks.ts';

export type Body = { [name: string]: unknown };

/** The coins in Bitrefill's Thor API document; `perBitcoin` is invented. */
const coins: Record<string, { code: string; perBitcoin: number }> = {
  'lightning-ltc': { code: 'LNLTC', perBitcoin: 140 },
  ethereum: { code: 'ETH', perBitcoin: 45 },
  litecoin: { code: 'LTC', perBitcoin: 140 },
  dash: { code: 'DASH', perBitcoin: 110 },
  dogecoin: { code: 'DOGE', perBitcoin: 3_100_000 },
};
/** The exchange rate of July 2019, calculated from the EUR and USD prices of the one package whose price we know. */
const dollarsPerEuro = 1.1258;
const payeePrivateKey = '7b'.repeat(32);
const hrps = { main: 'bc', test: 'tb', signet: 'tb', regtest: 'bcrt' } as const;
const networkOfOptions = (options: State['options']): keyof typeof hrps => options.network ?? 'regtest';
const networkOf = (state: State): keyof typeof hrps => networkOfOptions(state.options);

const newAddress = (state: State): string =>
  bech32.encode(hrps[networkOf(state)], [0, ...bech32.toWords(Uint8Array.from({ length: 20 }, () => Math.floor(Math.random() * 256)))]);

const valueIn = ({ options }: State, { valuePackage }: Body): unknown =>
  typeof valuePackage === 'number' && options.numberValues === true ? String(valuePackage) : valuePackage;

/** Returns why a body is not a valid order, or undefined if it is valid. */
const problemIn = (state: State, body: Body, fromBalance: boolean): [message: string, code?: string] | undefined => {
  const { operatorSlug, email, paymentMethod, number, userRef } = body;
  const valuePackage = valueIn(state, body);
  if (typeof operatorSlug !== 'string' || !products[operatorSlug]) return ['Operator not found', 'not_found'];
  if (typeof valuePackage !== 'string' || !/^\d+$/.test(valuePackage)) return ['valuePackage must be an integer'];
  if (typeof email !== 'string' || !email.includes('@')) return ['email is required', 'missing_param'];
  if (!fromBalance && !(typeof paymentMethod === 'string' && (paymentMethod === 'bitcoin' || paymentMethod === 'lightning' || coins[paymentMethod])))
    return ['Unknown paymentMethod', 'unsupported_payment_method'];
  if (typeof userRef === 'string' && userRef.length > 128) return ['userRef is too long'];
  if (priceOf(state, operatorSlug, Number(valuePackage), 'bitcoin') === undefined) return ['valuePackage is out of range'];
  if (magicOf(state, valuePackage) === 'declined') return ['Out of stock', 'out_of_stock'];
  if (operatorSlug !== 'lightning-recharge') return undefined;
  if (typeof number !== 'string') return ['number is required', 'missing_param'];
  const invoice = decodeInvoice(number);
  if (!invoice || invoice.network !== networkOf(state)) return ['number is not a lightning invoice'];
  return invoice.amountMsat === BigInt(valuePackage) * 1000n ? undefined : ['The amount of the invoice is not valuePackage'];
};

export const magicOf = ({ options }: State, value: string): magic.Magic | undefined => (options.magic === true ? magic.magicOf(value) : undefined);

/** Handles POST /order and POST /purchase. `jumpBps`: how many basis points the price has risen since the customer's quote. */
export const createOrder = (state: State, body: Body, fromBalance: boolean, jumpBps: number, other: { amount: boolean }): Order | Response => {
  const problem = problemIn(state, body, fromBalance);
  if (problem) return errorReply(state, 400, ...problem);
  const text = (name: string): string | undefined => (typeof body[name] === 'string' ? body[name] : undefined);
  const [slug = '', value, method] = [text('operatorSlug'), String(valueIn(state, body)), fromBalance ? undefined : text('paymentMethod')];
  const listed = priceOf(state, slug, Number(value), method) ?? 0;
  const price = jumpBps === 0 ? listed : Math.ceil((listed * (10_000 + jumpBps)) / 10_000);
  if (fromBalance && price > state.balance) return errorReply(state, 400, 'Insufficient balance', 'balance_too_low');
  const [now, id, address] = [clock(state), newId(state), newAddress(state)];
  const lifeS = method?.startsWith('lightning') ? (state.options.lightningLifeS ?? 1_200) : (state.options.onchainLifeS ?? 900);
  const coin = coins[method ?? ''];
  const invoiceSats = other.amount ? price + 1 : price;
  const order: Order = {
    id,
    createdAt: now,
    slug,
    value,
    price,
    method,
    email: text('email') ?? '',
    sendEmail: body['sendEmail'] !== false,
    number: text('number'),
    userRef: text('userRef'),
    webhookUrl: text('webhook_url'),
    refundAddress: text('refund_address'),
    address: coin && method !== 'lightning-ltc' ? `${coin.code.toLowerCase()}${randomHex(16)}` : address,
    invoice:
      method === 'lightning'
        ? newInvoice(networkOf(state), id, now, lifeS, invoiceSats)
        : method === 'lightning-ltc'
          ? bech32.encode(`lnltc${price}u`, bech32.toWords(hex.decode(randomHex(120))), false)
          : undefined,
    invoiceSats,
    altcoin: coin && { code: coin.code, price: ((price / 1e8) * coin.perBitcoin).toFixed(8) },
    deadline: now + lifeS * 1000,
    partial: false,
    paid: fromBalance,
    sent: false,
    done: false,
    failed: false,
    refunded: false,
    k1: randomHex(32),
    redeemed: false,
    status: undefined,
  };
  state.orders.set(id, order);
  if (fromBalance) state.balance -= price;
  return order;
};

const newInvoice = (network: keyof typeof hrps, id: string, now: number, lifeS: number, sats: number): string =>
  encodeInvoice({
    network,
    amountMsat: BigInt(sats) * 1000n,
    timestamp: Math.floor(now / 1000),
    expirySeconds: lifeS,
    paymentHash: randomHex(32),
    paymentSecret: randomHex(32),
    description: `Bitrefill ${id}`,
    minFinalCltv: 40,
    payeePrivateKey,
  });

// ---- answers -------------------------------------------------------------------------------------------------------------------------

const isExpired = (state: State, order: Order): boolean => !order.paid && clock(state) > order.deadline;

const btc = (sats: number): string => (sats / 1e8).toFixed(8).replace(/\.?0+$/, '');

const paymentOf = ({ options }: State, order: Order): object | undefined => {
  if (order.method === undefined) return undefined;
  const { address, invoiceSats, altcoin, invoice = '' } = order;
  const satoshiPrice = options.amounts === 'with-unit' ? `${order.price} sats` : options.amounts === 'text' ? String(order.price) : order.price;
  if (order.method === 'lightning') {
    const lightningInvoice = options.invoiceAsLink === true ? `LIGHTNING:${invoice.toUpperCase()}` : invoice;
    return { address, lightningInvoice, satoshiPrice, altcoinCode: 'LNBC' };
  }
  if (altcoin)
    return {
      address,
      ...(invoice !== '' ? { lightningInvoice: invoice } : {}),
      satoshiPrice: order.price,
      altcoinCode: altcoin.code,
      altcoinPrice: altcoin.price,
    };
  const link = `bitcoin:${address}?amount=${btc(invoiceSats)}`;
  if (options.link === undefined) return { address, satoshiPrice, BIP21: link };
  const other =
    options.link === 'with-invoice' ? `${link}&lightning=${newInvoice(networkOfOptions(options), order.id, order.createdAt, 900, invoiceSats)}` : link;
  return { ...(options.link === 'alone' ? {} : { address }), satoshiPrice, BIP21: other.toUpperCase() };
};

const thorInfoOf = (state: State, order: Order, origin: string): object | undefined => {
  const { thorInfo } = state.options;
  if (thorInfo === 'empty') return {};
  if (thorInfo === 'nulls') return { link: '', k1: null, lnurl: 'pending' };
  if (!order.done || thorInfo === 'missing') return undefined;
  if (thorInfo === 'foreign') return { link: `https://evil.example/thor/${order.k1}`, k1: order.k1 };
  const hasLnurl = order.method !== undefined || state.options.lnurlForBalance === true;
  return {
    link: `${origin}/thor/${order.k1}`,
    k1: order.k1,
    ...(hasLnurl ? { lnurl: `lightning:${encodeLnurl(`${origin}/v1/thor?q=${order.k1}`).toLowerCase()}` } : {}),
    other: 'Open your new lightning channel with redemption instructions provided',
  };
};

const statusOf = (state: State, order: Order): string => {
  const status = plainStatusOf(state, order);
  return state.options.upperCaseStatus === true ? status.toUpperCase() : status;
};
const plainStatusOf = (state: State, order: Order): string => {
  if (order.status !== undefined) return order.status;
  if (order.refunded) return 'refunded';
  if (order.done) return 'success';
  if (order.failed) return state.options.failedStatus ?? 'failed';
  return order.paid ? 'payment_pending' : 'unpaid';
};

/** Returns the order as POST, GET and the webhook show it, in its envelope if it has one. */
export const showOrder = (state: State, order: Order, origin: string): object => {
  const { envelope } = state.options;
  const document = named(state, order, documentOf(state, order, origin));
  if (envelope === undefined) return document;
  return envelope === 'result' ? { jsonrpc: '2.0', id: 1, result: document } : { status: 'ok', [envelope]: document };
};

/** Returns the order as a list shows it, without an envelope. */
export const listOrder = (state: State, order: Order, origin: string): object => ({
  ...named(state, order, documentOf(state, order, origin)),
  paymentReceived: order.paid,
  userRef: order.userRef ?? null,
  coinCurrency: order.method === undefined ? 'BALANCE' : 'BTC',
});

const named = ({ options }: State, order: Order, { id: _id, ...document }: Body): object => {
  const { idMember = 'id' } = options;
  const id = options.numericIds === true ? Number(order.id) : order.id;
  return { [idMember]: id, ...document, ...(idMember === 'orderId' ? { paymentReceived: order.paid, sent: order.sent, delivered: order.done } : {}) };
};

const documentOf = (state: State, order: Order, origin: string): Body => {
  const dialect = state.options.dialect ?? (order.slug === 'lightning-recharge' ? 'B' : 'A');
  const payment = paymentOf(state, order);
  const thorInfo = order.slug === 'lightning-recharge' ? undefined : thorInfoOf(state, order, origin);
  const tail = { ...(payment ? { payment } : {}), ...(thorInfo ? { thorInfo } : {}) };
  if (dialect === 'B') return { ...dialectB(state, order), ...tail };
  return {
    id: order.id,
    email: order.email,
    expired: isExpired(state, order),
    value: order.value,
    product: order.slug,
    price: order.price,
    partialPayment: order.partial,
    userRef: order.userRef ?? null,
    status: statusOf(state, order),
    ...tail,
  };
};

const timeOf = ({ options: { times } }: State, ms: number): number | string =>
  times === 's' ? Math.floor(ms / 1000) : times === 'iso' ? new Date(ms).toISOString() : ms;

const dialectB = (state: State, order: Order): Body => {
  const product = products[order.slug];
  const quote = product ? ratesOf(state, product).quote : 0;
  const euro = Math.floor((order.price * quote) / 1e6) / 100;
  const words = `${product?.name} ${order.value} SAT`;
  return {
    id: order.id,
    email: order.email,
    ...(order.number === undefined ? {} : { number: order.number }),
    expired: isExpired(state, order),
    sent: order.sent,
    refunded: order.refunded,
    value: order.value,
    currency: 'SAT',
    operator: order.slug,
    country: 'international',
    summary: words,
    price: order.price,
    commission: 0,
    overcharge: 0,
    priciness: 1.0404,
    merchant_price: order.price,
    satoshiPrice: order.price,
    usdPrice: Math.round((order.price * quote * dollarsPerEuro) / 1e6) / 100,
    eurPrice: euro,
    delivered: order.done,
    partialPayment: order.partial,
    btcPrice: btc(order.price),
    itemDesc: words,
    valuePackage: order.value,
    operatorSlug: order.slug,
    operatorType: 'lightning',
    invoiceTimeLeft: Math.max(0, order.deadline - clock(state)),
    invoiceTime: timeOf(state, order.createdAt),
    expirationTime: timeOf(state, order.deadline),
    paymentMethod: order.method ?? 'balance',
    zeroConfStatus: state.options.zeroConfStatus ?? 'pending',
    recommended_fee_rate: 6,
    ...(order.paid ? { paymentReceived: true } : {}),
    ...(order.failed ? { errorType: 'delivery_failed', errorMessage: 'The invoice could not be paid' } : {}),
    ...(order.status === undefined ? {} : { status: order.status }),
  };
};

// ---- how orders proceed --------------------------------------------------------------------------------------------------------------

/** Pays an order after `autoPayMs`, if that option is set and the order was not paid sooner. A magic amount may change this. */
export const payLater = (state: State, order: Order, origin: string): void => {
  const { autoPayMs } = state.options;
  const told = magicOf(state, order.value);
  if (autoPayMs === undefined || told === 'price-changed') return;
  state.later(autoPayMs, async () => {
    if (told === 'underpaid') order.partial = true;
    else if (!order.paid) await pay(state, order, origin);
  });
};

/** Records that money arrived, perhaps after the deadline. The option `deliver` says what follows. */
export const pay = async (state: State, order: Order, origin: string): Promise<void> => {
  Object.assign(order, { paid: true, partial: false });
  await goOn(state, order, origin);
};

export const goOn = async (state: State, order: Order, origin: string): Promise<void> => {
  if (magicOf(state, order.value) === 'refunded') return void (order.refunded = true);
  const { deliver: how = 'at-once' } = state.options;
  if (how === 'at-once') await deliver(state, order, origin);
  else if (how !== 'by-hand')
    state.later(how * (magicOf(state, order.value) === 'slow' ? magic.slowTimes : 1), async () => await deliver(state, order, origin));
};

/** Delivers an order. A recharge fails if its invoice has expired meanwhile, as may happen on chain. */
export const deliver = async (state: State, order: Order, origin: string): Promise<void> => {
  const own = order.number === undefined ? undefined : decodeInvoice(order.number);
  if (own && invoiceExpiry(own) < clock(state)) return await fail(state, order, origin);
  await end(state, order, origin, { sent: true, done: true });
};
export const fail = async (state: State, order: Order, origin: string): Promise<void> => await end(state, order, origin, { failed: true });

const end = async (state: State, order: Order, origin: string, change: Partial<Order>): Promise<void> => {
  const after = { ...order, ...change };
  if (state.options.webhooks?.early !== true) Object.assign(order, change);
  await ring(state, order.webhookUrl, showOrder(state, after, origin));
  Object.assign(order, change);
};
