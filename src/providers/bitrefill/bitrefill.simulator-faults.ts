import type { ServerResponse } from 'node:http';
import type { Context } from 'hono';
import { clock, type Fault, type FaultName, type State } from './bitrefill.simulator-state.ts';

/** The connection under a request is cut: the answer is lost. */
export const cutConnection = (c: Context): Response => {
  (c.env as { outgoing?: ServerResponse } | undefined)?.outgoing?.destroy();
  return new Response(null, { status: 500 });
};

/** Which faults are set; each use counts down. */
export const createFaults = () => {
  let faults: Fault[] = [];
  return {
    set: (fault: Fault): void => void faults.push({ ...fault }),
    clear: (): void => {
      faults = [];
    },
    /** The fault, when it is to happen now. */
    take: (endpoint: string, name: FaultName): Fault | undefined => {
      const found = faults.find((one) => (one.endpoint === endpoint || one.endpoint === '*') && one.fault === name && (one.times ?? 1) > 0);
      if (found) found.times = (found.times ?? 1) - 1;
      return found;
    },
  };
};
export type Faults = ReturnType<typeof createFaults>;

/** What comes instead of an answer, before anything is done. */
export const transportFault = async (c: Context, state: State, endpoint: string, faults: Faults): Promise<Response | undefined> => {
  const json = { 'content-type': 'application/json' };
  const latency = faults.take(endpoint, 'latency');
  if (latency) await new Promise((done) => setTimeout(done, latency.ms ?? 1000));
  // v2 documents the reset as a Unix time; an older client read seconds to wait.
  const unix = Math.floor(clock(state) / 1000) + 30;
  if (faults.take(endpoint, '429'))
    return Response.json({ message: 'slow down' }, { status: 429, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(unix) } });
  if (faults.take(endpoint, '429-old'))
    return Response.json({ message: 'slow down' }, { status: 429, headers: { 'ratelimit-remaining': '0', 'ratelimit-reset': '7' } });
  if (faults.take(endpoint, '500')) return Response.json({ message: 'Internal server error' }, { status: 500 });
  if (faults.take(endpoint, '503')) return new Response('{}', { status: 503, headers: json });
  if (faults.take(endpoint, 'html200')) return new Response('<html><body>maintenance</body></html>', { headers: { 'content-type': 'text/html' } });
  if (faults.take(endpoint, 'truncated')) return new Response('{"operator":{"name":"Thor', { headers: json });
  if (faults.take(endpoint, 'error-200')) return Response.json({ error: 'Something went wrong' });
  const redirect = faults.take(endpoint, 'redirect');
  if (redirect) return new Response(null, { status: 307, headers: { location: redirect.to ?? 'http://127.0.0.1:1/' } });
  return faults.take(endpoint, 'reset') ? cutConnection(c) : undefined;
};
