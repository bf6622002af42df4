/** Helpers for adapters inside workerd: they use the Workers' own sender, with a simulator's app in place of the network. */
import { createFetchHttp } from '../../src/entry/http-fetch.ts';
import type { AdapterDeps, Answer, CallContext } from '../../src/providers/spec.ts';

type App = { fetch: (request: Request, env: object) => Response | Promise<Response> };

export type Sent = { deps: AdapterDeps; logs: string[] };
/** Returns an adapter's dependencies. `secrets` has the values of the environment variables that the provider's block names. */
export const behind = (app: App, secrets: Record<string, string> = {}): Sent => {
  const logs: string[] = [];
  const http = createFetchHttp(async (url, init) => {
    let cut = false;
    const answering = Promise.resolve(app.fetch(new Request(url, init), { outgoing: { destroy: () => (cut = true) } }));
    const gone = new Promise<never>((_, fail) => init.signal?.addEventListener('abort', () => fail(new Error('aborted'))));
    const answer = await Promise.race([answering, gone]);
    if (cut) throw new Error('the connection was cut');
    return answer;
  });
  const deps: AdapterDeps = {
    providerId: 'simulated',
    http,
    now: () => Date.now(),
    newId: () => crypto.randomUUID(),
    log: (level, event) => void logs.push(`${level} ${event}`),
    network: 'regtest',
    mode: 'sandbox',
    secret: (name) => secrets[name],
  };
  return { deps, logs };
};

export const contextOf = (more: Partial<CallContext> = {}): CallContext => ({ signal: AbortSignal.timeout(5_000), requestId: 'req_workerd', ...more });

export const valueOf = <T>(answer: Answer<T>): T => {
  if (answer.ok) return answer.value;
  throw new Error(`refused: ${answer.refusal.reason} ${answer.refusal.note ?? ''}`);
};
