/**
 * Wire schemas of DFX's logins, orders and transactions: only the members that we read. Sources as in dfx-wire.ts: auth/dto, user/dto/v2,
 * BuyPaymentInfoDto, SellPaymentInfoDto, TransactionDto.
 */
import * as z from 'zod';
import { optional, wireBoolean, wireInteger, wireKey, wireRows, wireText, wireTime } from '../kit/wire-values.ts';
import { amount, quoteReply, soft } from './dfx-wire.ts';

/** POST /v1/auth. The token is a bearer secret. */
export const authReply = z.object({ accessToken: wireText.min(1) });

/** GET /v2/user. `kyc.hash` opens the customer's page at DFX: a bearer secret. */
export const userReply = z.object({
  accountId: soft(wireInteger),
  mail: soft(wireText.min(1)),
  kyc: soft(z.object({ hash: soft(wireText.min(1)), level: soft(wireInteger), dataComplete: soft(wireBoolean) })),
});
export type UserReply = z.output<typeof userReply>;

const text = soft(wireText.trim().min(1));
/** How many steps of a price are read at most. A price usually has only a few, such as EUR to BTC. */
const mostSteps = 20;
const priceSteps = soft(wireRows(z.object({ from: text, to: text }), mostSteps));

/**
 * PUT /v1/buy/paymentInfos. The price members are those of a quote. An invalid order has bank details, too, but its price members may be 0 or
 * contradict each other.
 */
export const buyOrderReply = quoteReply.extend({
  id: soft(wireInteger),
  uid: soft(wireKey),
  name: text,
  bank: text,
  street: text,
  number: soft(z.union([wireText, z.number().transform(String)])),
  zip: soft(z.union([wireText, z.number().transform(String)])),
  city: text,
  country: text,
  iban: text,
  bic: text,
  remittanceInfo: text,
  sepaInstant: soft(wireBoolean),
  /** What a banking app scans: a GiroCode, or the Swiss QR code. Only its currency is read. */
  paymentRequest: text,
  priceSteps,
  isPersonalIban: soft(z.boolean()),
});
export type BuyOrderReply = z.output<typeof buyOrderReply>;

/** PUT /v1/sell/paymentInfos. The reusable LNURL (`depositAddress`) is not read: no customer may be asked to pay to it. */
export const sellOrderReply = quoteReply.extend({
  id: soft(wireInteger),
  uid: soft(wireKey),
  paymentRequest: text,
  priceSteps,
  beneficiary: soft(z.object({ iban: text })),
});
export type SellOrderReply = z.output<typeof sellOrderReply>;

/**
 * GET /v1/transaction/single, and a row of /v1/transaction/detail. Until a payment has arrived, `uid` is the order's (Q…). After that, it is the
 * transaction's (T…), and the order's is in `orderUid`. A number in `id` means that the transaction is in DFX's books. `externalTransactionId` is the
 * value that the order was sent with; strangers do not see it.
 */
export const transactionReply = z.object({
  id: soft(wireInteger),
  uid: wireKey,
  orderUid: soft(wireKey),
  externalTransactionId: text,
  type: text,
  state: wireText.min(1),
  inputAmount: amount,
  inputAsset: text,
  inputBlockchain: text,
  outputAmount: amount,
  outputAsset: text,
  outputBlockchain: text,
  outputTxId: text,
  outputDate: soft(wireTime),
  chargebackTxId: text,
  chargebackDate: soft(wireTime),
  chargebackAmount: amount,
  date: soft(wireTime),
});
export type TransactionReply = z.output<typeof transactionReply>;
/** The most rows of one customer that are read. */
const mostTransactions = 1_000;
export const transactionsReply = wireRows(transactionReply, mostTransactions);

/** The body of a webhook: only the members that say which order or user to read. Nothing else in it is believed. */
export const noticeBody = z.object({
  type: soft(wireText),
  accountId: soft(wireInteger),
  data: optional(z.object({ uid: soft(wireKey), orderUid: soft(wireKey) })).catch(undefined),
});
