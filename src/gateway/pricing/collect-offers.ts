import type { FaultKind } from '../../domain/fault-kind.ts';
import { asksExchange, type Asked, type Candidate, type Failed, type ProviderOffer, type Refused, type Terms } from '../../domain/offer.ts';
import type { DecisionPolicy } from '../../domain/policy.ts';
import { applyRules } from '../../domain/exclusion.ts';
import { decide, type Route } from '../../domain/route.ts';
import type { Refusal } from '../../domain/refusal.ts';
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

/** An offer, and what ordering it will need. */
export type Offering = {
  offer: ProviderOffer;
  /** The upstream session that the offer belongs to. */
  sessionId?: string;
  /** The requested option, in the provider's own terms. */
  option?: CatalogueOption;
  /** Set if the option differs from that of the terms it was asked with. */
  terms?: Terms;
  /** sell: it goes through a connection of the account. */
  needsConnection?: boolean;
};
/** What one provider answered. */
export type Asking = Offering | { refusal: Refusal } | { fault: FaultKind };

/** One provider to ask, or the reason why it is not asked. */
export type Ask = { provider: Provider; terms: Terms; /** Default true: asked again when the first try failed. */ idempotent?: boolean } & (
  | { ask: (context: CallContext) => Promise<Asking> }
  | { refusal: Refusal }
  | { fault: FaultKind }
);

export type CollectRequest = {
  asked: Asked;
  asks: Ask[];
  session: Pick<OpenSession, 'idHash' | 'declined'>;
  maxWaitMs: number | undefined;
  /** Instead of the configured deadline for quotes. */
  longestMs?: number;
  /** When the request came in, if it already waited for something. The deadline covers the whole request. */
  since?: number;
};

/** The decision, what shadow providers would have offered, and what else came with each offer. */
export type Collected = { route: Route; shadow: Candidate[]; offerings: ReadonlyMap<string, Offering> };

/** How long a price request may take in all: as the caller wants, but within the configured limits. */
export const priceDeadlineMs = (gateway: Gateway, maxWaitMs: number | undefined, longestMs = gateway.settings.routing.quote_deadline_ms): number =>
  Math.min(Math.max(maxWaitMs ?? longestMs, 300), longestMs);
/** The part of it that may go to unknown listings. The rest is for the prices. */
export const listingShareMs = (deadlineMs: number): number => deadlineMs / 2;

/**
 * Asks every provider at once, and decides when all have answered or the deadline passes. A slow or broken provider loses only its own offer.
 * Later answers get a grace period, and only feed the statistics.
 */
export const collectOffers = async (scope: Scope, request: CollectRequest): Promise<Collected> => {
  const { gateway, requestId, traceparent } = scope;
  const maxWaitMs = priceDeadlineMs(gateway, request.maxWaitMs, request.longestMs);
  const asking = gateway.now();
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
      // Nobody refused: we had no free place or session just now.
      if (answer.refusal.reason === 'busy') return fail(ask.provider, { reason: 'busy', retryable: true, latencyMs });
      if (ask.provider.core.mode === 'on') refused.push({ providerId: ask.provider.id, refusal: answer.refusal });
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
  // A learnt timeout spares the customer the wait for one more offer. It must not leave them without any.
  const isNeeded = (): boolean => candidates.length === 0;
  let decided = false;
  const running: Promise<void>[] = [];
  for (const ask of request.asks) {
    if ('refusal' in ask) settle(ask, 0, ask);
    else if ('fault' in ask) fail(ask.provider, { reason: ask.fault, retryable: true });
    else {
      open.set(ask.provider.id, ask.provider);
      const options = {
        operation: 'quote',
        verb: 'quote',
        deadlineMs,
        idempotent: ask.idempotent ?? true,
        customerKey: request.session.idHash,
        isNeeded,
        ...(traceparent === undefined ? {} : { context: { traceparent } }),
      } as const;
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
            fail(ask.provider, faultOf(scope, fault, gateway.now() - asking, ask.provider.id));
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
  for (const provider of open.values()) fail(provider, { reason: 'timeout', retryable: true, latencyMs: Math.min(gateway.now() - asking, deadlineMs) });

  const now = gateway.now();
  const route = decide({
    requestId,
    asked: request.asked,
    candidates,
    refused,
    failed,
    policy: policyOf(gateway, request.asked),
    declined: request.session.declined,
    tieKey: (providerId) => gateway.hash(`${requestId}${providerId}`),
    now,
    maxWaitMs,
    waitedMs: now - started,
  });
  if (route.policy.reference?.disputed && asksExchange(request.asked)) gateway.count('reference_disputed_total', { currency: request.asked.currency });
  return { route, shadow, offerings };
};

/** Resolves when enough answers have come. Checked at the given time, and with every answer after it. */
const answerEarly = ({ now, waitAtMost }: Pick<Gateway, 'now' | 'waitAtMost'>, from: number, isEnough: () => boolean) => {
  let say: () => void = () => undefined;
  // The timer decides, not the clock. They can differ by a millisecond, and then nothing would check again until the next answer.
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
