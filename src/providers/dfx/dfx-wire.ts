/**
 * Wire schemas of DFX: only the members that we read. Source: github.com/DFXswiss/api at f0ea22a (2026-08-08), where quotes are BuyQuoteDto and
 * SellQuoteDto, listings AssetDetailDto and FiatDetailDto. Amounts are display units as JSON numbers (1.5 = 1.5 BTC); they are read as exact
 * decimals. Null means absent, unknown members are ignored, and rows that cannot be read are skipped.
 */
import * as z from 'zod';
import { parseDecimal, type Decimal } from '../../domain/money.ts';
import { optional, wireBoolean, wireFirst, wireInteger, wireRows, wireText } from '../kit/wire-values.ts';

/** A value that cannot be read counts as absent. */
export const soft = <S extends z.ZodType>(schema: S) => optional(schema).catch(undefined);

/** An amount or a rate: never negative. A number that JavaScript would change arrives as a string (requestJson). */
const decimal = z.union([z.number(), wireText]).transform((value, context): Decimal => {
  const read = parseDecimal(String(value).trim());
  if (read && read.digits >= 0n) return read;
  context.addIssue({ code: 'custom', message: 'not an amount' });
  return z.NEVER;
});
export const amount = soft(decimal);
/** DFX lists about 200 assets on all blockchains, and 20 currencies. */
const mostRows = 1_000;
/** The most reasons that are read from one answer. */
const mostReasons = 20;

const fees = soft(z.object({ total: amount }));

/**
 * PUT /v1/buy/quote and /v1/sell/quote. A refusal comes with status 200 and `isValid: false`, and its figures may all be 0. So figures are required
 * only of a valid answer (dfx-price.ts).
 */
export const quoteReply = z.object({
  isValid: wireBoolean,
  /** The older form of `errors`. */
  error: soft(wireText.min(1)),
  errors: soft(wireRows(z.object({ error: wireText.min(1), limit: amount, limitTarget: amount }), mostReasons)),
  amount,
  estimatedAmount: amount,
  /** Without fees. */
  exchangeRate: amount,
  /** With fees: what is paid for one unit of what is received. */
  rate: amount,
  /** `fees`: in the unit of what is paid. `feesTarget`: in the unit of what is received. */
  fees,
  feesTarget: fees,
  minVolume: amount,
  maxVolume: amount,
  minVolumeTarget: amount,
  maxVolumeTarget: amount,
});
export type QuoteReply = z.output<typeof quoteReply>;

const flag = soft(wireBoolean).transform((value) => value ?? false);

/** GET /v1/asset?blockchains=Lightning. */
export const assetsReply = wireRows(z.object({ name: wireText, blockchain: wireText, buyable: flag, sellable: flag, instantBuyable: flag }), mostRows);
export type AssetRow = z.output<typeof assetsReply>[number];

const limits = soft(z.object({ minVolume: amount, maxVolume: amount }));
/** GET /v1/fiat. The flags take the customer's view: the customer can pay `sellable` money in for bitcoin, and is paid out in `buyable` money. */
export const fiatsReply = wireRows(
  z.object({
    /** An order can name its currency only by this id. */
    id: wireInteger,
    name: z.string().regex(/^[A-Za-z0-9]{2,16}$/),
    buyable: flag,
    sellable: flag,
    instantSellable: flag,
    limits: soft(z.object({ Bank: limits, Instant: limits })),
  }),
  mostRows,
);
export type FiatRow = z.output<typeof fiatsReply>[number];

/** The stock body of NestJS for 4xx: `message` is a string, or a list of strings about a bad request body. */
const errorBody = z.object({
  message: soft(z.union([wireText.transform((one) => [one]), wireFirst(mostReasons).transform((all) => all.filter((one) => typeof one === 'string'))])),
});
export const messagesIn = (body: unknown): string[] => errorBody.safeParse(body).data?.message ?? [];
