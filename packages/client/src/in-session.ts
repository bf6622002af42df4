import type { Call, CallOptions } from './call.ts';
import { RampError } from './error.ts';
import type { Sessions } from './session.ts';
import type { Answer, Asked, PostPath } from './words.ts';

export type InSession = <Path extends PostPath>(path: Path, body: Asked<Path>, options?: CallOptions) => Promise<Answer<Path>>;

/** Creates a function that calls the gateway in the customer's session, and once more in a new session if the gateway asks for one. */
export const createInSession =
  (call: Call, sessions: Sessions, hasNode: boolean): InSession =>
  async (path, body, options) => {
    const session_id = await sessions.current();
    try {
      return await call.post(path, { session_id, ...body }, options);
    } catch (error) {
      const isOver = error instanceof RampError && (error.action === 'reopen-session' || isNoToken(error));
      // Without a node, a new session would not be proven either.
      if (!isOver || (error.code === 'proof-required' && !hasNode)) throw error;
      return await call.post(path, { ...body, session_id: await sessions.reopen(session_id) }, options);
    }
  };

/** Returns whether the gateway rejected the form of the session id: then the store held something that never was a session id. */
const isNoToken = ({ problem }: RampError): boolean =>
  Array.isArray(problem?.['errors']) && problem['errors'].some(({ pointer }: { pointer?: unknown }) => pointer === '/session_id');
