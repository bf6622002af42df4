import type { FaultKind } from '../../domain/fault-kind.ts';
import { asksExchange, type Asked, type Candidate, type Failed, type ProviderOffer, type Refused, type Terms } from '../../domain/offer.ts';
import type { DecisionPolicy } from '../../domain/policy.ts';
import { applyRules } from '../../domain/exclusion.ts';
import { decide, type Route } from '../../domain/route.ts';
import { withoutActionUrl, type Refusal } from '../../domain/refusal.ts';
import { ProviderFault } from '../../providers/fault.ts';
import type { CallContext, CatalogueOption } from '../../providers/spec.ts';
import { callProvider } from '../upstream/call-provider.ts';
import { defaultHaircutBps } from './haircut.ts';
import { learnt, routeVersion } from './record.ts';
import { referenceFor } from './reference.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Provider } from '../../ports/providers.ts';
import type { Scope } from '../../ports/scope.ts';
import type { OpenSession } from '../sessions/read-session.ts';
import { defect } from '../../ports/defect.ts';
import { isStorageDown } from '../../ports/storage-down.ts';

/** An offer, and what is needed to order it. */
export type Offering = {
  offer: ProviderOffer;
  /** The upstream session that the offer belongs to. */
  sessionId?: string;
  /** The provider's own option that the offer is for. */
  option?: CatalogueOption;
  /** The terms of the offer's own option, if they may differ from the terms in Ask. */
  terms?: Terms;
  /** For sell: whether the payment goes through a connection of the account. */
  needsConnection?: boolean;
};
/** One provider's answer. */
export type Asking = Offering | { refusal: Refusal } | { fault: FaultKind };

/** One provider to ask, or the reason why it is not asked. */
export type Ask = {
  provider: Provider;
  terms: Terms;
  /** Whether the provider may be asked again when the first try failed. Default true. */ idempotent?: boolean;
  /** Whether a session must be opened at the provider first, so that the price takes longer than usual. */ opensSession?: boolean;
} & ({ ask: (context: CallContext) => Promise<Asking> } | { refusal: Refusal } | { fault: FaultKind });

export type CollectRequest = {
  asked: Asked;
  asks: Ask[];
  session: Pick<OpenSession, 'idHash' | 'declined'>;
  maxWaitMs: number | undefined;
  /** Replaces the configured deadline for quotes. */
  longestMs?: number;
  /** When the request came in, if it has already waited for something else. The deadline covers the whole request. */
  since?: number;
};

/** The decision, what shadow providers would have offered, and what is needed to order each offer. */
export type Collected = { route: Route; shadow: Candidate[]; offerings: ReadonlyMap<string, Offering> };

/** Returns how long a price request may take in all: as long as the caller wants, but at least 300 ms and at most the configured deadline. */
export const priceDeadlineMs = (gateway: Gateway, maxWaitMs: number | undefined, longestMs = gateway.settings.routing.quote_deadline_ms): number =>
  Math.min(Math.max(maxWaitMs ?? longestMs, 300), longestMs);
/** Returns how much of a price request's time may be spent on reading listings that are not known yet. The rest is for the prices. */
export const listingShareMs = (deadlineMs: number): number => deadlineMs / 2;

/**
 * Asks all providers at the same time, and decides when all have answered, when enough have answered (`answer_early`), or when the deadline passes. A
 * slow or broken provider loses only its own offer. On Node, later answers get a grace period, but count only in the statistics.
 */
