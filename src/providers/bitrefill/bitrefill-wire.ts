/**
 * Wire schemas of Thor's API: only the members that we read. Sources: the Thor document of 2019, else public clients of API v1. The schemas expect
 * answers in which every number was kept as a string. Unknown members are ignored, and null means absent.
 */
import * as z from 'zod';
import { findDocument, idIn, isMembers, type Members } from '../kit/find-document.ts';
import { asSentence, isNothing, isUnsure, readError, saysNo } from '../kit/read-error.ts';
import { readEnd } from '../kit/read-time.ts';
import { forgiving, optional, satsWithUnit, wireBoolean, wireText } from '../kit/wire-values.ts';
import { readDecimal, wholeOf } from './bitrefill-decimal.ts';

const text = wireText.min(1);
const decimal = z.string().transform((value, context) => {
  const read = readDecimal(value);
  if (read && read.n >= 0n) return read;
  context.addIssue({ code: 'custom', message: 'not a decimal number' });
  return z.NEVER;
});
/** An amount in whole sats: a number, a string of digits, or a string with the unit ("5400 sats"). */
const whole = z
  .preprocess((value) => (typeof value === 'string' ? (satsWithUnit(value)?.toString() ?? value) : value), decimal)
  .transform((value, context) => {
    const read = wholeOf(value);
    if (read !== undefined && read < 10n ** 18n) return read;
    context.addIssue({ code: 'custom', message: 'not a whole amount' });
    return z.NEVER;
  });
const positive = whole.refine((value) => value > 0n, 'not above zero');
const flag = optional(wireBoolean);
/** A time, as Unix milliseconds. Bitrefill's document has milliseconds; seconds and ISO 8601 are accepted as well. */
const time = z.string().transform((value, context) => {
  const read = readEnd(value);
  if (read !== 'unreadable') return read;
  context.addIssue({ code: 'custom', message: 'not a time' });
  return z.NEVER;
});
/** Optional text. A value that is not a string, or is too long, counts as absent. */
const word = z.string().max(4096).nullish().catch(undefined);
const softWord = word.transform((value) => value ?? undefined);

const nothing = { n: 0n, d: 1n };
const range = z
  .object({
    min: positive,
    max: positive,
    step: optional(positive).transform((step) => step ?? 1n),
    customerSatoshiPriceRate: decimal,
    /** Some v1 clients treat it as optional. If it is missing, there is no fee. */
    purchaseFee: optional(decimal).transform((fee) => fee ?? nothing),
  })
  .refine(({ min, max }) => min <= max, 'an empty range')
  .refine(({ customerSatoshiPriceRate }) => customerSatoshiPriceRate.n > 0n, 'a rate of nothing');
/** Before Bitrefill had `range` (2019), the `value` of some packages was a sentence. Such a package cannot be ordered: an order states a number. */
const onePackage = z.object({ value: text, satoshiPrice: positive });

/** GET /inventory/{slug}. */
export const inventoryReply = z.object({
  operator: z.object({ slug: text, currency: z.string().regex(/^sats?$/i), range: optional(range), packages: optional(z.array(onePackage).max(1_000)) }),
});
export type InventoryReply = z.output<typeof inventoryReply>;

const payment = z.object({
  address: optional(text),
  lightningInvoice: optional(text),
  satoshiPrice: optional(positive),
  altcoinCode: optional(text),
  /** The provider's own string. Its unit depends on the coin. */
  altcoinPrice: optional(text),
  BIP21: optional(text),
});
export type Payment = z.output<typeof payment>;

/** A value that is empty or is not text counts as absent, because a placeholder must not make the whole order unreadable. */
const redeeming = optional(text).catch(undefined);
const thorInfo = z.object({ link: redeeming, k1: redeeming, lnurl: redeeming });
export type ThorInfo = z.output<typeof thorInfo>;

/**
 * An order in either dialect. Dialect A (the document's channels, May 2019) has `status`, `product` and `value`. Dialect B (its recharges, July 2019)
 * has booleans instead of a status, `operatorSlug` and `valuePackage`.
 */
export const orderReply = z.object({
  id: text.regex(/^[\w-]{1,64}$/),
  product: optional(text),
  operatorSlug: optional(text),
  operator: optional(text),
  valuePackage: optional(text),
  value: optional(text),
  number: softWord,
  /** If the operator's account is not in bitcoin, the price is not in sats (see paySatsOf). A price with a fraction is ignored. */
  price: optional(whole).catch(undefined),
  satoshiPrice: optional(positive),
  userRef: optional(wireText),
  status: optional(text),
  expired: flag,
  sent: flag,
  refunded: flag,
  delivered: flag,
  partialPayment: flag,
  paymentReceived: flag,
  zeroConfStatus: softWord,
  errorType: softWord,
  errorMessage: softWord,
  /** Any value except null, false, 0 and empty ones means that an error happened. */
  error: z
    .unknown()
    .optional()
    .transform((error) => (isNothing(error) ? undefined : 'error')),
  invoiceTime: optional(time),
  expirationTime: optional(time),
  payment: optional(payment),
  thorInfo: optional(thorInfo).catch(undefined),
});
export type OrderReply = z.output<typeof orderReply>;

/** An order that is read again. `oddAt`: the first member that could not be read. All members that could not be read are then missing. */
export type OrderRead = OrderReply & { oddAt?: string };
const inPart = forgiving(orderReply);
/** GET /order/{id}. */
export const orderRead = z.unknown().transform((value, context): OrderRead => {
  const whole = orderReply.safeParse(value);
  if (whole.success) return whole.data;
  const path = whole.error.issues[0]?.path.map(String) ?? [];
  const part = inPart.safeParse(value).data;
  if (part?.id !== undefined) return { ...part, id: part.id, oddAt: path.join('.') };
  context.addIssue({ code: 'custom', message: 'not an order', path });
  return z.NEVER;
});

