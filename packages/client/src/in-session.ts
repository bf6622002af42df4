import type { Call, CallOptions } from './call.ts';
import { RampError } from './error.ts';
import type { Sessions } from './session.ts';
import type { Answer, Asked, PostPath } from './words.ts';

export type InSession = <Path extends PostPath>(path: Path, body: Asked<Path>, options?: CallOptions) => Promise<Answer<Path>>;

/** Calls in the customer's session, and once more in a new session if the gateway asks for one. */
export const createInSession =
  (call: Call, sessions: Sessions, hasNode: boolean): InSession =>
  async (path, body, options) => {
    const session_id = await sessions.current();
    try {
      return await call.post(path, { session_id, ...body }, options);
    } catch (error) {
      const isOver = error instanceof RampError && (error.action === 'reopen-session' || isNoToken(error));
      // Without a node, no session will be proven.
      if (!isOver || (error.code === 'proof-required' && !hasNode)) throw error;
      return await call.post(path, { ...body, session_id: await sessions.reopen(session_id) }, options);
    }
  };

/** The store held something that was never a session's token. */
const isNoToken = ({ problem }: RampError): boolean =>
  Array.isArray(problem?.['errors']) && problem['errors'].some(({ pointer }: { pointer?: unknown }) => pointer === '/session_id');
