import { readSession } from '../../gateway/sessions/read-session.ts';
import type { Call } from '../call.ts';

/** The session of a step towards an account or a connection: steps cost the provider mails and text messages, so they are counted. */
export const stepSession = async (call: Call, sessionId: string) => {
  const session = await readSession(call.gateway, sessionId, 'price');
  await call.limit('account-steps', session.idHash);
  return session;
};
