import type { ServerResponse } from 'node:http';
import type { Context } from 'hono';
import { errorReply, type Fault, type FaultName, type State } from './bringin.simulator-state.ts';

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
      if (found?.times !== undefined) found.times -= 1;
      return found;
    },
  };
};
export type Faults = ReturnType<typeof createFaults>;

const endless = (): ReadableStream => {
  let timer: ReturnType<typeof setInterval>;
  return new ReadableStream({
    start: (controller) => {
      timer = setInterval(() => controller.enqueue(new TextEncoder().encode('x'.repeat(65_536))), 1);
    },
    cancel: () => clearInterval(timer),
  });
};

/** What comes instead of an answer, before anything is done. */
export const transportFault = async (c: Context, state: State, endpoint: string, faults: Faults): Promise<Response | undefined> => {
  const json = { 'content-type': 'application/json' };
  const latency = faults.take(endpoint, 'latency');
  if (latency) await new Promise((done) => setTimeout(done, latency.ms ?? 1000));
  if (faults.take(endpoint, '429')) return new Response('{"message":"slow down","statusCode":429}', { status: 429, headers: { ...json, 'retry-after': '2' } });
  if (faults.take(endpoint, '500')) return errorReply(state, 500, 'Internal server error');
  if (faults.take(endpoint, '503')) return new Response('{}', { status: 503, headers: json });
  if (faults.take(endpoint, 'html200')) return new Response('<html><body>maintenance</body></html>', { headers: { 'content-type': 'text/html' } });
  if (faults.take(endpoint, 'truncated')) return new Response('{"bringinLink":{"id":"8ed1', { headers: json });
  if (faults.take(endpoint, 'endless')) return new Response(endless(), { headers: json });
  const redirect = faults.take(endpoint, 'redirect');
  if (redirect) return new Response(null, { status: 307, headers: { location: redirect.to ?? 'http://127.0.0.1:1/' } });
  const refusal = faults.take(endpoint, 'refuse');
  if (refusal) return errorReply(state, refusal.status ?? 400, 'refused by a test', '20001');
  return faults.take(endpoint, 'reset') ? cutConnection(c) : undefined;
};
