import type { CutSignal } from '../../domain/cut.ts';
import { defined } from '../../domain/defined.ts';
import type { FaultKind } from '../../domain/fault-kind.ts';
import type { ProviderOffer, Terms } from '../../domain/offer.ts';
import type { Refusal } from '../../domain/refusal.ts';
import type { Answer, BuyAdapter, CallContext, CatalogueOption, Features } from '../../providers/spec.ts';
import type { Account } from '../../ports/accounts.ts';
import type { ProviderSession } from '../../ports/sessions.ts';
import { upstreamOf } from '../ramps.ts';
import { keepBlob, upstreamBlob } from '../upstream/blob.ts';
import type { Challenge } from '../sessions/begin-session.ts';
import { collectOffers, type Ask, type Asking, type Offering } from './collect-offers.ts';
import { exchangeTerms, keptTerms, readExchange, withListedLimits, type Exchange, type ExchangeRequest } from './exchange-terms.ts';
import { withinLimits } from './in-flight.ts';
import { notePrices } from './last-prices.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Provider } from '../../ports/providers.ts';
import type { StoredReply } from '../sessions/open-session.ts';
import { challengePlace, replyPlace } from '../places.ts';
import type { OpenSession } from '../sessions/read-session.ts';
import { storeRoute, type StoredOffers } from './store-route.ts';
import { isOpen, upstreamSession } from '../upstream/upstream-session.ts';
import type { Scope } from '../../ports/scope.ts';

/** Asks the buy providers for their prices, decides, and stores the route. /offers shows the whole route, /quote only the winner. */
export const priceBuy = async (scope: Scope, session: OpenSession, request: ExchangeRequest): Promise<StoredOffers> => {
  const { gateway } = scope;
  const exchange = await readExchange(scope, 'buy', request);
  const { asked, since } = exchange;
  const unreached = await unreachedInSession(gateway, session);
  const accounts = await accountsFor(gateway, session);
  const asks: Ask[] = [];
  for (const provider of gateway.providers) {
    if (provider.core.mode === 'off' || !provider.adapter.buy) continue;
    const ask = askOf(scope, session, provider, exchange, accounts.get(provider.id));
    const fault = unreached.get(provider.id);
    const unpaid = 'ask' in ask ? unpayable(provider, exchange) : undefined;
    if (unpaid) asks.push({ provider, terms: ask.terms, refusal: unpaid });
    else if (!('ask' in ask) || !provider.demandsProof || session.upstream.get(provider.id)?.ready === true) asks.push(ask);
    else if (fault !== undefined) asks.push({ provider, terms: ask.terms, fault });
    // Without a proof, nothing would be sent to the provider. The refusal is our own, and must not count as a quick answer from the provider.
    else asks.push({ provider, terms: ask.terms, refusal: { reason: 'proof-required' } });
  }
  const collected = await collectOffers(scope, {
    asked,
    asks: await withinLimits(gateway, 'buy', asks),
    session,
    maxWaitMs: request.max_wait_ms,
    since,
  });
  notePrices(gateway, asked, collected.route.offers);
  return await storeRoute(gateway, session, collected, keptTerms(exchange));
};

/**
 * Returns why the customer could not order at a provider that pushes its payouts: they did not say that they can name a destination, or named no kind
 * that the provider pays to. Only a customer who named such a kind is offered the provider's prices, so a wallet that knows nothing of pushed payouts
 * can order every offer that it gets. A shadow provider is asked all the same, because nobody is shown its prices.
 */
const unpayable = ({ core, adapter }: Provider, { payoutKinds }: Exchange): Refusal | undefined => {
  const paid = adapter.buy?.payoutKinds;
  if (paid === undefined || core.mode === 'shadow' || payoutKinds.some((kind) => paid.includes(kind))) return undefined;
  return { reason: payoutKinds.length === 0 ? 'payout-required' : 'payout-unsupported' };
};

