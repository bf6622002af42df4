import type { Json as AnyJson } from '../../domain/offer.ts';
import type { FaultKind } from '../../domain/fault-kind.ts';
import { isSafe } from '../../domain/money.ts';
import { normalForm } from '../../domain/option-name.ts';
import { printableName } from '../../domain/printable.ts';
import type { PaymentMethod, Ramp } from '../../domain/ramp.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { ProviderFault } from '../../providers/fault.ts';
import type { Answer, CallContext, Catalogue, CatalogueOption, Features } from '../../providers/spec.ts';
import { adapterOf } from '../upstream/provider-of.ts';
import { callProvider } from '../upstream/call-provider.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Json } from '../../ports/runtime.ts';
import type { OptionNumber } from '../../ports/catalogue.ts';
import type { Provider } from '../../ports/providers.ts';
import { listingToJson } from './products.ts';
import { optionFromJson, optionToJson } from './option-json.ts';
import { boundedOptions, withinDailyNames } from './bounded.ts';
import { withTier } from './tiers.ts';
import { Problem } from '../problem.ts';
import { gatewayOwner, upstreamSession } from '../upstream/upstream-session.ts';
import type { Scope } from '../../ports/scope.ts';
import { defect } from '../../ports/defect.ts';
import { isStorageDown } from '../../ports/storage-down.ts';
import { isRecent } from '../../domain/is-recent.ts';

/**
 * One provider's listing, keyed by the gateway's own numbers for options. A number stands for a currency and a name, and leads to all options that
 * this provider lists under them, the lowest listed fee first.
 */
export type ProviderListing = { options: Map<number, CatalogueOption[]>; names: Map<number, string>; features: Features; readOn: number };
export type CatalogueView = { numbers: Map<number, OptionNumber>; byProvider: Map<string, ProviderListing> };

/**
 * Returns an option's name in the spelling that is most common among the providers that list it now. In a tie, the provider that comes first in the
 * configuration decides, not the one that listed the option first.
 */
