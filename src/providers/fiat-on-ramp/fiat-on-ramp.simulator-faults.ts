import { gzipSync } from 'node:zlib';
import type { ServerResponse } from 'node:http';
import type { Context } from 'hono';
import type { Fault, FaultName } from './fiat-on-ramp.simulator-state.ts';

/** The connection under a request, as the Node server hands it over. */
const socketOf = (c: Context): ServerResponse | undefined => (c.env as { outgoing?: ServerResponse } | undefined)?.outgoing;
export const resetConnection = (c: Context): void => void socketOf(c)?.destroy();

/** Which faults are set; each use counts down. */
export const createFaults = () => {
  let faults: Fault[] = [];
  return {
    set: (fault: Fault): void => void faults.push({ ...fault }),
    clear: (): void => {
      faults = [];
    },
    /** True when this fault is to happen now. */
    take: (endpoint: string, name: FaultName): Fault | undefined => {
      const found = faults.find((one) => (one.endpoint === endpoint || one.endpoint === '*') && one.fault === name && (one.times ?? 1) > 0);
      if (found?.times !== undefined) found.times -= 1;
      return found;
    },
  };
};
export type Faults = ReturnType<typeof createFaults>;

const forever = (chunk: string, everyMs: number): ReadableStream => {
  let timer: ReturnType<typeof setInterval>;
  return new ReadableStream({
    start: (controller) => {
      timer = setInterval(() => controller.enqueue(new TextEncoder().encode(chunk)), everyMs);
    },
    cancel: () => clearInterval(timer),
  });
};

/** Faults of the transport: what comes instead of an answer. */
export const transportFault = async (c: Context, endpoint: string, faults: Faults, sleep: (ms: number) => Promise<void>): Promise<Response | undefined> => {
  const json = { 'content-type': 'application/json' };
  const latency = faults.take(endpoint, 'latency');
  if (latency) await sleep(latency.ms ?? 1000);
  if (faults.take(endpoint, '429')) return new Response('{"detail":"slow down"}', { status: 429, headers: { ...json, 'retry-after': '2' } });
  if (faults.take(endpoint, '500')) return new Response('{"detail":"broken"}', { status: 500, headers: json });
  if (faults.take(endpoint, '503')) return new Response('{"detail":"away"}', { status: 503, headers: json });
  if (faults.take(endpoint, 'html200')) return new Response('<html><body>maintenance</body></html>', { headers: { 'content-type': 'text/html' } });
  if (faults.take(endpoint, 'truncated')) return new Response('{"quote_id":"8ed1', { headers: json });
  if (faults.take(endpoint, 'endless')) return new Response(forever('x'.repeat(65_536), 1), { headers: json });
  if (faults.take(endpoint, 'drip')) return new Response(forever(' ', 50), { headers: json });
  if (faults.take(endpoint, 'gzip-bomb')) return new Response(gzipSync(Buffer.alloc(20_000_000, ' ')), { headers: { ...json, 'content-encoding': 'gzip' } });
  if (faults.take(endpoint, 'huge-header')) return new Response('{}', { headers: { ...json, 'x-huge': 'x'.repeat(30_000) } });
  const redirect = faults.take(endpoint, 'redirect');
  if (redirect) return new Response(null, { status: 307, headers: { location: redirect.to ?? 'http://127.0.0.1:1/' } });
  if (faults.take(endpoint, 'reset')) {
    resetConnection(c);
    return new Response(null, { status: 500 });
  }
  return undefined;
};
