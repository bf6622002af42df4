/** Sends requests at a constant rate, whether or not earlier ones were answered, as customers do who know nothing of each other. */
import { Agent, request } from 'undici';
import { during, type Child, type Figures, type Request } from './children.ts';

/** Measures a process at `perSecond` requests a second. A request's time begins when it is due, so a process that falls behind is seen. */
export const measureSteady = async (target: Child, { path, body, requests }: Request, perSecond: number): Promise<Figures> =>
  await during(target, requests, async () => {
    const agent = new Agent({ connections: 256, pipelining: 1 });
    const times: number[] = [];
    let failed = 0;
    const began = performance.now();
    const one = async (n: number): Promise<void> => {
      const due = began + (n * 1000) / perSecond;
      await new Promise((done) => setTimeout(done, due - performance.now()));
      const answer = await request(target.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: body(),
        dispatcher: agent,
      });
      await answer.body.dump();
      if (answer.statusCode !== 200) failed += 1;
      times.push(performance.now() - due);
    };
    await Promise.all(Array.from({ length: requests }, async (_, n) => await one(n)));
    const ms = performance.now() - began;
    await agent.close();
    times.sort((a, b) => a - b);
    return {
      perSecond: (requests * 1000) / ms,
      p50: times[Math.floor(times.length * 0.5)] ?? 0,
      p99: times[Math.floor(times.length * 0.99)] ?? 0,
      failed,
      ms,
    };
  });
