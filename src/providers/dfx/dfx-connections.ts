/**
 * Connections: the bank accounts to which DFX pays the money of sales. DFX takes an IBAN with each order and has no connections itself, so these
 * exist only in the gateway, are active at once, and cost no call.
 */
import { readIban } from '../../banking/bank-account.ts';
import type { RefusalNote } from '../../domain/refusal.ts';
import type { AdapterDeps, Answer, ConnectionState, SellAdapter } from '../spec.ts';

const declined = (note: RefusalNote): Extract<Answer<never>, { ok: false }> => ({ ok: false, refusal: { reason: 'declined', note } });
const answer = <T>(value: T): Promise<Answer<T>> => Promise.resolve({ ok: true, value });

export const dfxConnections = (deps: AdapterDeps): NonNullable<SellAdapter['connections']> => ({
  create: async (_context, { name, direction, network, iban: given }) => {
    if (direction !== 'sell') return declined('connection-refused');
    if (network !== 'lightning') return declined('network-unsupported');
    const iban = given === undefined ? undefined : readIban(given);
    if (iban === undefined) return declined('iban-invalid');
    return await answer<ConnectionState>({
      upstreamId: deps.newId(),
      name: name.trim(),
      direction,
      network,
      status: 'active',
      upstream: {},
      iban,
      createdOn: deps.now(),
    });
  },
  confirm: async () => await Promise.resolve(declined('no-code-expected')),
  resend: async () => await Promise.resolve(declined('no-code-expected')),
  read: async (_context, connection) => await answer(connection),
  list: async () => await answer<ConnectionState[]>([]),
  cancel: async (_context, connection) => await answer<ConnectionState>({ ...connection, status: 'inactive' }),
});
