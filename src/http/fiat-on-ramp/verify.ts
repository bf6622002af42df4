import { z } from '@hono/zod-openapi';
import { beginSession } from '../../gateway/sessions/begin-session.ts';
import { endpoint } from '../call.ts';
import { sessionId, time } from '../shapes.ts';

export const verify = endpoint({
  method: 'get',
  path: '/verify',
  tag: 'FLS01',
  summary: 'Begin a session; gives tokens to sign if ownership of the node must be proved',
  answer: z.object({ session_id: sessionId, token: z.string().optional(), tokens: z.record(z.string(), z.string()), expires_on: time }),
  problems: ['rate-limited'],
  lane: 'quotes',
  run: async ({ scope, limit }) => {
    await limit('verify');
    const begun = await beginSession(scope);
    return {
      body: {
        session_id: begun.sessionId,
        ...(begun.token === undefined ? {} : { token: begun.token }),
        tokens: begun.tokens,
        expires_on: new Date(begun.expiresOn).toISOString(),
      },
    };
  },
});
