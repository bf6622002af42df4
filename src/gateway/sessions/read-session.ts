import { Problem } from '../problem.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Session } from '../../ports/sessions.ts';

/** An open session, which always has a customer. */
export type OpenSession = Session & { customerId: string };

const dayMs = 86_400_000;

/**
 * Reads the session of a request, which identifies the customer. `price` needs a session that has not ended. `owned` also accepts an ended session as
 * long as its customer has orders that still matter (for `sessions.owner_days` after their last event), because a paid order outlives its session.
 * Throws the same Problem for an unknown, unopened, ended or revoked session.
 */
export const readSession = async (gateway: Gateway, sessionId: string, purpose: 'price' | 'owned'): Promise<OpenSession> => {
  const now = gateway.now();
  const session = await gateway.stores.sessions.find(gateway.hash(sessionId));
  if (!session?.customerId || session.revokedOn !== undefined) throw sessionInvalid();
  const open: OpenSession = { ...session, customerId: session.customerId };
  if (open.expiresOn > now) {
    touch(gateway, open, now);
    return open;
  }
  if (purpose === 'owned' && (await gateway.stores.sessions.ownsOrders(open.customerId, now - gateway.settings.sessions.owner_days * dayMs))) return open;
  throw sessionInvalid();
};

export const sessionInvalid = (): Problem =>
  new Problem('session-invalid', 'The session is unknown, was never opened, or has ended. Start again with GET /verify and POST /session.');

/**
 * Extends a session, which lasts `ttl_s` after its last use. The row is written in the background, and only once a hundredth of `ttl_s` has passed
 * since the last write.
 */
const touch = (gateway: Gateway, session: OpenSession, now: number): void => {
  const ttlMs = gateway.settings.sessions.ttl_s * 1000;
  if (now - session.lastUsedOn > ttlMs / 100) gateway.background(gateway.stores.sessions.touch(session.idHash, now, now + ttlMs));
};
