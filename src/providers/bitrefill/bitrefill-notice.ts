/**
 * Thor's webhook: one unsigned POST of the order at the end, to the `webhook_url` of the order. Whoever learns that URL can send one, so it says
 * which order to read again and nothing else: no status, amount or redemption link of the body is ever used.
 */
import { z } from 'zod';

export type NoticeHint = { about: 'order'; upstreamOrderId: string } | { about: 'unknown' };

const hinting = z.object({ id: z.string().regex(/^[0-9a-f]{24}$/i) });

/** Never throws. */
export const readNotice = (body: string): NoticeHint => {
  try {
    return { about: 'order', upstreamOrderId: hinting.parse(JSON.parse(body)).id };
  } catch {
    return { about: 'unknown' };
  }
};
