/**
 * Bringin's webhooks ("webhooks"): unsigned, sent more than once and in any order, to the callback with the event's path behind it or, by older
 * accounts, to the callback itself. A notice says what to look at and nothing else: whose it is stands in the secret callback URL, no status,
 * amount or key of the body is ever read.
 */
import { z } from 'zod';

/** Look at the account, at one connection, or at the orders. `unknown`: look at all of it. */
export type NoticeHint = { about: 'account' } | { about: 'connection'; upstreamId?: string } | { about: 'orders'; upstreamId?: string } | { about: 'unknown' };

const id = z
  .string()
  .regex(/^[\w-]{1,100}$/)
  .optional()
  .catch(undefined);
const hinting = z.object({ orderId: id, bringinLinkId: id, verificationStatus: z.unknown(), apikey: z.unknown(), userId: id }).partial();

/** `path` is what follows the callback URL. Never throws. */
export const readNotice = (path: string, body: string): NoticeHint => {
  const { orderId, bringinLinkId, ...rest } = hintsIn(body);
  const event = path.replace(/^\/+|\/+$/g, '');
  if (event === 'connection-status' || (event === '' && bringinLinkId !== undefined))
    return { about: 'connection', ...(bringinLinkId === undefined ? {} : { upstreamId: bringinLinkId }) };
  if (event === 'order-status' || (event === '' && orderId !== undefined))
    return { about: 'orders', ...(orderId === undefined ? {} : { upstreamId: orderId }) };
  const isAccount = event === 'verification-status' || (event === '' && (rest.userId !== undefined || rest.apikey !== undefined));
  return isAccount ? { about: 'account' } : { about: 'unknown' };
};

const hintsIn = (body: string): z.output<typeof hinting> => {
  try {
    return hinting.catch({}).parse(JSON.parse(body));
  } catch {
    return {};
  }
};
