/** Mutants that change only an adapter's network. Each breaks one promise that every adapter makes, and a contract suite must notice. */
import { ProviderFault } from '../../src/providers/fault.ts';
import type { AdapterDeps, Http } from '../../src/providers/spec.ts';

export type HttpMutant = [name: string, mutate: (deps: AdapterDeps) => AdapterDeps];
export const overHttp = (name: string, change: (http: Http) => Http): HttpMutant => [name, (deps) => ({ ...deps, http: change(deps.http) })];
/** Rewrites the text of every response. */
export const rewriting =
  (from: RegExp, to: string) =>
  (http: Http): Http =>
  async (sent) => {
    const answer = await http(sent);
    return { ...answer, body: new TextEncoder().encode(new TextDecoder().decode(answer.body).replace(from, to)) };
  };

export const httpMutants: readonly HttpMutant[] = [
  overHttp('forgets the abort', (http) => async (sent) => await http({ ...sent, signal: new AbortController().signal })),
  overHttp('lifts the byte cap', (http) => async (sent) => await http({ ...sent, maxBytes: 1e9 })),
  overHttp('swallows faults', (http) => async (sent) => await http(sent).catch(() => ({ status: 404, headers: {}, body: new Uint8Array() }))),
  overHttp('takes errors for answers', (http) => async (sent) => ({ ...(await http(sent)), status: 200 })),
  overHttp('forgets Retry-After', (http) => async (sent) => ({ ...(await http(sent)), headers: { 'content-type': 'application/json' } })),
  overHttp('sends something else', (http) => async (sent) => await http({ ...sent, url: `${sent.url}?x=1` })),
  overHttp(
    'sends numbers for amounts',
    (http) => async (sent) => await http({ ...sent, ...(sent.body === undefined ? {} : { body: sent.body.replace(/"(\d+)"/g, '$1') }) }),
  ),
  overHttp(
    'turns every fault into "certainly not taken"',
    (http) => async (sent) =>
      await http(sent).catch((error: unknown) => {
        throw new ProviderFault(error instanceof ProviderFault ? error.kind : 'server', 'x', { taken: 'no' });
      }),
  ),
];
