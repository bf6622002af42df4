import { ProviderFault } from '../../providers/fault.ts';
import { callProvider } from '../upstream/call-provider.ts';
import { takeFromBudget } from '../upstream/open-budget.ts';
import { flawedTokens, gatewayToken } from '../../domain/proof-token.ts';
import { blobPlace, challengePlace } from '../places.ts';
import type { Provider } from '../../ports/providers.ts';
import type { Scope } from '../../ports/scope.ts';

/** What GET /verify handed out, sealed in the session's row. */
export type Challenge = {
  /** The id of the provider whose token was in the member `token`, or `gateway`. Absent if there was no such member. */
  tokenOf?: string;
  /** Tokens by provider id, and the gateway's own one-time token under `gateway`. */
  tokens: Record<string, string>;
  gatewayTokenExpiresOn: number;
  /** Providers that we did not ask, because our budget for opening sessions at them was spent. */
  notAsked?: string[];
  /** Providers whose token we did not pass on, because it is flawed (flawedTokens). */
  refused?: string[];
};

export type BegunSession = { sessionId: string; token?: string; tokens: Record<string, string>; expiresOn: number };

/**
 * Answers GET /verify with a new session id, and with the tokens that the wallet's node signs to prove its key. Asks all providers that demand a
 * proof at the same time, within `verify_deadline_ms`. A provider that is late has no token, and stays unreachable in this session.
 */
export const beginSession = async (scope: Scope): Promise<BegunSession> => {
  const { gateway } = scope;
  const { settings, ids } = gateway;
  const now = gateway.now();
  const sessionId = ids.uuid();
  const idHash = gateway.hash(sessionId);
  const demanding =
    settings.proof_of_ownership === 'never'
      ? []
      : gateway.providers.filter((provider) => provider.demandsProof && provider.core.mode !== 'off' && provider.adapter.buy);
  const asked = await Promise.all(demanding.map((provider) => beginUpstream(scope, provider, idHash)));
  const given = asked.filter((one) => typeof one === 'object');
  const notAsked = demanding.filter((_, i) => asked[i] === 'gateway-busy').map(({ id }) => id);
  const { host } = new URL(settings.public_url);
  const own = gatewayToken(host, ids.secret(16));
  const refused = refuseTokens(scope, given, { host, token: own, templates: settings.proof_templates });
  const begun = given.filter((one) => !refused.includes(one.providerId));
  const tokens: Record<string, string> = { ...Object.fromEntries(begun.map((one) => [one.providerId, one.token])), gateway: own };
  const tokenOf = begun[0]?.providerId ?? (settings.proof_of_ownership === 'required' ? 'gateway' : undefined);
  const challenge: Challenge = {
    tokens,
    gatewayTokenExpiresOn: now + settings.sessions.token_ttl_s * 1000,
    ...(tokenOf === undefined ? {} : { tokenOf }),
    ...(notAsked.length === 0 ? {} : { notAsked }),
    ...(refused.length === 0 ? {} : { refused }),
  };
  const expiresOn = now + settings.sessions.verify_ttl_s * 1000;
  await gateway.stores.sessions.begin(
    { idHash, createdOn: now, expiresOn, challenge: await gateway.seal.seal(JSON.stringify(challenge), challengePlace(idHash)) },
    begun,
  );
  return { sessionId, tokens, expiresOn, ...(tokenOf === undefined ? {} : { token: tokens[tokenOf] ?? '' }) };
};

/**
 * Returns the providers whose tokens a wallet must not sign, and alerts the operator. Such a token is an attack or a grave mistake, so we do not pass
 * it on.
 */
const refuseTokens = ({ gateway, requestId }: Scope, given: { providerId: string; token: string }[], own: Parameters<typeof flawedTokens>[1]): string[] => {
  const flawed = flawedTokens(new Map(given.map(({ providerId, token }) => [providerId, token])), own);
  for (const [provider, reason] of flawed) {
    gateway.count('proof_tokens_refused_total', { provider, reason });
    gateway.log('error', 'proof_token_refused', { request_id: requestId, provider, reason });
  }
  return [...flawed.keys()];
};

const beginUpstream = async (
  scope: Scope,
  provider: Provider,
  idHash: string,
): Promise<{ id: string; providerId: string; token: string; blob: string; expiresOn: number } | 'gateway-busy' | undefined> => {
  const { gateway } = scope;
  try {
    const options = {
      operation: 'quote',
      verb: 'begin_session',
      deadlineMs: gateway.settings.routing.verify_deadline_ms,
      idempotent: true,
      customerKey: idHash,
    } as const;
    const answer = await callProvider(scope, provider, options, async (context) => {
      takeFromBudget(scope, provider);
      return await provider.adapter.buy?.beginSession(context);
    });
    if (!answer?.ok || answer.value.token === undefined) return undefined;
    const id = gateway.ids.uuid();
    return {
      id,
      providerId: provider.id,
      token: answer.value.token,
      blob: await gateway.seal.seal(answer.customer ?? '', blobPlace(id)),
      expiresOn: answer.value.expiresOn,
    };
  } catch (fault) {
    if (fault instanceof ProviderFault && fault.kind === 'gateway-busy') return 'gateway-busy';
    return undefined; // counted and logged by callProvider; price requests in this session report the provider as unreachable
  }
};
