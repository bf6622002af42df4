import { defined } from '../../domain/defined.ts';
import { customerLink } from '../../domain/links.ts';
import { withoutActionUrl, type Refusal } from '../../domain/refusal.ts';
import type { CallContext } from '../../providers/spec.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Scope } from '../../ports/scope.ts';
import type { CallLimits, Operation, Provider } from '../../ports/providers.ts';
import { linkHosts } from './provider-of.ts';

export type CallOptions = {
  operation: Operation;
  verb: string;
  deadlineMs: number;
  /**
   * The customer or session that the call is made for. After a 429, at first only the calls for this customer wait. If the scope has no network, this
   * key also stands for the caller: a circuit opens only once the calls of enough different callers have failed.
   */
  customerKey?: string;
  /** Whether the call has only our own data and nothing from a wallet's request. Then 401 and 403 are about our own credentials. */
  isOwn?: boolean;
  idempotent: boolean;
  /** Whether this is one request for a price, for which the gateway needs no more than the time that it has learnt. */
  isPrice?: boolean;
  /** Whether this only prepares requests for prices. Then the circuit does not count it. */
  isAhead?: boolean;
  /** While this returns true, the call may take its whole deadline, however quick this provider usually is. */
  isNeeded?: () => boolean;
  context?: Omit<CallContext, 'signal' | 'endsOn' | 'requestId'>;
};

/**
 * Makes one call to a provider: guarded, timed, counted, and logged in one line. Rejects with a ProviderFault if there is no usable answer.
 * Not an async function, because its frame would stay alive as long as the provider takes to answer.
 */
export const callProvider = <T>(scope: Scope, provider: Provider, options: CallOptions, attempt: (context: CallContext) => Promise<T>): Promise<T> => {
  const started = scope.gateway.now();
  return provider.guard
    .call(options.operation, limitsOf(scope, options), (signal, endsOn) => attempt({ ...options.context, signal, endsOn, requestId: scope.requestId }))
    .then(
      (answer) => {
        finish(scope, provider, options, started, isRefusal(answer) ? 'refused' : 'ok');
        return withOwnActionUrl(scope.gateway, provider, answer);
      },
      (fault: unknown) => {
        finish(scope, provider, options, started, fault instanceof Error && 'kind' in fault ? String(fault.kind) : 'defect');
        throw fault;
      },
    );
};

const limitsOf = ({ network }: Scope, options: CallOptions): CallLimits => ({
  deadlineMs: options.deadlineMs,
  idempotent: options.idempotent,
  isPrice: options.isPrice,
  isAhead: options.isAhead,
  isNeeded: options.isNeeded,
  customerKey: network?.wide ?? options.customerKey,
  customer: options.customerKey ?? network?.wide,
  isOwn: options.isOwn,
  network: network?.wide,
});

const finish = ({ gateway, requestId }: Scope, provider: Provider, { operation, verb }: CallOptions, started: number, outcome: string): void => {
  const ms = gateway.now() - started;
  gateway.count('provider_calls_total', { provider: provider.id, operation, outcome });
  gateway.observe('provider_call_duration_seconds', { provider: provider.id, operation }, ms / 1000);
  gateway.log(outcome === 'ok' || outcome === 'refused' ? 'debug' : 'warn', 'provider_call', {
    request_id: requestId,
    provider: provider.id,
    verb,
    outcome,
    ms,
  });
};

const isRefusal = (answer: unknown): answer is { ok: false; refusal: Refusal } =>
  typeof answer === 'object' && answer !== null && 'ok' in answer && answer.ok === false;

/**
 * Drops a refusal's link if it does not lead to one of the provider's own hosts. The refusal itself stands. The link is a bearer secret, so it is
 * never logged.
 */
const withOwnActionUrl = <T>({ settings, log }: Gateway, provider: Provider, answer: T): T => {
  if (!isRefusal(answer) || answer.refusal.actionUrl === undefined) return answer;
  const actionUrl = customerLink(answer.refusal.actionUrl, linkHosts(provider, provider.core.payment_hosts), settings.mode === 'sandbox');
  if (actionUrl === undefined) log('warn', 'action_link_dropped', { provider: provider.id });
  return { ...answer, refusal: { ...withoutActionUrl(answer.refusal), ...defined({ actionUrl }) } };
};
