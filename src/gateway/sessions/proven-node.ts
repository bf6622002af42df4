import { nodeKeyPlace } from '../places.ts';
import { Problem } from '../problem.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { OpenSession } from './read-session.ts';

/** The session's proven key, and no other: we ask for prices in its name, and sellers count who asks. */
export const provenNode = async (gateway: Gateway, session: OpenSession, named: string | undefined): Promise<string | undefined> => {
  const proven = session.nodePubkey === undefined ? undefined : await gateway.seal.open(session.nodePubkey, nodeKeyPlace(session.idHash));
  if (named !== undefined && named.toLowerCase() !== proven)
    throw new Problem('proof-required', 'Liquidity is only for the node that this session has proved. Open a session with its key.');
  return proven;
};
