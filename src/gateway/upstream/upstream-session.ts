import type { CutSignal } from '../../domain/cut.ts';
import type { Refusal } from '../../domain/refusal.ts';
import type { BuyAdapter, CallContext, Proof } from '../../providers/spec.ts';
import { blobPlace } from '../places.ts';
import { takeFromBudget } from './open-budget.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Scope } from '../../ports/scope.ts';
import type { Provider } from '../../ports/providers.ts';
import type { ProviderSession } from '../../ports/sessions.ts';
import { isRecent } from '../../domain/is-recent.ts';

/** The owner of the upstream sessions that the gateway uses to read listings. */
export const gatewayOwner = 'gateway';

export type Upstream = { id: string; blob: string };

/** `known`: the row that is stored for the owner. `isAhead`: nobody waits for the session yet. */
type Using = { signal: CutSignal; known?: ProviderSession | undefined; isAhead?: boolean };

/** Returns whether a stored session is open: ready, and not expired. */
export const isOpen = (row: ProviderSession | undefined, now: number): row is ProviderSession & { blob: string } =>
  row?.ready === true && row.blob !== undefined && (row.expiresOn ?? Infinity) > now;

/**
 * Returns the upstream session of one owner at one provider: the session in use, or a new one. Only one call opens a new session: across instances,
 * an INSERT … ON CONFLICT takes the row; within an instance, calls share a promise. A session with an unresolved order attempt is used for no new
 * quotes, because the session's list of orders must show which order that attempt made. If the provider demands a proof, this function refuses until
 * the attempt is resolved.
 */
export const upstreamSession = (scope: Scope, owner: string, provider: Provider, using: Using): Promise<Upstream | { refusal: Refusal }> => {
  const { gateway } = scope;
  const { known } = using;
  const now = gateway.now();
  if (isOpen(known, now)) {
    const { id } = known;
    if (!known.unsettled) return gateway.seal.open(known.blob, blobPlace(id)).then((blob) => ({ id, blob }));
    if (provider.demandsProof) return Promise.resolve({ refusal: { reason: 'order-pending' } });
  }
  if (provider.demandsProof && owner !== gatewayOwner) return Promise.resolve({ refusal: { reason: 'proof-required' } });
  const key = `${owner} ${provider.id}`;
  const running = gateway.flights.opening.get(key) as Promise<Upstream | { refusal: Refusal }> | undefined;
  if (running) return running;
  const opening = openUpstream(scope, owner, provider, using).finally(() => gateway.flights.opening.delete(key));
  gateway.flights.opening.set(key, opening);
  return opening;
};

const openUpstream = async (scope: Scope, owner: string, provider: Provider, { signal, known, isAhead }: Using): Promise<Upstream | { refusal: Refusal }> => {
  const { gateway, requestId } = scope;
  const adapter = provider.adapter.buy;
  if (!adapter) throw new Error(`${provider.id} has no upstream sessions`);
  const { sessions } = gateway.stores;
  const now = gateway.now();
  if (known && (known.ready || !isRecent(known.claimedOn, now, claimPatienceMs))) await sessions.retireUpstream(known.id, now);
  const id = gateway.ids.uuid();
  const claim = async (): Promise<boolean> => await sessions.claimUpstream({ id, owner, providerId: provider.id, now });
  if (!(await claim())) {
    const other = await awaitOther(gateway, owner, provider, signal);
    if (other !== 'failed') return other;
    if (!(await claim())) return busy;
  }
  try {
    // All customers use the listing, so the session that reads it does not count against the budget: many new sessions must not stop us from reading
    // it.
    if (owner !== gatewayOwner) takeFromBudget(scope, provider, isAhead ? 'half' : 'all');
    const opened = await openAt(adapter, { signal, requestId });
    if ('refusal' in opened) {
      await sessions.retireUpstream(id, gateway.now());
      return opened;
    }
    await sessions.saveUpstream(id, { blob: await gateway.seal.seal(opened.blob, blobPlace(id)), ready: true, expiresOn: opened.expiresOn });
    return { id, blob: opened.blob };
  } catch (fault) {
    await sessions.retireUpstream(id, gateway.now());
    throw fault;
  }
};

/** Begins and opens a session in one go, for providers that demand no proof and for the gateway's own session. */
const openAt = async (adapter: BuyAdapter, context: CallContext): Promise<{ blob: string; expiresOn: number } | { refusal: Refusal }> => {
  const begun = await adapter.beginSession(context);
  if (!begun.ok) return { refusal: begun.refusal };
  return await openBegun(adapter, { ...context, customer: begun.customer ?? '' });
};

export const openBegun = async (
  adapter: BuyAdapter,
  context: CallContext,
  proof?: Proof,
): Promise<{ blob: string; expiresOn: number } | { refusal: Refusal }> => {
  const opened = await adapter.openSession(context, proof);
  if (!opened.ok) return { refusal: opened.refusal };
  return { blob: opened.customer ?? context.customer ?? '', expiresOn: opened.value.expiresOn };
};

const claimPatienceMs = 10_000;
const pollMs = 40;

const busy = { refusal: { reason: 'busy' } } as const;

/**
 * Waits for the row of another instance, or on Workers another request, that is opening the same session. Returns the refusal `busy` if the row does
 * not become ready in time, and `failed` if that opening failed.
 */
const awaitOther = async (gateway: Gateway, owner: string, provider: Provider, signal: CutSignal): Promise<Upstream | { refusal: Refusal } | 'failed'> => {
  while (!signal.aborted) {
    await gateway.sleep(pollMs);
    const row = await gateway.stores.sessions.findUpstream(owner, provider.id);
    if (row?.ready && row.blob !== undefined) return { id: row.id, blob: await gateway.seal.open(row.blob, blobPlace(row.id)) };
    if (!row) return 'failed';
  }
  return busy;
};
