import * as z from 'zod';
import { openSession } from '../../gateway/sessions/open-session.ts';
import { endpoint } from '../call.ts';
import { sessionId, text, time } from '../shapes.ts';

export const session = endpoint({
  id: 'openSession',
  method: 'post',
  path: '/session',
  body: z.object({
    session_id: sessionId,
    signature: z.string().max(1000).optional(),
    signatures: z.record(z.string().max(64), z.string().max(1000)).optional(),
    node_pubkey: z.string().max(200).optional(),
    app_id: text(128).optional(),
    recovery_secret: z.string().min(20).max(200).optional(),
  }),
  answer: z.object({
    session_id: sessionId,
    app_id: z.string().optional(),
    expires_on: time,
    recovery_secret: z.string().optional(),
    proven: z.array(z.string()),
  }),
  problems: ['ownership-proof-failed', 'session-settled', 'customer-conflict', 'rate-limited'],
  lane: 'quotes',
  run: async ({ scope, limit }, body) => {
    await limit('sessions');
    return { body: await openSession(scope, body) };
  },
});
