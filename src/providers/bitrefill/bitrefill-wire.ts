/**
 * What Thor's API sends, as far as we read it. Sources: the Thor document of 2019, else public clients of API v1. Bodies are parsed with every
 * number kept as text. Unknown members are ignored, and null means absent.
 */
import { z } from 'zod';
import { optional, wireBoolean, wireText } from '../kit/wire-values.ts';
import { readDecimal, wholeOf } from './bitrefill-decimal.ts';

const text = wireText.min(1);
const decimal = z.string().transform((value, context) => {
  const read = readDecimal(value);
  if (read && read.n >= 0n) return read;
  context.addIssue({ code: 'custom', message: 'not a decimal number' });
  return z.NEVER;
});
/** Whole sats or milliseconds, as a number or as digits. */
const whole = decimal.transform((value, context) => {
  const read = wholeOf(value);
  if (read !== undefined && read < 10n ** 18n) return read;
  context.addIssue({ code: 'custom', message: 'not a whole amount' });
  return z.NEVER;
});
const positive = whole.refine((value) => value > 0n, 'not above zero');
const flag = optional(wireBoolean);
const isNothing = (value: unknown): boolean => value === undefined || value === null || value === false || value === '';

const range = z
  .object({ min: positive, max: positive, step: positive.default(1n), customerSatoshiPriceRate: decimal, purchaseFee: decimal })
  .refine(({ min, max }) => min <= max, 'an empty range')
  .refine(({ customerSatoshiPriceRate }) => customerSatoshiPriceRate.n > 0n, 'a rate of nothing');
/** Before ranges (2019) some packages had prose as `value`; those cannot be ordered by number. */
const onePackage = z.object({ value: text, satoshiPrice: positive });

/** GET /inventory/{slug}. */
export const inventoryReply = z.object({
  operator: z.object({ slug: text, currency: z.literal('SAT'), range: optional(range), packages: optional(z.array(onePackage).max(1_000)) }),
});
export type InventoryReply = z.output<typeof inventoryReply>;

const payment = z.object({
  address: optional(text),
  lightningInvoice: optional(text),
  satoshiPrice: optional(positive),
  altcoinCode: optional(text),
  /** The provider's text. Its unit depends on the coin. */
  altcoinPrice: optional(text),
  BIP21: optional(text),
});
export type Payment = z.output<typeof payment>;

const thorInfo = z.object({ link: optional(text), k1: optional(text), lnurl: optional(text) });
export type ThorInfo = z.output<typeof thorInfo>;

/** An order in both dialects: `status`, `product`, `value` (channels, 2019-05) or booleans, `operatorSlug`, `valuePackage` (recharge, 2019-07). */
export const orderReply = z.object({
  id: text.regex(/^[\w-]{1,64}$/),
  product: optional(text),
  operatorSlug: optional(text),
  operator: optional(text),
  valuePackage: optional(text),
  value: optional(text),
  number: optional(text),
  /** May be no amount in sats, if the account's currency is not bitcoin. */
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
  zeroConfStatus: optional(wireText),
  errorType: optional(wireText),
  errorMessage: optional(wireText),
  /** Any value means that something went wrong. */
  error: z
    .unknown()
    .optional()
    .transform((error) => (isNothing(error) ? undefined : 'error')),
  invoiceTime: optional(whole),
  expirationTime: optional(whole),
  payment: optional(payment),
  thorInfo: optional(thorInfo),
});
export type OrderReply = z.output<typeof orderReply>;

/** Every known shape of an error in v1 and v2. Any member may be missing or not a text. */
const word = z.string().max(4096).optional().catch(undefined);
const errorBody = z
  .object({ error: z.unknown(), message: word, errorMessage: word, errorType: word, error_code: word, status: z.unknown() })
  .partial()
  .catch({});
const plainCode = /^[\w-]{1,64}$/;

/** Whether a body under HTTP 200 is an error: it says so, and it is neither an order (`id`) nor an inventory (`operator`). */
export const isError = (body: unknown): boolean => {
  if (typeof body !== 'object' || body === null || 'id' in body || 'operator' in body) return false;
  const { error, message, errorMessage, errorType, error_code: code } = errorBody.parse(body);
  return ![error, message, errorMessage, errorType, code].every(isNothing);
};

/** We repeat only plain codes. We read Bitrefill's sentences to tell refusals apart, and pass none on. */
export const errorCodeOf = (body: unknown): string => {
  const { error_code: code, errorType, error, message, errorMessage } = errorBody.parse(body);
  const known = [code, errorType].find((one) => one !== undefined && plainCode.test(one));
  if (known !== undefined) return known;
  const sentence = [error, message, errorMessage].filter((one) => typeof one === 'string').join(' ');
  return hints.find(([pattern]) => pattern.test(sentence))?.[1] ?? 'no-code';
};
const hints: [RegExp, string][] = [
  [/balance|insufficient/i, 'balance_too_low'],
  [/not found|unknown order|no such/i, 'not_found'],
  [/out of stock|unavailable/i, 'out_of_stock'],
  [/payment ?method/i, 'unsupported_payment_method'],
];
