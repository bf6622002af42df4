import { z } from '@hono/zod-openapi';
import { openSession } from '../../gateway/sessions/open-session.ts';
import { endpoint } from '../call.ts';
import { sessionId, text, time } from '../shapes.ts';

export const session = endpoint({
  method: 'post',
  path: '/session',
  tag: 'FLS01',
  summary: 'Open the session, with proof of ownership where it is wanted',
  body: z.object({
    session_id: sessionId,
    signature: z.string().max(1000).optional().openapi({ description: 'z-base-32 signature over `token`; anything where there was none' }),
    signatures: z
      .record(z.string().max(64), z.string().max(1000))
      .optional()
      .openapi({ description: 'By provider id or `gateway`, over the token of that name in `tokens`' }),
    node_pubkey: z.string().max(200).optional().openapi({ description: 'The 33-byte compressed node key, hex' }),
    app_id: text(128).optional(),
    recovery_secret: z.string().min(20).max(200).optional().openapi({ description: 'From an earlier /session: opens what that customer owns' }),
  }),
  answer: z.object({
    session_id: sessionId,
    app_id: z.string().optional(),
    expires_on: time,
    recovery_secret: z.string().optional().openapi({
      description:
        'Given to a new customer in the reply that opens his first session (the same body again within ten minutes gets that reply again), never later. Keep it: without a proven key nothing else opens his orders once the session is lost.',
    }),
    proven: z.array(z.string()).openapi({ description: 'Whose tokens were proven' }),
  }),
  problems: ['ownership-proof-failed', 'session-settled', 'customer-conflict', 'rate-limited'],
  lane: 'quotes',
  run: async ({ scope, limit }, body) => {
    await limit('sessions');
    return { body: await openSession(scope, body) };
  },
});
