import { nodeKeyPlace } from '../places.ts';
import { Problem } from '../problem.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { OpenSession } from './read-session.ts';

/**
 * Returns the node key that the session has proved, if any. Throws if the request names a different node: we ask for prices in the node's name, and
 * sellers limit how often a node may ask.
 */
export const provenNode = async (gateway: Gateway, session: OpenSession, named: string | undefined): Promise<string | undefined> => {
  const proven = session.nodePubkey === undefined ? undefined : await gateway.seal.open(session.nodePubkey, nodeKeyPlace(session.idHash));
  if (named !== undefined && named.toLowerCase() !== proven)
    throw new Problem(
      'proof-required',
      proven === undefined
        ? 'This session has not proved the key in node_pubkey. Open a session with a signature of that node.'
        : 'node_pubkey is not the node key that this session has proved. Leave it out, or open a session with a signature of that node.',
    );
  return proven;
};
