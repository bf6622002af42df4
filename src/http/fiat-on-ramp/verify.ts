import { z } from '@hono/zod-openapi';
import { beginSession } from '../../gateway/sessions/begin-session.ts';
import { endpoint } from '../call.ts';
import { sessionId, time } from '../shapes.ts';

export const verify = endpoint({
  method: 'get',
  path: '/verify',
  tag: 'FLS01',
  summary: 'Begin a session; tokens to sign where ownership of the node is to be proven',
  answer: z.object({ session_id: sessionId, token: z.string().optional(), tokens: z.record(z.string(), z.string()), expires_on: time }),
  problems: ['rate-limited'],
  lane: 'quotes',
  run: async ({ scope, ip, limit }) => {
    await limit('verify', networkOf(ip() ?? 'unknown'));
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

/** One customer line usually has a whole IPv6 /64. */
const networkOf = (ip: string): string => {
  if (!ip.includes(':')) return ip;
  const [head = '', tail = ''] = ip.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === '' ? [] : tail.split(':');
  const groups = ip.includes('::') ? [...front, ...Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0'), ...back] : front;
  return `${groups
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
};
