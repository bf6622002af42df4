import { readSession } from '../../gateway/sessions/read-session.ts';
import type { Call } from '../call.ts';

/** Reads the session and counts a step towards an account or connection, because a step may cost the provider an e-mail or a text message. */
export const stepSession = async (call: Call, sessionId: string) => {
  const session = await readSession(call.gateway, sessionId, 'price');
  await call.limit('account-steps', session.idHash);
  return session;
};

/** Reads the session of a customer and counts a read of an account or connection, because a read may be a call to the provider. */
export const readingSession = async (call: Call, sessionId: string) => {
  const session = await readSession(call.gateway, sessionId, 'owned');
  await call.limit('account-reads', session.idHash);
  return session;
};
