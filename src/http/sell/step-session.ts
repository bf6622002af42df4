import { readSession } from '../../gateway/sessions/read-session.ts';
import type { Call } from '../call.ts';

/**
 * Reads the session, and counts one step in setting up an account or connection. Steps are counted because one may cost the provider an e-mail or a
 * text message.
 */
export const stepSession = async (call: Call, sessionId: string) => {
  const session = await readSession(call.gateway, sessionId, 'price');
  await call.limit('account-steps', session.idHash);
  return session;
};

/** Reads the session of a customer, and counts a read of an account or connection, because the read may cause a call to the provider. */
export const readingSession = async (call: Call, sessionId: string) => {
  const session = await readSession(call.gateway, sessionId, 'owned');
  await call.limit('account-reads', session.idHash);
  return session;
};