export const optionName = ({ byProvider }: CatalogueView, number: OptionNumber): string => {
  const counts = new Map<string, number>();
  let best: string | undefined;
  for (const { names } of byProvider.values()) {
    const name = names.get(number.id);
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  for (const [name, count] of counts) if (best === undefined || count > (counts.get(best) ?? 0)) best = name;
  return best ?? printableName(number.name) ?? number.normalName;
};

/**
 * Throws a Problem if no listing of the ramp's providers is known yet (`isKnown` is false): an empty list would mean that no provider offers
 * anything.
 */
export const refuseUnlisted = (gateway: Gateway, ramp: Ramp, isKnown: boolean): void => {
  if (!isKnown && gateway.providers.some((provider) => provider.core.mode !== 'off' && provider.ramps.includes(ramp)))
    throw new Problem('temporary-reduced-capacity', 'No provider has listed its options yet. Try again in a moment.', { retryAfterMs: 1000 });
};

const ourName = (provider: Provider, theirs: string): string => {
  const wanted = normalForm(theirs);
  const alias = Object.entries(provider.core.option_aliases).find(([from]) => normalForm(from) === wanted);
  return alias ? alias[1] : theirs;
};

export const methodOf = (gateway: Gateway, provider: Provider, normalName: string): PaymentMethod => {
  const own = Object.entries(provider.core.option_methods).find(([name]) => normalForm(name) === normalName);
  return own?.[1] ?? gateway.settings.routing.option_methods[normalName] ?? 'bank_transfer';
};

/**
 * Returns the listings of a ramp's providers, except those that are off. A listing is fresh for `fresh_s`. An older listing is still used, and is
 * read again in the background. If it is older than `stale_s`, the request waits for the new one, but at most `maxWaitMs` (by default, the deadline
 * for quotes). A provider without a listing is not asked for prices. A read that failed is repeated in the background, so only the first request
 * waits for a provider that hangs.
 */
export const readCatalogue = async (scope: Scope, ramp: Ramp, maxWaitMs?: number): Promise<CatalogueView> => {
  const { gateway } = scope;
  await freshListings(scope, ramp, maxWaitMs);
  return view(gateway, ramp);
};

/** Waits for listings that are too old to use, and reads slightly old ones again in the background. */
export const freshListings = async (scope: Scope, ramp: Ramp, maxWaitMs?: number): Promise<void> => {
  const { gateway } = scope;
  const { state, settings } = gateway;
  if (state.listings.size === 0) await loadStored(gateway);
  const now = gateway.now();
  const waiting: Promise<void>[] = [];
  for (const provider of gateway.providers) {
    if (provider.core.mode === 'off' || !provider.ramps.includes(ramp)) continue;
    const known = state.listings.get(key(provider.id, ramp));
    const readOn = known?.readOn ?? -Infinity;
    if (isRecent(readOn, now, settings.catalogue.fresh_s * 1000) || (known?.failed && isRecent(known.failed.on, now, retryMs))) continue;
    const refresh = refreshListing(scope, provider, ramp);
    gateway.background(refresh);
    if (now - readOn > settings.catalogue.stale_s * 1000 && known?.failed === undefined) waiting.push(refresh);
  }
  if (waiting.length > 0) await gateway.waitAtMost(Promise.all(waiting), maxWaitMs ?? settings.routing.quote_deadline_ms);
};

const retryMs = 5_000;
const keys = new Map<Ramp, Map<string, string>>();
/**
 * Returns the key of a listing. Keys are cached, because each request looks up every provider, and each newly made string would have to be hashed
 * again.
 */
const key = (providerId: string, ramp: Ramp): string => {
  const ofRamp = keys.get(ramp) ?? new Map<string, string>();
  keys.set(ramp, ofRamp);
  const made = ofRamp.get(providerId) ?? `${ramp} ${providerId}`;
  ofRamp.set(providerId, made);
  return made;
};

const loadStored = async (gateway: Gateway): Promise<void> => {
  const rows = await gateway.stores.catalogue.listings();
  // Numbers and listings are loaded together, because the options of a listing cannot be requested without their numbers.
  gateway.state.numbers = await gateway.stores.catalogue.numbers();
  for (const row of rows) gateway.state.listings.set(key(row.providerId, row.ramp), { listing: row.listing, readOn: row.readOn });
};

/** Reads a listing; parallel calls for one provider share the same read. Never throws: a failure is kept next to the old listing. */
const refreshListing = (scope: Scope, provider: Provider, ramp: Ramp): Promise<void> => {
  const { gateway } = scope;
  const name = key(provider.id, ramp);
  const running = gateway.flights.refreshing.get(name);
  if (running) return running;
  // All customers use the listing, so reading it does not count against the budget of the caller who happens to come first.
  const reading = readListing({ ...scope, network: undefined }, provider, ramp)
    .catch((fault: unknown) => {
      // Our own database failed. That says nothing about the provider, so its listing stays as it was.
      if (isStorageDown(fault)) return;
      const why = fault instanceof ListingRefused ? { refusal: fault.refusal } : { fault: fault instanceof ProviderFault ? fault.kind : ('server' as const) };
      const known = gateway.state.listings.get(name);
      gateway.state.listings.set(name, { listing: known?.listing ?? null, readOn: known?.readOn ?? -Infinity, failed: { ...why, on: gateway.now() } });
      if (!(fault instanceof ProviderFault || fault instanceof ListingRefused))
        defect(gateway.log, 'catalogue', fault, { request_id: scope.requestId, provider: provider.id });
    })
    .finally(() => gateway.flights.refreshing.delete(name));
  gateway.flights.refreshing.set(name, reading);
  return reading;
};

const readListing = async (scope: Scope, provider: Provider, ramp: Ramp): Promise<void> => {
  const { gateway } = scope;
  const listing = await askFor[ramp](scope, provider);
  const readOn = gateway.now();
  await gateway.stores.catalogue.saveListing({ providerId: provider.id, ramp, listing, readOn });
  gateway.state.listings.set(key(provider.id, ramp), { listing, readOn });
};

/** Reads each ramp's listing, and returns it in its stored form. */
const askFor: Record<Ramp, (scope: Scope, provider: Provider) => Promise<Json>> = {
  buy: async (scope, provider) => {
    const { sessions } = scope.gateway.stores;
    const adapter = adapterOf(provider, 'buy');
    return await askOptions(scope, provider, 'buy', async (context) => {
      if (adapter.byAccount === true) return await adapter.catalogue(context);
      const known = await sessions.findUpstream(gatewayOwner, provider.id);
      const upstream = await upstreamSession(scope, gatewayOwner, provider, { signal: context.signal, known });
      if ('refusal' in upstream) return { ok: false, refusal: upstream.refusal };
      const answer = await adapter.catalogue({ ...context, customer: upstream.blob });
      if (answer.customer !== undefined) await sessions.retireUpstream(upstream.id, scope.gateway.now());
      return answer;
    });
  },
  sell: async (scope, provider) => {
    const adapter = adapterOf(provider, 'sell');
    return await askOptions(scope, provider, 'sell', async (context) => await adapter.catalogue(context));
  },
  // A liquidity listing has no options, so nothing needs a number.
  liquidity: async (scope, provider) => {
    const adapter = adapterOf(provider, 'liquidity');
    return listingToJson(await askListing(scope, provider, async (context) => await adapter.catalogue(context)));
  },
};

const askOptions = async (scope: Scope, provider: Provider, ramp: Ramp, ask: (context: CallContext) => Promise<Answer<Catalogue>>): Promise<Json> => {
  const catalogue = boundedOptions(scope.gateway, provider, await askListing(scope, provider, ask));
  await numberOptions(scope.gateway, provider, ramp, catalogue);
  return toJson(catalogue);
};

const askListing = async <T>(scope: Scope, provider: Provider, ask: (context: CallContext) => Promise<Answer<T>>): Promise<T> => {
  const deadlineMs = scope.gateway.settings.routing.quote_deadline_ms;
  const options = { operation: 'quote', verb: 'catalogue', deadlineMs, idempotent: true, isOwn: true } as const;
  const answer = await callProvider(scope, provider, options, ask);
  if (answer.ok) return answer.value;
  // This refusal is not about the customer's request and may be temporary, so it counts as a fault.
  if (answer.refusal.reason === 'declined') throw new ProviderFault('server', 'no listing: declined');
  throw new ListingRefused(answer.refusal);
};

/**
 * Thrown when the provider answered, but refused to list its options. Requests for its prices are then refused for the same reason. Such a refusal is
 * not a fault of the provider's server.
 */
class ListingRefused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(`no listing: ${refusal.reason}`);
    this.refusal = refusal;
  }
}

