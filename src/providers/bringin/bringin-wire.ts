/**
 * What Bringin sends, as far as we read it: docs.bringin.app and, where it is silent, its older OpenAPI "Bringin APIs" 1.0.0 and the code of its
 * clients. Unknown members are ignored, null means absent. Amounts are strings of integers (sats, euro cents), rates are decimal strings.
 */
import { z } from 'zod';

const absent = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined);
const text = z.string().min(1).max(2_000);
/** A whole number ≥ 0 in either form; BTCPay's plugin had to loosen its types to both. */
const whole = z.union([z.string().regex(/^\d{1,20}$/), z.int().nonnegative()]).transform((value) => BigInt(value));
const time = z.union([z.number(), z.string().regex(/^\d{9,16}$/).transform(Number)]);
const isoTime = z.union([z.string().transform((value) => Date.parse(value)), z.number()]).refine(Number.isFinite);

/** "errors", and the older `{error, message?, code}`. Anything may be missing or of another type. */
export const errorBody = z
  .looseObject({})
  .catch({})
  .transform((body) => {
    const firstText = (...names: string[]): string | undefined => {
      const value = names.map((name) => body[name]).find((one) => (typeof one === 'string' && one !== '') || typeof one === 'number');
      return value === undefined ? undefined : String(value).slice(0, 200);
    };
    return { code: firstText('errorCode', 'code'), message: firstText('message', 'errorMessage', 'error') };
  });
export type ErrorBody = z.output<typeof errorBody>;

/** POST /application/connect: "onboarding/connect-user", "api-keys". Three answers in one shape. */
export const connectReply = z.object({
  status: absent(text),
  userRegistered: absent(z.boolean()),
  isUserConnected: absent(z.boolean()),
  apiKey: absent(text),
  userId: absent(text),
  /** Capitals as they are. */
  signupURL: absent(text),
});
export type ConnectReply = z.output<typeof connectReply>;

/** GET /application/connect/status: "api-keys". */
export const statusReply = z.object({ status: text, apiKey: absent(text), userId: absent(text) });
export type StatusReply = z.output<typeof statusReply>;

/** GET /user/user-id: "guides/offramp-integration". */
export const userIdReply = z.object({ userId: text });

/** POST /offramp/rates. `price` is the market, `bringinPrice` what is left after fees. */
export const ratesReply = z.object({ ticker: text, price: text, bringinPrice: text, currency: text });
export type RatesReply = z.output<typeof ratesReply>;

/** POST /offramp/address, a reusable deposit address. */
export const addressReply = z.object({ address: text, minimumDepositAmount: whole, maximumDepositAmount: whole });
export type AddressReply = z.output<typeof addressReply>;

/** POST /offramp/order, known from clients only (BTCPay, splitpayments): one exact amount. */
export const orderReply = z.object({ id: text, amount: whole, invoice: absent(z.string().min(1).max(5_000)), depositAddress: absent(text), expiresAt: time });
export type OrderReply = z.output<typeof orderReply>;

/** POST /account/get-balance, in cents. */
export const balanceReply = z.object({ balance: whole });

/** POST /account/transactions: "account/list-transactions". A row that is not about bitcoin has amounts in other units. */
const transactionRow = z.object({
  orderId: text,
  type: absent(text),
  subType: absent(text),
  sourceAmount: absent(whole),
  sourceCurrency: absent(text),
  destinationAmount: absent(whole),
  destinationCurrency: absent(text),
  status: text,
  createdAt: isoTime,
});
export type TransactionRow = z.output<typeof transactionRow>;
export const transactionsReply = z.object({ transactions: z.array(transactionRow).max(1_000), totalCount: absent(z.coerce.number()) });

const standingOrder = z.object({ id: text, status: absent(text), challengeId: absent(text), challengeExpiresAt: absent(isoTime) });

/** GET /bringin-link/{id}; POST /bringin-link answers the first member alone. */
export const linkReply = z.object({
  bringinLink: z.object({ id: text, name: text, type: text, subtype: text, status: text, createdAt: absent(isoTime) }),
  standingOrder: absent(standingOrder),
  lnAddress: absent(text),
  depositAddress: absent(text),
  depositIban: absent(text),
  destinationIban: absent(text),
  destinationAddress: absent(text),
  /** Of a FAILED one; its shape is not documented. */
  error: z.unknown(),
});
export type LinkReply = z.output<typeof linkReply>;
export const linksReply = z.array(linkReply).max(1_000);

/** POST /bringin-link/confirm and …/cancel/confirm: the standing order, bare (newer pages) or wrapped (older ones). */
export const standingOrderReply = z.union([z.object({ standingOrder }).transform((reply) => reply.standingOrder), standingOrder]);

/** POST /bringin-link/resend-otp: the challenge may be another one; older pages have nothing else. */
export const resendReply = z.object({ challengeId: text, attempts: absent(z.coerce.number().int().nonnegative()) });

/** POST /bringin-link/{standingOrderId}/cancel: done at once, or a code was sent. */
export const cancelReply = z.object({ immediate: absent(z.boolean()), challengeId: absent(text) });

/** LUD-06 by the well-known address of LUD-16. Bringin's own example has `minSendable` as a string. Millisatoshi. */
export const payReply = z.union([
  z.object({ tag: z.literal('payRequest'), minSendable: whole, maxSendable: whole }),
  z.object({ status: z.literal('ERROR'), reason: absent(z.string().max(500)) }),
]);