/** Adds what the gateway knows about how the sats are handed over. */
const withPayout = (offer: ProviderOffer, { payoutKinds: paid }: BuyAdapter, { payoutKinds }: Exchange, features: Features): ProviderOffer => {
  const facts = { ...offer.facts, on_chain_fallback: features.on_chain_fallback };
  if (paid === undefined) return { ...offer, facts };
  const kinds = paid.filter((kind) => payoutKinds.includes(kind));
  return { ...offer, facts: { ...facts, payout_kinds: kinds }, requires: [...new Set([...offer.requires, 'payout' as const])] };
};

/**
 * Returns the faults of providers that demand a proof but could not be reached or used when the session was opened: either at GET /verify, so that
 * the provider has no token in this session, or at POST /session, where the proof was given but the upstream session was only begun. Neither is the
 * customer's fault.
 */
const unreachedInSession = async (gateway: Gateway, session: OpenSession): Promise<Map<string, FaultKind>> => {
  const closed = gateway.providers.filter((provider) => provider.demandsProof && provider.adapter.buy && session.upstream.get(provider.id)?.ready !== true);
  if (closed.length === 0 || gateway.settings.proof_of_ownership === 'never') return new Map();
  const { tokens, notAsked = [], refused = [] } = JSON.parse(await gateway.seal.open(session.challenge, challengePlace(session.idHash))) as Challenge;
  const reply = session.openedReply === undefined ? '{}' : await gateway.seal.open(session.openedReply, replyPlace(session.idHash));
  const { proven = [], unusable = [] } = JSON.parse(reply) as Partial<StoredReply>;
  const unreached = closed.filter(({ id }) => unusable.includes(id) || (session.upstream.has(id) ? proven.includes(id) : !Object.hasOwn(tokens, id)));
  return new Map(
    unreached.map(({ id }) => [id, refused.includes(id) || unusable.includes(id) ? 'malformed' : notAsked.includes(id) ? 'gateway-busy' : 'unreachable']),
  );
};

/**
 * Returns the customer's connected accounts at providers that sell bitcoin by account, keyed by provider id. Reads nothing if there is no such
 * provider.
 */
const accountsFor = async (gateway: Gateway, session: OpenSession): Promise<Map<string, Account>> => {
  const byAccount = new Set(gateway.providers.flatMap((one) => (one.core.mode !== 'off' && upstreamOf(one, 'buy') === 'account' ? [one.id] : [])));
  if (byAccount.size === 0) return new Map();
  // An account that has to be reconnected cannot be used for an order, so its provider is asked without it.
  const usable = (await gateway.stores.accounts.list(session.customerId)).filter((one) => one.status === 'connected' && byAccount.has(one.providerId));
  return new Map(usable.map((account) => [account.providerId, account]));
};

/**
 * The credentials with which a provider is asked: the id of the upstream session or account, and its blob. Empty if the provider sells by account and
 * the customer has none.
 */
type Credentials = { id?: string; blob?: string };
const credentialsOf = (
  scope: Scope,
  session: OpenSession,
  provider: Provider,
  signal: CutSignal,
  using: { account: Account | undefined; known: ProviderSession | undefined },
): Promise<Credentials | { refusal: Refusal }> => {
  const { account, known } = using;
  if (upstreamOf(provider, 'buy') !== 'account') return upstreamSession(scope, session.idHash, provider, { signal, known });
  return account ? ofAccount(scope.gateway, account) : Promise.resolve({});
};
const ofAccount = async (gateway: Gateway, { id }: Account): Promise<Credentials> => ({ id, ...defined({ blob: await upstreamBlob(gateway, id) }) });

