import type { Refusal } from '../../domain/refusal.ts';
import { ProviderFault } from '../fault.ts';
import { asSentence, readError, saysNo, type SaidError } from '../kit/read-error.ts';
import { mayBeDone } from '../kit/request-json.ts';

const notFoundCode = 101;
/** Returns whether an error's code or words say that the seller has no such order. An answer without either is judged by its status alone. */
export const isNotFound = (body: unknown): boolean => {
  const said = readError(body);
  const { code } = said;
  return code === notFoundCode || /\bnot found\b|\bno such order\b|\bunknown order\b|\border\b.{0,40}\b(?:does not|doesn't) exist\b/.test(asSentence(said));
};

const tokenCode = 102;
/** bLIP-51's error codes, and JSON-RPC's codes for a request that was not carried out. */
const decidedCodes: ReadonlySet<number> = new Set([1, 100, 101, tokenCode, -32_600, -32_601, -32_602]);

/**
 * An error with code 100 names the limit (`max_channel_expiry_blocks`), one with code −32602 the field of the request (`channel_expiry_blocks`).
 * Other errors name one or the other in their message.
 */
const propertyReasons: readonly (readonly [RegExp, Refusal['reason']])[] = [
  [/channel_?expiry_?blocks/, 'lease-unsupported'],
  [/refund_?onchain_?address/, 'payment-method-unsupported'],
  [/balance_?sat|announce_?channel/, 'option-unsupported'],
];
const isTooLittle =
  /\b(?:must|should|to) be (?:greater|larger|more|bigger|higher) than\b|\bnot be (?:less|smaller|lower) than\b|\bis (?:less|smaller|lower) than\b|\bat least\b|\btoo (?:small|low)\b|\bbelow\b|\bminimum\b/;
const isTooMuch =
  /\b(?:must|should|to) be (?:less|smaller|lower) than\b|\bnot be (?:greater|larger|more|bigger|higher) than\b|\bis (?:greater|larger|more|bigger|higher) than\b|\bat most\b|\btoo (?:large|high|big)\b|\babove\b|\bmaximum\b|\bexceed/;
const isAboutAmount = /\b(?:balance|amount|size|capacity|sats?|channel)\b/;

/**
 * Returns the refusal reason if the error's text objects to a term of the order. A text that names both a minimum and a maximum does not show which
 * one was violated.
 */
const termsReason = ({ words }: SaidError, sentence: string): Refusal['reason'] | undefined => {
  const property = propertyReasons.find(([named]) => named.test(words))?.[1];
  if (property !== undefined && property !== 'option-unsupported') return property;
  if (/\b(?:lease|expiry|duration)\b/.test(sentence)) return 'lease-unsupported';
  const [little, much] = [isTooLittle.test(sentence), isTooMuch.test(sentence)];
  if (isAboutAmount.test(sentence) && little !== much) return little ? 'below-minimum' : 'above-maximum';
  return property ?? (/\b(?:public|private|announced|unannounced) channels?\b/.test(sentence) ? 'option-unsupported' : undefined);
};

const peer = String.raw`(?:peers?|nodes?|clients?)`;
const notConnected = new RegExp(
  [
    String.raw`\bnot (?:yet |currently |a )?(?:connected|peered|peer|online|reachable)\b`,
    String.raw`\b(?:isn't|aren't|no longer) connected\b`,
    String.raw`\bno (?:active )?(?:connection|peer)\b`,
    String.raw`\b${peer}\b.{0,60}\b(?:offline|unreachable|disconnected|not (?:be )?(?:found|reached))\b`,
    String.raw`\b(?:offline|unreachable|disconnected)\b.{0,60}\b${peer}\b`,
    String.raw`\b(?:must|need|needs|have|has|should) (?:to )?(?:first )?(?:be )?connect`,
    String.raw`\b(?:please|first) connect\b`,
    String.raw`\bconnect (?:to|with) (?:our|the|us|lsp|peer|your)\b`,
    String.raw`\bconnect\b.{0,40}\bfirst\b`,
    String.raw`\b(?:could not|couldn't|cannot|can't|unable to|failed to) (?:connect|reach)\b.{0,60}\b${peer}\b`,
    String.raw`\b${peer} connection (?:is )?(?:required|missing|needed)\b`,
  ].join('|'),
);

/**
 * Returns the reason that an error states. Throws `rate-limited` if the words name a rate limit, because some sellers do not use status 429 for that.
 * Code 102 and words about the token become `token-refused`, for the operator to correct.
 */
export const toRefusal = (body: unknown, connectTo: string | undefined): Refusal => {
  const said = readError(body);
  const sentence = asSentence(said);
  if (/\btoo many (?!channels)|rate.?limit|slow down|throttl/.test(sentence))
    throw new ProviderFault('rate-limited', 'the words of the error name a rate limit', { taken: 'no' });
  if (notConnected.test(sentence)) return { reason: 'peer-not-connected', ...(connectTo === undefined ? {} : { connectTo }) };
  if (isAboutToken(said, sentence)) return { reason: 'declined', note: 'token-refused' };
  if (/\b(?:white|allow).?list/.test(sentence)) return { reason: 'declined', note: 'node-not-listed' };
  return { reason: termsReason(said, sentence) ?? 'declined' };
};

const isAboutToken = ({ code, words }: SaidError, sentence: string): boolean =>
  code === tokenCode || /\b(?:property|loc|field|path)\b.{0,20}\btoken\b/.test(words) || /\b(?:token|coupon|voucher|discount code|promo code)\b/.test(sentence);

/** Returns whether a body is an HTML page, or has the words of a web server that has no such path. Neither says anything about an order. */
export const isUnrouted = (body: unknown): boolean =>
  typeof body === 'string' && /^\s*<|^\s*404\b|\bpage not found\b|\bcannot (?:get|post)\b|\bno (?:such )?route\b/i.test(body);

export const isRefusedAt5xx = (body: unknown): boolean => isCertain(500, body);

/**
 * Returns whether it is certain that no order was made. After a 4xx it is, except those of `mayBeDone`, which never are. With any other status, the
 * error must have one of `decidedCodes`, or its words must say that there is no order and, under a 5xx, also what is wrong. "Created" without an id,
 * "internal error" and unknown words leave open whether there is an order.
 */
export const isCertain = (status: number, body: unknown): boolean => {
  if (status >= 400 && status < 500) return !mayBeDone(status);
  const said = readError(body);
  const isDecided = said.code !== undefined && decidedCodes.has(said.code) && said.isError;
  if (status >= 500) return isDecided || (saysNo(said) && isSpecific(body));
  return isDecided || saysNo(said);
};

/** Returns whether a refusal names what is wrong with the request. "Failed" does not: a broken server says it about anything. */
const isSpecific = (body: unknown): boolean => {
  try {
    const { reason, note } = toRefusal(body, undefined);
    return reason !== 'declined' || note !== undefined;
  } catch {
    return true; // a rate limit
  }
};
