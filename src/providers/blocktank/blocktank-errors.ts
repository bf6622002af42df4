/** Maps Blocktank's errors to the gateway's words. Pure. */
import type { Refusal } from '../../domain/refusal.ts';
import { asSentence, readError } from '../kit/read-error.ts';

export const isGeoBlocked = (body: unknown): boolean => /\bgeo blocked\b/.test(asSentence(readError(body)));

/** Returns whether a body is a web page, or the words of a web server that has no such path. Neither says anything about an order. */
export const isPage = (body: unknown): boolean =>
  typeof body === 'string' && /^\s*<|\bpage not found\b|\bcannot (?:get|post)\b|\bno (?:such )?route\b/i.test(body);

/** Returns why a request for a price or an order was refused. `limits`: the refusal that fresh limits give for the request, if any. */
export const toRefusal = (body: unknown, limits: Refusal | undefined): Refusal => {
  if (isGeoBlocked(body)) return { reason: 'country-restricted' };
  return limits ?? { reason: 'declined', note: 'order-refused' };
};

const openErrors = ['WRONG_ORDER_STATE', 'PEER_NOT_REACHABLE', 'CHANNEL_REJECTED_BY_DESTINATION', 'CHANNEL_REJECTED_BY_LSP', 'BLOCKTANK_NOT_READY'] as const;
export type OpenError = (typeof openErrors)[number] | 'UNKNOWN_ERROR';

/** Returns why a channel was not opened. The code is in `code` or `type`. */
export const openErrorOf = (body: unknown): OpenError => {
  const codes = readError(body).codes.map((code) => code.toUpperCase());
  return openErrors.find((one) => codes.includes(one)) ?? 'UNKNOWN_ERROR';
};