const nameOf = ({ currencyCode, normalName }: Pick<OptionNumber, 'currencyCode' | 'normalName'>): string => `${currencyCode}\n${normalName}`;

const numberOptions = async (gateway: Gateway, provider: Provider, ramp: Ramp, catalogue: Catalogue): Promise<void> => {
  gateway.state.numbers ??= await gateway.stores.catalogue.numbers();
  const { byName } = indexOf(gateway.state.numbers, ramp);
  const wanted = new Map<string, Parameters<typeof gateway.stores.catalogue.number>[0][number]>();
  for (const option of catalogue.options) {
    const name = ourName(provider, option.name);
    const number = { ramp, currencyCode: option.currency.toUpperCase(), normalName: normalForm(name), name };
    if (!byName.has(nameOf(number))) wanted.set(nameOf(number), number);
  }
  if (wanted.size === 0) return;
  const given = await gateway.stores.catalogue.number(withinDailyNames(gateway, provider.id, [...wanted.values()]));
  // Other listings may have got numbers in the meantime.
  const known = new Map([...gateway.state.numbers, ...given].map((number) => [number.id, number]));
  gateway.state.numbers = [...known.values()];
};

type Built = { of: unknown; numbers: unknown; view: ProviderListing };
const views = new WeakMap<object, Map<string, Built>>();
type Index = { byId: Map<number, OptionNumber>; byName: Map<string, number> };
const indexes = new WeakMap<OptionNumber[], Map<Ramp, Index>>();