const idNames = ['id', 'orderId', 'order_id', 'orderID', '_id'] as const;
const orderMembers = ['status', 'product', 'operatorSlug', 'valuePackage', 'value', 'price', 'payment', 'expired', 'paymentReceived', 'delivered', 'thorInfo'];
const ownForm = /^[0-9a-f]{24}$/i;
/** Returns the order's id. Bitrefill's own form comes first: older answers carry another id next to it. */
const idOf = (members: Members): string | undefined => {
  const ids = idNames.flatMap((name) => idIn(members[name]) ?? []);
  return ids.find((id) => ownForm.test(id)) ?? ids[0];
};
const isOrder = (members: Members): boolean => {
  const id = idOf(members);
  if (id === undefined || 'jsonrpc' in members) return false;
  return ownForm.test(id) || orderMembers.some((name) => !isNothing(members[name]) || members[name] === false);
};
/** Returns whether an object names an order by a member such as `orderId`. */
const namesOrder = (members: Members): boolean => ['orderId', 'order_id', 'orderID'].some((name) => idIn(members[name]) !== undefined);
/** Returns whether an object only says what went wrong. It may name an order, but has none of an order's members. */
const isOnlyError = (members: Members): boolean =>
  hasErrorWords(members) &&
  !orderMembers.some((name) =>
    name === 'status' ? isWord(members[name]) && !readError(members).isError : !isNothing(members[name]) || members[name] === false,
  );
const isWord = (value: unknown): boolean => typeof value === 'string' && !/^\d*$/.test(value);

/**
 * Returns the order in an answer, with or without an envelope, whatever its id is called. Returns undefined if there is none. An error that only
 * names an order, such as "Order not found", counts as an order only if the call was to make one (`made`).
 */
export const orderIn = (body: unknown, made = false): (Members & { id: string }) | undefined => {
  const but = (isIt: (members: Members) => boolean) => (members: Members) => isIt(members) && (made || !isOnlyError(members));
  const found = findDocument(body, but(isOrder)) ?? (made || !readError(body).isError ? findDocument(body, but(namesOrder)) : undefined);
  const id = found && idOf(found);
  return found && id !== undefined ? { ...found, id } : undefined;
};
/** GET /orders/, which Edge's client reads although Bitrefill's document does not mention it. An order that cannot be read becomes undefined. */
export const ordersReply = z.object({
  orders: z.array(z.unknown().transform((one) => orderReply.safeParse(orderIn(one, true)).data)).max(1000),
  nextUrl: softWord,
});
export const ordersIn = (body: unknown): unknown => findDocument(body, (members) => Array.isArray(members['orders'])) ?? body;
/** Finds the price list in an answer, with or without an envelope. */
export const inventoryIn = (body: unknown): unknown => findDocument(body, (members) => isMembers(members['operator'])) ?? body;

/** The known shapes of an error in v1 and v2. Any member may be missing or not a string. */
const errorBody = z
  .object({ error: z.unknown(), errors: z.unknown(), detail: z.unknown(), message: z.unknown(), errorMessage: z.unknown(), errorType: word, error_code: word })
  .partial()
  .catch({});
const hasErrorWords = (body: Members): boolean => !Object.values(errorBody.parse(body)).every(isNothing);
const plainCode = /^[\w-]{1,64}$/;

/** Returns whether a body with HTTP status 200 is an error: it has members of an error, and is neither an order nor an inventory (`operator`). */
export const isError = (body: unknown): boolean => {
  if (!isMembers(body) || orderIn(body) !== undefined || 'operator' in body) return false;
  return hasErrorWords(body);
};

/**
 * Returns the error's code if it is a plain word, else a code of our own. Bitrefill's sentences are read to tell refusals apart, and never passed on.
 */
export const errorCodeOf = (body: unknown): string => {
  const { error_code: code, errorType, error } = errorBody.parse(body);
  const inner = isMembers(error) ? [error['code'], error['error_code'], error['type']] : [];
  const known = [code, errorType, ...inner].find((one): one is string => typeof one === 'string' && plainCode.test(one) && !/^\d+$/.test(one));
  if (known !== undefined) return known;
  const sentence = asSentence(readError(body));
  return hints.find(([pattern]) => pattern.test(sentence))?.[1] ?? 'no-code';
};
/** Error codes of API v2 that mean that nothing was done. */
const decided = new Set(['unsupported_payment_method', 'missing_param', 'parse_error', 'invalid_param', 'too_many_items', 'balance_too_low', 'out_of_stock']);
/** Returns whether a 5xx is a refusal, which means that no order was made. "Service unavailable" does not mean that the product is unavailable. */
export const isRefusedAt5xx = (body: unknown): boolean => decided.has(errorCodeOf(body)) && !/unavailable/.test(asSentence(readError(body))) && isCertain(body);

/**
 * Returns whether an error says for certain that no order was made. "Went wrong" does not say so: the operator's balance may have paid for an order.
 */
export const isCertain = (body: unknown): boolean => {
  const said = readError(body);
  const code = errorCodeOf(body);
  return !isUnsure(said) && !/internal|server|timeout|unknown/i.test(code) && (code !== 'no-code' || saysNo(said));
};

const hints: [RegExp, string][] = [
  [/balance|insufficient/, 'balance_too_low'],
  [/not found|unknown order|no such|does not exist/, 'not_found'],
  [/out of stock|sold out|unavailable/, 'out_of_stock'],
  [/payment ?method/, 'unsupported_payment_method'],
];
