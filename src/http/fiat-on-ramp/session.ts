import { z } from '@hono/zod-openapi';
import { openSession } from '../../gateway/sessions/open-session.ts';
import { endpoint } from '../call.ts';
import { sessionId, text, time } from '../shapes.ts';

export const session = endpoint({
  method: 'post',
  path: '/session',
  tag: 'FLS01',
  summary: 'Open the session, with proof of ownership if demanded',
  body: z.object({
    session_id: sessionId,
    signature: z.string().max(1000).optional().openapi({ description: 'z-base-32 signature over `token`; any text if there was no token' }),
    signatures: z
      .record(z.string().max(64), z.string().max(1000))
      .optional()
      .openapi({ description: 'By provider id or `gateway`, over the token of that name in `tokens`' }),
    node_pubkey: z.string().max(200).optional().openapi({ description: 'The 33-byte compressed node key, hex' }),
    app_id: text(128).optional(),
    recovery_secret: z.string().min(20).max(200).optional().openapi({ description: 'From an earlier /session: opens the orders of that customer' }),
  }),
  answer: z.object({
    session_id: sessionId,
    app_id: z.string().optional(),
    expires_on: time,
    recovery_secret: z.string().optional().openapi({
      description:
        'A new customer gets it only in the reply that opens their first session (the same body within ten minutes gets that reply again). Keep it: without a proven key, nothing else opens their orders once the session is lost.',
    }),
    proven: z.array(z.string()).openapi({ description: 'The ids whose tokens were proved' }),
  }),
  problems: ['ownership-proof-failed', 'session-settled', 'customer-conflict', 'rate-limited'],
  lane: 'quotes',
  run: async ({ scope, limit }, body) => {
    await limit('sessions');
    return { body: await openSession(scope, body) };
  },
});
