/** The calls to /operator that the console makes, and the three ways in which they fail. */
import type { components } from '@ramp-gateway/client/api';

type Schemas = components['schemas'];
export type Overview = Schemas['Overview'];
export type ProviderRow = Schemas['OverviewProvider'];
export type Attention = Schemas['Attention'];
export type Card = Schemas['OrderDossier'];
export type Found = Schemas['FoundOrder'];
export type FoundPage = Schemas['SearchOperatorOrdersAnswer'];
export type Search = Schemas['SearchOperatorOrdersRequest'];
export type Series = Schemas['Series'];
export type Settling = Schemas['Settling'];
export type SwitchMode = Schemas['SwitchMode'];
export type Problem = Schemas['Problem'];

/**
 * The gateway does not accept the token: it is wrong or was taken out of the configuration, or this host has no console. All three get the same
 * answer.
 */
export class Locked extends Error {}
/** There was no answer, or one that is not from a gateway. The action may or may not have been done. */
export class Away extends Error {}
/** The gateway refused, and did nothing. */
export class Refused extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

export type SettleRequest = { settling: Settling; reason: string; pin: string; stage?: string; evidence?: string };
export type SwitchRequest = { mode: SwitchMode; reason: string; until?: string };

export type Api = ReturnType<typeof createApi>;

/** Longer than the gateway takes for any answer. A connection can end without a word, for example when a VPN does. */
const longestMs = 60_000;

/** The form of an operator's token that the gateway accepts. Some other strings could not even be sent. */
const tokenForm = /^[\w.~+/=-]{16,256}$/;

export const createApi = (fetch: typeof globalThis.fetch, token: string) => {
  const call = async <Answer>(path: string, body?: object, headers: Record<string, string> = {}): Promise<Answer> => {
    if (!tokenForm.test(token)) throw new Locked();
    const posted = body && { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const answer = await fetch(path, {
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
      signal: AbortSignal.timeout(longestMs),
      ...posted,
      headers: { ...posted?.headers, ...headers, authorization: `Bearer ${token}` },
    }).catch(() => undefined);
    const read: unknown = await answer?.json().catch(() => undefined);
    if (!answer || typeof read !== 'object' || read === null) throw new Away();
    if (answer.ok) return read as Answer;
    const problem = read as Problem;
    // Without a code, the answer is not the gateway's but, for example, a proxy's.
    if (typeof problem.code !== 'string') throw new Away();
    if (problem.code === 'not-found' && !path.startsWith('/operator/providers/')) throw new Locked();
    if (problem.code === 'storage-unavailable' || problem.code === 'temporary-reduced-capacity') throw new Away();
    throw new Refused(problem);
  };
  return {
    overview: async () => await call<Overview>('/operator/overview'),
    attention: async () => await call<Attention>('/operator/attention'),
    find: async (search: Search) => await call<FoundPage>('/operator/orders-search', search),
    card: async (id: string) => await call<Card>(`/operator/orders/${encodeURIComponent(id)}`),
    series: async (query: Record<string, string>) => await call<Series>(`/operator/series?${new URLSearchParams(query).toString()}`),
    settle: async (id: string, request: SettleRequest) => await call<Schemas['SettledOrder']>(`/operator/orders/${encodeURIComponent(id)}/settle`, request),
    sendWebhook: async (id: string) => await call<Schemas['SentWebhook']>(`/operator/webhooks/${encodeURIComponent(id)}/send`, {}),
    switchProvider: async (id: string, request: SwitchRequest, version: string) =>
      await call<Schemas['ProviderSwitch']>(`/operator/providers/${encodeURIComponent(id)}`, request, { 'if-match': `"${version}"` }),
  };
};
