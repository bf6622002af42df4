import { readSession } from '../../gateway/sessions/read-session.ts';
import type { Call } from '../call.ts';

/** Reads the session and counts a step towards an account or connection, because each step costs the provider an e-mail or a text message. */
export const stepSession = async (call: Call, sessionId: string) => {
  const session = await readSession(call.gateway, sessionId, 'price');
  await call.limit('account-steps', session.idHash);
  return session;
};
