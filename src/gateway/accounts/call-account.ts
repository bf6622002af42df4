import { ProviderFault } from '../../providers/fault.ts';
import type { CallContext, SellAdapter } from '../../providers/spec.ts';
import type { Account } from '../../ports/accounts.ts';
import { callProvider } from '../upstream/call-provider.ts';
import { Problem } from '../problem.ts';
import { providerOf } from '../upstream/provider-of.ts';
import { upstreamBlob, saveBlob, keepBlob } from '../upstream/blob.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Scope } from '../../ports/scope.ts';
import type { Provider } from '../../ports/providers.ts';
import { defined } from '../../domain/defined.ts';

export type AccountCall = { verb: string; idempotent: boolean; customerIp?: string };

/** Returns the account's provider and its sell adapter. Throws `misconfigured` if the provider is no longer configured or no longer sells. */
export const sellProviderOf = (gateway: Gateway, providerId: string): Provider & { sell: SellAdapter } => {
  const provider = providerOf(gateway, providerId);
  const { sell } = provider.adapter;
  if (!sell) throw new Problem('misconfigured', `The provider "${providerId}" of this account no longer sells.`);
  return { ...provider, sell };
};

/**
 * Makes one call with an account's credentials (the blob). Stores changed credentials even if the provider refused, since its refusal may mean that
 * the key no longer works.
 */
export const callAccount = async <T extends object>(
  scope: Scope,
  account: Pick<Account, 'id' | 'customerId' | 'providerId'>,
  call: AccountCall,
  attempt: (sell: SellAdapter, context: CallContext) => Promise<T>,
): Promise<T> => {
  const { gateway } = scope;
  const provider = sellProviderOf(gateway, account.providerId);
  const customer = await upstreamBlob(gateway, account.id);
  const options = {
    operation: 'account',
    verb: call.verb,
    deadlineMs: gateway.settings.routing.order_deadline_ms,
    idempotent: call.idempotent,
    customerKey: account.customerId,
    context: defined({ customer, customerIp: call.customerIp }),
  } as const;
  const answer = await callProvider(scope, provider, options, (context) => attempt(provider.sell, context));
  if ('customer' in answer && typeof answer.customer === 'string' && answer.customer !== customer) {
    const isRefused = 'ok' in answer && answer.ok === false;
    await (isRefused ? keepBlob : saveBlob)(gateway, account.id, answer.customer);
  }
  return answer;
};

/** Turns a ProviderFault into a Problem that tells the caller to retry. Returns anything else unchanged. */
export const providerProblem = (fault: unknown): unknown =>
  fault instanceof ProviderFault
    ? new Problem(
        fault.kind === 'timeout' ? 'provider-timeout' : 'provider-unavailable',
        'The provider gave no usable answer. Nothing is lost: repeat the request.',
        {
          retryAfterMs: fault.retryAfterMs ?? 2000,
          cause: fault,
        },
      )
    : fault;
