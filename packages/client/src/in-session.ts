import type { Call, CallOptions } from './call.ts';
import { isAbout, RampError } from './error.ts';
import type { SessionId } from './session.ts';
import type { Answer, Asked, PostPath } from './words.ts';

export type InSession = <Path extends PostPath>(path: Path, body: Asked<Path>, options?: CallOptions) => Promise<Answer<Path>>;

/** Creates a function that calls the gateway in the customer's session, and once more in a new session if the gateway asks for one. */
export const createInSession =
  (call: Call, sessionId: SessionId, hasNode: boolean): InSession =>
  async (path, body, options) => {
    const session_id = await sessionId();
    try {
      return await call.post(path, { session_id, ...body }, options);
    } catch (error) {
      // If the gateway rejects the form of the session id, the store held something that never was one.
      const isOver = error instanceof RampError && (error.action === 'reopen-session' || isAbout(error, '/session_id'));
      // Without a node, a new session would not be proven either.
      if (!isOver || (error.code === 'proof-required' && !hasNode)) throw error;
      return await call.post(path, { ...body, session_id: await sessionId(session_id) }, options);
    }
  };
