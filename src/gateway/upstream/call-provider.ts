import { defined } from '../../domain/defined.ts';
import { customerLink } from '../../domain/links.ts';
import { withoutActionUrl, type Refusal } from '../../domain/refusal.ts';
import type { CallContext } from '../../providers/spec.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Scope } from '../../ports/scope.ts';
import type { Operation, Provider } from '../../ports/providers.ts';
import { linkHosts } from './provider-of.ts';

export type CallOptions = {
  operation: Operation;
  verb: string;
  deadlineMs: number;
  signal?: AbortSignal;
  /**
   * The customer or session that the call is made for. After a 429, at first only the calls for this customer wait. If the scope has no network, this
   * key also stands for the caller: a circuit opens only once the calls of enough different callers have failed.
   */
  customerKey?: string;
  /** Whether nothing in the call comes from a caller, so that 401 and 403 are about our own credentials. */
  isOwn?: boolean;
  idempotent: boolean;
  /** While this returns true, the call may take its whole deadline, however quick this provider usually is. */
  isNeeded?: () => boolean;
  context?: Omit<CallContext, 'signal' | 'endsOn' | 'requestId'>;
};

/** Makes one call to a provider: guarded, timed, counted, and logged in one line. Throws a ProviderFault if there is no usable answer. */
export const callProvider = async <T>(
  { gateway, requestId, network }: Scope,
  provider: Provider,
  options: CallOptions,
  attempt: (context: CallContext) => Promise<T>,
): Promise<T> => {
  const started = gateway.now();
  const customerKey = network?.wide ?? options.customerKey;
  const customer = options.customerKey ?? network?.wide;
  const finish = (outcome: string): void => {
    const ms = gateway.now() - started;
    gateway.count('provider_calls_total', { provider: provider.id, operation: options.operation, outcome });
    gateway.observe('provider_call_duration_seconds', { provider: provider.id, operation: options.operation }, ms / 1000);
    gateway.log(outcome === 'ok' || outcome === 'refused' ? 'debug' : 'warn', 'provider_call', {
      request_id: requestId,
      provider: provider.id,
      verb: options.verb,
      outcome,
      ms,
    });
  };
  try {
    const answer = await provider.guard.call(
      options.operation,
      {
        deadlineMs: options.deadlineMs,
        signal: options.signal,
        idempotent: options.idempotent,
        isNeeded: options.isNeeded,
        customerKey,
        customer,
        isOwn: options.isOwn,
        network: network?.wide,
      },
      (signal, endsOn) => attempt({ ...options.context, signal, endsOn, requestId }),
    );
    finish(isRefusal(answer) ? 'refused' : 'ok');
    return withOwnActionUrl(gateway, provider, answer);
  } catch (fault) {
    finish(fault instanceof Error && 'kind' in fault ? String(fault.kind) : 'defect');
    throw fault;
  }
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
