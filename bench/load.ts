/** Sends requests over a number of connections. Each connection sends its next request when the last one is answered. */
import { Agent, request } from 'undici';

export type Load = { url: string; body: () => string; connections: number; requests: number };
export type Measured = { perSecond: number; p50: number; p99: number; failed: number };

export const load = async ({ url, body, connections, requests }: Load): Promise<Measured> => {
  const agent = new Agent({ connections, pipelining: 1 });
  const times: number[] = [];
  let left = requests;
  let failed = 0;
  const started = performance.now();
  const one = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const at = performance.now();
      const answer = await request(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: body(), dispatcher: agent });
      await answer.body.dump();
      if (answer.statusCode !== 200) failed += 1;
      times.push(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
  const seconds = (performance.now() - started) / 1000;
  await agent.close();
  times.sort((a, b) => a - b);
  return { perSecond: requests / seconds, p50: times[Math.floor(times.length * 0.5)] ?? 0, p99: times[Math.floor(times.length * 0.99)] ?? 0, failed };
};