export const collectOffers = async (scope: Scope, request: CollectRequest): Promise<Collected> => {
  const { gateway, requestId, traceparent } = scope;
  const maxWaitMs = priceDeadlineMs(gateway, request.maxWaitMs, request.longestMs);
  const asking = gateway.now();
  const tieSeed = gateway.ids.uuid();
  const started = request.since ?? asking;
  const deadlineMs = maxWaitMs - Math.min(asking - started, listingShareMs(maxWaitMs));
  const candidates: Candidate[] = [];
  const shadow: Candidate[] = [];
  const refused: Refused[] = [];
  const failed: Failed[] = [];
  const offerings = new Map<string, Offering>();
  const open = new Map<string, Provider>();

  const fail = (provider: Provider, fault: Omit<Failed, 'providerId'>): void => {
    if (provider.core.mode === 'on') failed.push({ providerId: provider.id, ...fault });
  };
  const settle = (ask: Ask, latencyMs: number, answer: Asking): void => {
    if ('refusal' in answer) {
      // The provider did not refuse: we had no free slot or session at that moment.
      if (answer.refusal.reason === 'busy') return fail(ask.provider, { reason: 'busy', retryable: true, latencyMs });
      if (ask.provider.core.mode === 'on') refused.push({ providerId: ask.provider.id, refusal: withoutActionUrl(answer.refusal) });
      return;
    }
    if ('fault' in answer) return fail(ask.provider, { reason: answer.fault, retryable: true, latencyMs });
    offerings.set(ask.provider.id, answer);
    (ask.provider.core.mode === 'on' ? candidates : shadow).push({
      providerId: ask.provider.id,
      offer: answer.offer,
      terms: answer.terms ?? ask.terms,
      latencyMs,
    });
  };

  const { answer_early: rule } = gateway.settings.routing;
  const good = (): number => applyRules(request.asked, candidates, policyOf(gateway, request.asked), gateway.now(), request.session.declined).accepted.length;
  const early = rule && answerEarly(gateway, started + rule.after_ms, () => good() >= rule.offers);
  // A learnt timeout saves the customer the wait for one more offer. It must not leave them without any offer.
  const isNeeded = (): boolean => candidates.length === 0;
  let decided = false;
  let storage: { fault: unknown } | undefined;
  // Shared by the calls of the request.
  const common = {
    operation: 'quote',
    verb: 'quote',
    deadlineMs,
    idempotent: true,
    customerKey: request.session.idHash,
    isNeeded,
    ...(traceparent === undefined ? {} : { context: { traceparent } }),
  } as const;
  const usual = { ...common, isPrice: true } as const;
  const running: Promise<void>[] = [];
  for (const ask of request.asks) {
    if ('refusal' in ask) settle(ask, 0, ask);
    else if ('fault' in ask) fail(ask.provider, { reason: ask.fault, retryable: true });
    else {
      open.set(ask.provider.id, ask.provider);
      const { idempotent = true, opensSession = false } = ask;
      const options = !idempotent ? { ...common, idempotent } : opensSession ? common : usual;
      running.push(
        callProvider(scope, ask.provider, options, ask.ask).then(
          (answer) => {
            if (decided) return;
            open.delete(ask.provider.id);
            settle(ask, gateway.now() - asking, answer);
            early?.look();
          },
          (fault: unknown) => {
            if (decided) return;
            open.delete(ask.provider.id);
            if (isStorageDown(fault)) storage ??= { fault };
            else fail(ask.provider, faultOf(scope, fault, gateway.now() - asking, ask.provider.id));
          },
        ),
      );
    }
  }
  if (running.length > 0) {
    const all = Promise.all(running);
    if (gateway.outlivesRequest) gateway.background(all);
    await gateway.waitAtMost(early ? Promise.race([all, early.enough(deadlineMs)]) : all, deadlineMs);
  }
  decided = true;
  // Our own database failed. That says nothing about a provider.
  if (storage) throw storage.fault;
  for (const provider of open.values()) fail(provider, { reason: 'timeout', retryable: true, latencyMs: Math.min(gateway.now() - asking, deadlineMs) });

  const now = gateway.now();
  const route = decide({
    requestId,
    tieSeed,
    asked: request.asked,
    candidates,
    refused,
    failed,
    policy: policyOf(gateway, request.asked),
    declined: request.session.declined,
    tieKey: (providerId) => gateway.hash(`${tieSeed}${providerId}`),
    now,
    maxWaitMs,
    waitedMs: now - started,
  });
  countOffers(gateway, route);
  if (route.policy.reference?.disputed && asksExchange(request.asked)) gateway.count('reference_disputed_total', { currency: request.asked.currency });
  return { route, shadow, offerings };
};

/** Counts what came of each provider in a decision. */
const countOffers = ({ count }: Gateway, { asked: { ramp }, offers, excluded, refused, failed }: Route): void => {
  for (const { providerId: provider, rank } of offers) {
    count('offers_total', { provider, ramp });
    if (rank === 1) count('offers_won_total', { provider, ramp });
  }
  for (const { providerId: provider, rule } of excluded) count('offers_excluded_total', { provider, rule });
  for (const { providerId: provider, refusal } of refused) count('offers_missing_total', { provider, reason: refusal.reason });
  for (const { providerId: provider, reason } of failed) count('offers_missing_total', { provider, reason });
};

/**
 * Returns `enough`, whose promise resolves once enough answers have come. The answers are counted at the time `from`, and then whenever the caller
 * calls `look`, which it does after each later answer.
 */
const answerEarly = ({ now, waitAtMost }: Pick<Gateway, 'now' | 'waitAtMost'>, from: number, isEnough: () => boolean) => {
  let say: () => void = () => undefined;
  // The timer decides, not the clock: they can differ by a millisecond, and then nothing would check again until the next answer.
  let due = false;
  const look = (): void => {
    if (due && isEnough()) say();
  };
  return {
    look,
    enough: async (withinMs: number): Promise<void> => {
      const said = new Promise<void>((done) => (say = done));
      const waitMs = from - now();
      if (waitMs >= withinMs) return await said;
      await waitAtMost(said, Math.max(waitMs, 0));
      due = true;
      look();
      await said;
    },
  };
};

const faultOf = (scope: Scope, fault: unknown, latencyMs: number, providerId: string): Omit<Failed, 'providerId'> => {
  const { gateway } = scope;
  if (fault instanceof ProviderFault)
    return {
      reason: fault.kind,
      retryable: fault.retryable,
      latencyMs,
      ...(fault.orderMade === undefined ? {} : { orderMade: fault.orderMade }),
      ...(fault.kind === 'circuit-open' && fault.retryAfterMs !== undefined ? { retryOn: gateway.now() + fault.retryAfterMs } : {}),
    };
  defect(gateway.log, 'quote', fault, { request_id: scope.requestId, provider: providerId });
  return { reason: 'malformed', retryable: false, latencyMs };
};

const policyOf = (gateway: Gateway, asked: Asked): DecisionPolicy => {
  const { routing } = gateway.settings;
  return {
    version: routeVersion(gateway),
    ...(asksExchange(asked) ? { ...learnt(gateway), ...referenceFor(gateway, asked) } : {}),
    outlierBps: routing.outlier_bps,
    toleranceBps: routing.tolerance_bps,
    shortestLifeMs: routing.shortest_life_s * 1000,
    indicativeHaircutBps: defaultHaircutBps(routing),
  };
};
