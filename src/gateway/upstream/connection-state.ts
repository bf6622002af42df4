import type { Connection } from '../../ports/accounts.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { ConnectionState } from '../../providers/spec.ts';
import { connectionStatePlace } from '../places.ts';

/** The statuses in which a connection is no longer used. */
export const over: ReadonlySet<string> = new Set(['failed', 'expired', 'inactive']);

/** Opens what the provider last said about a connection. Undefined if it has said nothing yet. */
export const openState = async (gateway: Gateway, connection: Connection): Promise<ConnectionState | undefined> =>
  connection.state === undefined ? undefined : (JSON.parse(await gateway.seal.open(connection.state, connectionStatePlace(connection.id))) as ConnectionState);