/** Returns the numbers of one ramp by id and by name. They are cached until they change. */
const indexOf = (all: OptionNumber[], ramp: Ramp): Index => {
  const ofRamps = indexes.get(all) ?? new Map<Ramp, Index>();
  indexes.set(all, ofRamps);
  const known = ofRamps.get(ramp);
  if (known) return known;
  const mine = all.filter((number) => number.ramp === ramp);
  const index = { byId: new Map(mine.map((number) => [number.id, number])), byName: new Map(mine.map((number) => [nameOf(number), number.id])) };
  ofRamps.set(ramp, index);
  return index;
};

/** Builds the view from the listings in memory. Each provider's part is cached until its listing or the numbers change. */
const view = (gateway: Gateway, ramp: Ramp): CatalogueView => {
  const cache = views.get(gateway.state) ?? new Map<string, Built>();
  views.set(gateway.state, cache);
  const all = gateway.state.numbers ?? none;
  const { byId: numbers, byName } = indexOf(all, ramp);
  const oldest = gateway.now() - gateway.settings.catalogue.stale_s * 1000;
  const byProvider = new Map<string, ProviderListing>();
  for (const provider of gateway.providers) {
    const name = key(provider.id, ramp);
    const known = gateway.state.listings.get(name);
    if (!known?.listing || known.readOn < oldest || provider.core.mode === 'off') continue;
    const cached = cache.get(name);
    if (cached && cached.of === known && cached.numbers === all) byProvider.set(provider.id, cached.view);
    else {
      const built = buildListing(provider, fromJson(known.listing), known.readOn, byName);
      cache.set(name, { of: known, numbers: all, view: built });
      byProvider.set(provider.id, built);
    }
  }
  return { numbers, byProvider };
};
const none: OptionNumber[] = [];

const buildListing = (provider: Provider, catalogue: Catalogue, readOn: number, byName: Map<string, number>): ProviderListing => {
  const options = new Map<number, CatalogueOption[]>();
  const names = new Map<number, string>();
  for (const option of catalogue.options) {
    const name = ourName(provider, option.name);
    const id = byName.get(nameOf({ currencyCode: option.currency.toUpperCase(), normalName: normalForm(name) }));
    if (id === undefined) continue;
    options.set(id, withTier(options.get(id) ?? [], withoutAbsurdLimits(option)));
    if (!names.has(id)) names.set(id, name);
  }
  return { options, names, features: catalogue.features, readOn };
};

/** Returns why a provider of the ramp has no usable listing, for `refused` or `failed`. */
export const whyUnlisted = (gateway: Gateway, provider: Provider, ramp: Ramp): { refusal: Refusal } | { fault: FaultKind } => {
  const name = key(provider.id, ramp);
  const failed = gateway.state.listings.get(name)?.failed;
  if (failed && 'refusal' in failed) return { refusal: failed.refusal };
  return { fault: failed?.fault ?? (gateway.flights.refreshing.has(name) ? 'timeout' : 'unreachable') };
};

const toJson = (catalogue: Catalogue): Json => ({ features: { ...catalogue.features }, options: catalogue.options.map(optionToJson) });

const fromJson = (json: Json): Catalogue => {
  const stored = json as { features: Features; options: AnyJson[] };
  return { features: stored.features, options: stored.options.map(optionFromJson) };
};

/** Drops limits that are negative or too large for a JSON integer. Such a listing is wrong; the provider itself still refuses what it has to. */
const withoutAbsurdLimits = ({ minFiat, maxFiat, ...option }: CatalogueOption): CatalogueOption => ({
  ...option,
  ...(minFiat === undefined || !isSafe(minFiat) || minFiat < 0n ? {} : { minFiat }),
  ...(maxFiat === undefined || !isSafe(maxFiat) || maxFiat < 0n ? {} : { maxFiat }),
});
