import { ProviderFault } from '../../providers/fault.ts';
import type { AccountAdapter, CallContext, SellAdapter } from '../../providers/spec.ts';
import type { Account } from '../../ports/accounts.ts';
import { callProvider } from '../upstream/call-provider.ts';
import { Problem } from '../problem.ts';
import { providerOf } from '../upstream/provider-of.ts';
import { keepBlob, replaceBlob, saveBlob, upstreamBlob } from '../upstream/blob.ts';
import type { Scope } from '../../ports/scope.ts';
import type { Provider } from '../../ports/providers.ts';
import { defined } from '../../domain/defined.ts';

/** `givesKey`: the call was made to get a key, so the key in its answer replaces whatever key is stored at that time, unless the provider refused. */
export type AccountCall = { verb: string; idempotent: boolean; customerIp?: string; attempt?: number; requestedOn?: number; givesKey?: true };

/** Returns the provider's adapter for accounts. Throws `misconfigured` if the provider no longer has accounts, although one is stored here. */
export const accountsOf = ({ id, adapter }: Provider): AccountAdapter => {
  if (!adapter.accounts)
    throw new Problem(
      'misconfigured',
      `The provider "${id}", where this account is, no longer offers accounts here. The operator of this gateway must check its settings.`,
    );
  return adapter.accounts;
};

type Caller = Pick<Account, 'id' | 'customerId' | 'providerId'>;

/** Makes one call about an account itself. Throws `misconfigured` if the account's provider is no longer configured. */
export const callAccount = async <T extends object>(
  scope: Scope,
  account: Caller,
  call: AccountCall,
  attempt: (accounts: AccountAdapter, context: CallContext) => Promise<T>,
): Promise<T> => {
  const provider = providerOf(scope.gateway, account.providerId);
  const accounts = accountsOf(provider);
  return await callAs(scope, account, call, async (context) => await attempt(accounts, context));
};

/** Makes one call about selling through an account. Throws `misconfigured` if the account's provider does not sell. */
export const callSeller = async <T extends object>(
  scope: Scope,
  account: Caller,
  call: AccountCall,
  attempt: (sell: SellAdapter, context: CallContext) => Promise<T>,
): Promise<T> => {
  const { sell } = providerOf(scope.gateway, account.providerId).adapter;
  if (!sell)
    throw new Problem(
      'misconfigured',
      `The provider "${account.providerId}", where this account is, does not serve the ramp "sell". The operator of this gateway must check its settings.`,
    );
  return await callAs(scope, account, call, async (context) => await attempt(sell, context));
};

/**
 * Makes one call with an account's credentials (the blob). Stores changed credentials even if the provider refused, because its refusal may mean that
 * the key no longer works.
 */
const callAs = async <T extends object>(scope: Scope, account: Caller, call: AccountCall, attempt: (context: CallContext) => Promise<T>): Promise<T> => {
  const { gateway } = scope;
  const provider = providerOf(gateway, account.providerId);
  const customer = await upstreamBlob(gateway, account.id);
  const options = {
    operation: 'account',
    verb: call.verb,
    deadlineMs: gateway.settings.routing.order_deadline_ms,
    idempotent: call.idempotent,
    customerKey: account.customerId,
    context: defined({ customer, customerIp: call.customerIp, attempt: call.attempt, requestedOn: call.requestedOn }),
  } as const;
  const answer = await callProvider(scope, provider, options, attempt);
  if ('customer' in answer && typeof answer.customer === 'string' && answer.customer !== customer) {
    const isRefused = 'ok' in answer && answer.ok === false;
    const blobs = { used: customer, now: answer.customer };
    if (call.givesKey === true && !isRefused) await saveBlob(gateway, account.id, answer.customer);
    else await (isRefused ? keepBlob : replaceBlob)(gateway, account.id, blobs);
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
