import * as z from 'zod';
import { Problem } from '../../gateway/problem.ts';
import { endpoint } from '../call.ts';
import { calendarDay, count, publicKey } from '../shapes.ts';
import { sharedAnswer } from '../../gateway/shared-answer.ts';

export const receiptKey = publicKey.extend({ alg: z.literal('EdDSA') });

export const receiptKeys = endpoint({
  id: 'getReceiptKeys',
  method: 'get',
  path: '/.well-known/receipt-keys',
  answer: z.object({ keys: z.array(receiptKey) }),
  problems: [],
  lane: 'free',
  run: async ({ gateway, headers }) => {
    headers['cache-control'] = 'public, max-age=300';
    const current = await gateway.receiptSigner.key();
    const kept = await sharedAnswer(gateway, 'receipt keys', async () => await gateway.stores.receipts.keys());
    return { body: { keys: [...kept.filter(({ kid }) => kid !== current.kid), current] } };
  },
});

const day = z.string();
export const receiptDay = endpoint({
  id: 'getReceiptDay',
  method: 'get',
  path: '/.well-known/receipts/:day',
  answer: z.object({ day, size: count, root: z.string(), signed_root: z.string() }),
  problems: ['not-found'],
  lane: 'reserved',
  run: async ({ gateway, params, headers }) => {
    const asked = params['day'] ?? '';
    const closed = calendarDay.safeParse(asked).success ? await gateway.stores.receipts.day(asked) : undefined;
    if (!closed)
      throw new Problem(
        'not-found',
        'This day has no root: it is not closed yet (days are closed after 00:10 UTC of the next day), no receipt was made on that day, or its root was lost with a backup.',
      );
    headers['cache-control'] = 'public, max-age=86400';
    const { jws, ...root } = closed;
    return { body: { ...root, signed_root: jws } };
  },
});
