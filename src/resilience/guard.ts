import { begin } from '../domain/begin.ts';
import { Cut, type CutSignal } from '../domain/cut.ts';
import type { FaultKind } from '../domain/fault-kind.ts';
import type { CallLimits, Guard, Operation } from '../ports/providers.ts';
import { ProviderFault } from '../providers/fault.ts';
import { createAdaptiveTimeout } from './adaptive-timeout.ts';
import { createBackOff } from './back-off.ts';
import { createBreaker, type BreakerSettings, type Circuit } from './breaker.ts';
import { createBulkhead, type BulkheadSettings } from './bulkhead.ts';
import { createCredentialsWatch, type CredentialsSettings } from './credentials.ts';
import { createRetryBudget, retry } from './retry.ts';

export type GuardSettings = {
  breaker: BreakerSettings;
  bulkhead: BulkheadSettings;
  retryAttempts: number;
  /**
   * How long a call about prices may go on after its caller has stopped waiting, so that the timeout is learnt from late answers, too. With 0, as on
   * Workers, the call is aborted at once. Does not apply to a price that needs an order.
   */
  lateGraceMs: number;
  timeoutMs: Partial<Record<Operation, number>>;
  /** The lower bound of the timeout that is learnt from a provider's answers. */
  leastTimeoutMs?: number;
  onCredentials?: CredentialsSettings['onChange'];
};
export type GuardClock = { now: () => number; random: () => number };

const operations: readonly Operation[] = ['quote', 'order', 'claim', 'status', 'account'];
/** Calls about money that is already on its way, or in a customer's account. An open circuit slows them down, but never refuses them for long. */
const neverRefused: ReadonlySet<Operation> = new Set(['claim', 'status', 'account']);
/** The calls that an order needs after its payment. After a 429 they wait for 8 seconds at most. */
const followed: ReadonlySet<Operation> = new Set(['claim', 'status']);
/** Stands for the customer in the gateway's own calls. */
const own = '';
const mostFollowedBackOffMs = 8_000;
const mostBackOffMs = 300_000;
const mostBackOffForAllMs = 60_000;
/** The interval at which a call that has used up its learnt timeout checks whether its answer is still needed. */
const checkNeedMs = 50;

/**
 * Guards every call to one provider. A call passes through deadline → retry → bulkhead → breaker → attempt. Each class of operation has its own
 * breaker, bulkhead, retry budget and back-off, so that nothing that happens to prices or new orders stops us from asking about orders, or from
 * collecting what was paid for. Customers share this state. So what one customer's calls can bring about, such as a 429 or a 403, counts for the
 * others only once several callers have had it. The state belongs to this instance.
 */
