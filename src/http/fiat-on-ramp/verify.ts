import * as z from 'zod';
import { beginSession } from '../../gateway/sessions/begin-session.ts';
import { endpoint } from '../call.ts';
import { sessionId, time } from '../shapes.ts';

export const verify = endpoint({
  id: 'beginSession',
  method: 'get',
  path: '/verify',
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