const askOf = (scope: Scope, session: OpenSession, provider: Provider, exchange: Exchange, account: Account | undefined): Ask => {
  const { gateway } = scope;
  const offered = exchangeTerms(gateway, provider, exchange);
  if (!('option' in offered)) return offered;
  const adapter = provider.adapter.buy;
  if (!adapter) throw new Error(`${provider.id} has no adapter for buy`);
  const stored = session.upstream.get(provider.id);
  return {
    provider,
    terms: offered.terms,
    opensSession: upstreamOf(provider, 'buy') === 'session' && (!isOpen(stored, gateway.now()) || stored.unsettled === true),
    // Whatever this function refers to stays in memory until the provider answers, for every provider of every request in progress. So its steps are
    // functions of their own.
    ask: async (call): Promise<Asking> => {
      let known = session.upstream.get(provider.id);
      for (let tries = 0; ; tries += 1) {
        const upstream = await credentialsOf(scope, session, provider, call.signal, { account, known });
        if ('refusal' in upstream) return upstream;
        const context = upstream.blob === undefined ? call : { ...call, customer: upstream.blob };
        const answers =
          offered.others.length === 0
            ? answerOf(offered, await quoteOf(adapter, context, exchange, offered))
            : await answersOf([offered, ...offered.others], (tier) => quoteOf(adapter, context, exchange, tier));
        // An emptied blob means that the upstream session has ended. We open a new session once for this request.
        const changed = changeIn(answers);
        if (changed !== undefined) await noteChange(gateway, account, upstream, changed);
        const best = bestOf(answers);
        if (best) return toOffering(best, withPayout(best.offer, adapter, exchange, offered.listing.features), upstream.id);
        if (changed !== '' || provider.demandsProof || account || tries > 0)
          return { refusal: withListedLimits(gateway, exchange.asked, { providerId: provider.id, option: offered.option }, refusalIn(answers)) };
        known = undefined;
      }
    },
  };
};

const toOffering = ({ tier: { option, terms } }: { tier: Tier }, offer: ProviderOffer, sessionId: string | undefined): Offering => ({
  offer,
  ...(sessionId === undefined ? {} : { sessionId }),
  option,
  terms,
});

/** Stores an account's changed credentials. A session whose credentials have changed is not used again. */
const noteChange = async (gateway: Gateway, account: Account | undefined, { id, blob: used }: Credentials, now: string): Promise<void> => {
  if (id === undefined) return;
  if (account) await keepBlob(gateway, account.id, { used, now });
  else await gateway.stores.sessions.retireUpstream(id, gateway.now());
};

/** One of a provider's options that accept the amount. */
type Tier = { option: CatalogueOption; terms: Terms };
type TierAnswer = { tier: Tier; answer: Answer<ProviderOffer> };

const quoteOf = (adapter: BuyAdapter, context: CallContext, { asked, country }: Exchange, { option }: Tier): Promise<Answer<ProviderOffer>> =>
  adapter.quote(context, { ramp: 'buy', fixed: asked.fixed, amount: asked.amount, ...(country === undefined ? {} : { country }), option });

const answerOf = (tier: Tier, answer: Answer<ProviderOffer>): TierAnswer[] => [{ tier, answer }];

/** Asks for several tiers at the same time. Returns the answers in the same sequence. Failed calls are left out; throws only if all failed. */
const answersOf = async (tiers: readonly Tier[], ask: (tier: Tier) => Promise<Answer<ProviderOffer>>): Promise<TierAnswer[]> => {
  const asking = tiers.map(async (tier): Promise<TierAnswer> => ({ tier, answer: await ask(tier) }));
  const answers = (await Promise.allSettled(asking)).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  return answers.length > 0 ? answers : await Promise.all(asking);
};

/** Returns the best of one provider's offers for the same request, or the first of several that are equally good. */
const bestOf = (answers: readonly TierAnswer[]): { tier: Tier; offer: ProviderOffer } | undefined => {
  let best: { tier: Tier; offer: ProviderOffer } | undefined;
  for (const { tier, answer } of answers)
    if (answer.ok && (!best || answer.value.receive * best.offer.pay > best.offer.receive * answer.value.pay)) best = { tier, offer: answer.value };
  return best;
};

/** Returns the credentials that replace those that were used, if an answer has any. */
const changeIn = (answers: readonly TierAnswer[]): string | undefined => answers.find(({ answer }) => answer.customer !== undefined)?.answer.customer;

const refusalIn = (answers: readonly TierAnswer[]): Refusal => {
  const [refusal = { reason: 'declined' as const }] = answers.flatMap(({ answer }) => (answer.ok ? [] : [answer.refusal]));
  return refusal;
};