export const createGuard = (settings: GuardSettings, clock: GuardClock): Guard => {
  const { now } = clock;
  const { volumeThreshold, windowMs } = settings.breaker;
  const made = operations.map((operation) => {
    const isFollowed = followed.has(operation);
    return [
      operation,
      {
        breaker: createBreaker(neverRefused.has(operation) ? { ...settings.breaker, neverRefuse: true } : settings.breaker, clock),
        // A queue of price calls must not block an order or a read of money in flight.
        bulkhead: createBulkhead(settings.bulkhead),
        budget: createRetryBudget(),
        backOff: createBackOff(
          {
            mostMs: isFollowed ? mostFollowedBackOffMs : mostBackOffMs,
            mostForAllMs: isFollowed ? mostFollowedBackOffMs : mostBackOffForAllMs,
            callersForAll: volumeThreshold,
            windowMs,
          },
          now,
        ),
      },
    ] as const;
  });
  const classes = Object.fromEntries(made) as Record<Operation, (typeof made)[number][1]>;
  const adaptive = createAdaptiveTimeout(settings.leastTimeoutMs);
  const credentials = createCredentialsWatch({ callersNeeded: volumeThreshold, windowMs, onChange: settings.onCredentials ?? (() => undefined) }, now);
  let lastSuccessOn: number | undefined;
  let lastFault: { kind: FaultKind; on: number } | undefined;

  const noteFault = (operation: Operation, { customer, customerKey, isOwn }: CallLimits, fault: unknown): void => {
    // A spent budget of our own says nothing about the provider.
    if (!(fault instanceof ProviderFault) || fault.kind === 'gateway-busy') return;
    lastFault = { kind: fault.kind, on: now() };
    const caller = customerKey ?? customer ?? own;
    if (fault.kind === 'rejected-credentials') credentials.refused({ caller, isOwn: isOwn === true, status: fault.status });
    if (fault.kind === 'rate-limited') {
      // Without this status, the limit was our own, or was only mentioned in the answer's text.
      if (fault.status !== 429) return;
      classes[operation].backOff.limited(customer ?? own, caller, fault.retryAfterMs);
    }
    classes[operation].budget.failed();
  };

  /** Throws if a call of this class must not be sent now. */
  const admit = (operation: Operation, customer: string): void => {
    // Without prices there are no new orders. Calls about quotes and orders that exist go on: each gets the provider's own answer.
    if (operation === 'quote') credentials.check();
    const waitMs = classes[operation].backOff.waitMs(customer);
    if (waitMs > 0)
      throw new ProviderFault('rate-limited', 'the provider limited our calls, and the gateway waits before it calls again', {
        taken: 'no',
        retryAfterMs: waitMs,
      });
  };

  const noteAnswer = (operation: Operation, limits: CallLimits, sentOn: number): void => {
    const { backOff, budget } = classes[operation];
    const ended = now();
    if (limits.isPrice) adaptive.record(ended - sentOn, limits.customerKey);
    lastSuccessOn = ended;
    lastFault = undefined;
    backOff.served(limits.customer ?? own);
    // Only a price proves that our credentials are accepted: other calls may need none.
    if (operation === 'quote') credentials.accepted();
    budget.succeeded();
  };

  return {
    // Every price call to every provider passes through here, and whatever is allocated here lives until the provider has answered. So a call takes
    // two promises and one timer, its steps are not async functions, and objects that only a failure needs are made when a call fails.
    call: <T>(operation: Operation, limits: CallLimits, attempt: (signal: CutSignal, endsOn: number) => Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        const { breaker, bulkhead, budget } = classes[operation];
        const { network } = limits;
        const deadlineMs = Math.min(limits.deadlineMs, settings.timeoutMs[operation] ?? Infinity);
        const patienceMs = limits.isPrice ? adaptive.timeoutMs(deadlineMs) : deadlineMs;
        const started = now();
        const endsOn = started + patienceMs;
        // The caller stops waiting after `patienceMs` or, while the answer is still needed, at the deadline. The call itself is then aborted. A call
        // about prices is aborted only after a grace period, so that we learn from late answers.
        const cut = new Cut();
        let begun = false;
        let awaited = true;
        let waitedMs = patienceMs;
        const giveUp = (): void => {
          const moreMs = Math.min(deadlineMs - waitedMs, checkNeedMs);
          if (moreMs > 0 && limits.isNeeded?.()) {
            waitedMs += moreMs;
            timer = setTimeout(giveUp, moreMs);
            return;
          }
          awaited = false;
          reject(new ProviderFault('timeout', 'no answer within the deadline', { taken: begun ? 'maybe' : 'no' }));
          const graceMs = operation === 'quote' && limits.idempotent ? settings.lateGraceMs : 0;
          if (graceMs === 0) cut.abort();
          else timer = setTimeout(() => cut.abort(), graceMs);
        };
        let timer = setTimeout(giveUp, patienceMs);

        const inSlot = (): Promise<T> => {
          let circuit: Circuit;
          try {
            if (!awaited) throw new ProviderFault('timeout', 'the caller no longer waits', { taken: 'no' });
            admit(operation, limits.customer ?? own);
            circuit = breaker.enter(limits.customerKey);
          } catch (fault) {
            bulkhead.leave(network);
            return Promise.reject(fault as Error);
          }
          begun = true;
          cut.sent = false;
          const sentOn = now();
          return begin(() => attempt(cut, endsOn)).then(
            (answer) => {
              let closing: Promise<void> | undefined;
              try {
                // If nothing was sent, the adapter answered by itself, which says nothing about the provider.
                const counts = cut.sent && !limits.isAhead;
                if (counts) noteAnswer(operation, limits, sentOn);
                closing = counts ? breaker.answered(circuit) : breaker.failed(circuit, undefined);
              } finally {
                if (!closing) bulkhead.leave(network);
              }
              return closing ? closing.finally(() => bulkhead.leave(network)).then(() => answer) : answer;
            },
            async (fault: unknown) => {
              try {
                // An aborted call took at least this long, so it counts. A timeout learnt only from answers could never grow again.
                if (limits.isPrice && cut.aborted) adaptive.record(now() - sentOn, limits.customerKey);
                noteFault(operation, limits, fault);
                await breaker.failed(circuit, limits.isAhead ? undefined : fault, limits.customerKey);
              } finally {
                bulkhead.leave(network);
              }
              throw fault;
            },
          );
        };
        const succeed = (answer: T): void => {
          clearTimeout(timer);
          resolve(answer);
        };
        bulkhead.start(inSlot, network).then(succeed, (first: unknown) => {
          const again = (): Promise<T> => bulkhead.start(inSlot, network);
          const attempts = limits.idempotent ? settings.retryAttempts : 0;
          retry(again, first, { attempts, budget, started, deadlineMs, now, signal: cut }).then(succeed, (fault: unknown) => {
            clearTimeout(timer);
            reject(fault as Error);
          });
        });
      }),
    health: () => {
      const states = operations.map((operation) => [operation, classes[operation].breaker.state()] as const);
      const opened = operations.flatMap((operation) => {
        const since = classes[operation].breaker.opened();
        return since === undefined ? [] : [{ operation, ...since }];
      });
      const refusedSince = credentials.refusedSince();
      const waits = operations.flatMap((operation) => classes[operation].breaker.retryOn() ?? []);
      return {
        circuits: Object.fromEntries(states) as Record<Operation, 'closed' | 'open' | 'half-open'>,
        opened,
        credentialsRefused: refusedSince !== undefined,
        ...(refusedSince === undefined ? {} : { refusedSince }),
        ...(lastSuccessOn === undefined ? {} : { lastSuccessOn }),
        ...(lastFault ? { lastFault } : {}),
        ...(waits.length === 0 ? {} : { retryOn: Math.min(...waits) }),
      };
    },
  };
};
