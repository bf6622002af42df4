/**
 * Thor's webhook: one unsigned POST of the finished order to its `webhook_url`. Whoever learns that URL can send such a POST, so a webhook only tells
 * us which order to read again. We use no status, amount or redemption link from the body.
 */
import * as z from 'zod';

export type NoticeHint = { about: 'order'; upstreamOrderId: string } | { about: 'unknown' };

const id = z.string().regex(/^[0-9a-f]{24}$/i);
/** Bitrefill's document names the member `id`; lntxbot reads `orderId`. */
const hinting = z.union([z.object({ id }), z.object({ orderId: id }).transform(({ orderId }) => ({ id: orderId }))]);

/** Reads a webhook's body, and returns the id of the order in it. Never throws. */
export const readNotice = (body: string): NoticeHint => {
  try {
    return { about: 'order', upstreamOrderId: hinting.parse(JSON.parse(body)).id };
  } catch {
    return { about: 'unknown' };
  }
};
