import { z } from '@hono/zod-openapi';
import { Problem } from '../../gateway/problem.ts';
import { endpoint } from '../call.ts';

export const receiptKeys = endpoint({
  method: 'get',
  path: '/.well-known/receipt-keys',
  tag: 'Receipts',
  summary: 'The public keys of receipts and of their days: every key that ever signed one, for good',
  answer: z.object({
    keys: z.array(
      z.object({ kid: z.string(), kty: z.literal('OKP'), crv: z.literal('Ed25519'), use: z.literal('sig'), alg: z.literal('EdDSA'), x: z.string() }),
    ),
  }),
  problems: [],
  lane: 'free',
  run: async ({ gateway, headers }) => {
    headers['cache-control'] = 'public, max-age=300';
    const current = await gateway.receiptSigner.key();
    const kept = await gateway.stores.receipts.keys();
    return { body: { keys: [...kept.filter(({ kid }) => kid !== current.kid), current] } };
  },
});

const day = z.string().openapi({ example: '2026-11-28' });
export const receiptDay = endpoint({
  method: 'get',
  path: '/.well-known/receipts/:day',
  tag: 'Receipts',
  summary: 'The signed root over all receipts of a UTC day, once it is closed',
  answer: z.object({ day, size: z.int(), root: z.string(), signed_root: z.string() }),
  problems: ['not-found'],
  lane: 'reserved',
  run: async ({ gateway, params, headers }) => {
    const asked = params['day'] ?? '';
    const isDay = /^\d{4}-\d{2}-\d{2}$/.test(asked) && !Number.isNaN(Date.parse(asked));
    const closed = isDay ? await gateway.stores.receipts.day(asked) : undefined;
    if (!closed) throw new Problem('not-found', 'This day has no root: it is not closed yet (10 minutes past midnight UTC), or no receipt was made that day.');
    headers['cache-control'] = 'public, max-age=86400';
    const { jws, ...root } = closed;
    return { body: { ...root, signed_root: jws } };
  },
});
