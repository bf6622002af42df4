/**
 * Bringin's webhooks are unsigned, and may come repeatedly and in any sequence. They go to the callback URL with the event's path appended or, for
 * older accounts, to the callback URL itself. A notice only says what to read again. The secret callback URL tells us which customer the notice is
 * about. From the body, we use only the ids and the fact that certain members are present. No status, amount or key is read from it.
 */
import * as z from 'zod';

/** What to read: the account, a connection or an order; without `upstreamId`, all connections or all orders. `unknown`: everything. */
export type NoticeHint = { about: 'account' } | { about: 'connection'; upstreamId?: string } | { about: 'orders'; upstreamId?: string } | { about: 'unknown' };

const id = z
  .union([z.string(), z.number().transform(String)])
  .pipe(z.string().regex(/^[\w-]{1,100}$/))
  .optional()
  .catch(undefined);
const hinting = z.object({ orderId: id, bringinLinkId: id, verificationStatus: z.unknown(), apikey: z.unknown(), userId: id }).partial();

/** Reads a notice. `path` is what follows the callback URL. Never throws. */
export const readNotice = (path: string, body: string): NoticeHint => {
  const { orderId, bringinLinkId, ...rest } = hintsIn(body);
  const event = path
    .split('/')
    .filter((part) => part !== '')
    .join('/');
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
