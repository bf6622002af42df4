/**
 * What Bringin sends, as far as we read it. Sources: docs.bringin.app, else its older OpenAPI "Bringin APIs" 1.0.0 and the code of its clients.
 * Unknown members are ignored, and null means absent. Amounts are strings of integers (sats, euro cents); rates are decimal strings.
 */
import { z } from 'zod';
import { optional, wireInteger, wireKey, wireSats, wireText, wireTime } from '../kit/wire-values.ts';

const text = wireText.min(1);
/** Rounded down, for euros too, so that we promise nobody a fraction. BTCPay's plugin had to accept numbers as well as strings. */
const whole = wireSats.refine((value) => value >= 0n, 'a negative amount');

/** "errors": `errorCode`; older contracts say `code`. Anything may be missing or of another type. We repeat only a plain code. */
const plainCode = z
  .union([z.string(), z.number().transform(String)])
  .pipe(z.string().regex(/^[\w-]{1,64}$/))
  .optional()
  .catch(undefined);
const errorBody = z.object({ errorCode: plainCode, code: plainCode }).catch({});
export const errorCodeOf = (body: unknown): string => {
  const { errorCode, code } = errorBody.parse(body);
  return errorCode ?? code ?? 'no code';
};

/** Code, message and details in one text, only to tell refusals apart. Never repeated. */
export const errorTextOf = (body: unknown): string => (body === undefined ? '' : JSON.stringify(body).slice(0, 2_000));

/** POST /application/connect: "onboarding/connect-user", "api-keys". Three answers in one shape. */
export const connectReply = z.object({
  status: optional(text),
  userRegistered: optional(z.boolean()),
  isUserConnected: optional(z.boolean()),
  apiKey: optional(text),
  userId: optional(text),
  /** Capitals as they are. */
  signupURL: optional(text),
});
export type ConnectReply = z.output<typeof connectReply>;

/** GET /application/connect/status: "api-keys". */
export const statusReply = z.object({ status: text, apiKey: optional(text), userId: optional(text) });
export type StatusReply = z.output<typeof statusReply>;

/** GET /user/user-id: "guides/offramp-integration". */
export const userIdReply = z.object({ userId: text });

/** POST /offramp/rates. `price` is the market, `bringinPrice` what is left after fees. */
export const ratesReply = z.object({ ticker: text, price: text, bringinPrice: text, currency: text });
export type RatesReply = z.output<typeof ratesReply>;

/** POST /offramp/address, a reusable deposit address. */
export const addressReply = z.object({ address: text, minimumDepositAmount: whole, maximumDepositAmount: whole });

/** POST /offramp/order, known from clients only (BTCPay, splitpayments): one exact amount. */
export const orderReply = z.object({ id: wireKey, amount: whole, invoice: optional(text), depositAddress: optional(text), expiresAt: wireInteger });

/** POST /account/get-balance, in cents. */
export const balanceReply = z.object({ balance: whole });

/** POST /account/transactions: "account/list-transactions". A row that is not about bitcoin has amounts in other units. */
const transactionRow = z.object({
  orderId: wireKey,
  type: optional(text),
  subType: optional(text),
  sourceAmount: optional(whole),
  sourceCurrency: optional(text),
  destinationAmount: optional(whole),
  destinationCurrency: optional(text),
  status: text,
  createdAt: wireTime,
});
export type TransactionRow = z.output<typeof transactionRow>;
export const transactionsReply = z.object({ transactions: z.array(transactionRow).max(1_000), totalCount: optional(wireInteger) });

const standingOrder = z.object({ id: text, status: optional(text), challengeId: optional(text), challengeExpiresAt: optional(wireTime) });

/** GET /bringin-link/{id}; POST /bringin-link answers the first member alone. */
export const linkReply = z.object({
  bringinLink: z.object({ id: wireKey, name: text, type: text, subtype: text, status: text, createdAt: optional(wireTime) }),
  standingOrder: optional(standingOrder),
  lnAddress: optional(text),
  depositAddress: optional(text),
  depositIban: optional(text),
  destinationIban: optional(text),
  destinationAddress: optional(text),
  /** Of a FAILED one. Its shape is undocumented. */
  error: z.unknown().optional(),
});
export type LinkReply = z.output<typeof linkReply>;
export const linksReply = z.array(linkReply).max(1_000);

/** POST /bringin-link/confirm and …/cancel/confirm: the standing order, bare (newer pages) or wrapped (older ones). */
export const standingOrderReply = z.union([z.object({ standingOrder }).transform((reply) => reply.standingOrder), standingOrder]);

/** POST /bringin-link/resend-otp: the challenge may be another one; older pages have nothing else. */
export const resendReply = z.object({ challengeId: text, attempts: optional(wireInteger) });

/** POST /bringin-link/{standingOrderId}/cancel: done at once, or a code was sent. */
export const cancelReply = z.object({ immediate: optional(z.boolean()), challengeId: optional(text) });

/** LUD-06 by the well-known address of LUD-16. Bringin's own example has `minSendable` as a string. Millisatoshi. */
export const payReply = z.union([
  z.object({ tag: z.literal('payRequest'), minSendable: whole, maxSendable: whole }),
  z.object({ status: z.literal('ERROR'), reason: optional(wireText) }),
]);
