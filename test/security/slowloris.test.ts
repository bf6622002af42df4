/** G15: sockets that drip their request are closed, and a normal client does not notice them. */
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isFull, reportGoal } from '../fuzz/random.ts';
import { stopwatch } from '../support/stopwatch.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const count = isFull ? 500 : 120;
let gateway: TestGateway;
const sockets: Socket[] = [];
const watch = stopwatch();
beforeAll(async () => {
  gateway = await startTestGateway({ alpine: { simulator: {} } });
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  watch.stop();
  await gateway.close();
});

/** Returns how long a socket stays open that sends one byte a second after `start`. */
const drip = async (start: string): Promise<number> =>
  await new Promise((closed) => {
    const opened = watch.ms();
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () => socket.write(start));
    sockets.push(socket);
    const timer = setInterval(() => socket.write('x'), 1000);
    socket.on('error', () => undefined).resume();
    socket.on('close', () => {
      clearInterval(timer);
      closed(watch.ms() - opened);
    });
  });

it(`${count} dripping sockets are closed within 15 s while a normal client is served`, async () => {
  const starts = [
    'GET /health/live HTTP/1.1\r\nhost: x\r\nx-slow: ',
    'POST /quote HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10000\r\n\r\n{"a":"',
    'POST /quote HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n2000\r\n{"a":"',
    'G',
  ];
  const lives = Promise.all(Array.from({ length: count }, (_, i) => drip(starts[i % starts.length] ?? '')));
  const times: number[] = [];
  let over = false;
  const normal = (async () => {
    while (!over) {
      const began = watch.ms();
      expect((await fetch(`${gateway.url}/health/live`)).status).toBe(200);
      times.push(watch.ms() - began);
      await new Promise((done) => setTimeout(done, 10));
    }
  })();
  const longest = Math.max(...(await lives));
  over = true;
  await normal;
  const p99 = times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Infinity;
  // A request may take 13 s, and the server looks for late requests every second.
  reportGoal('G15', `${count} sockets closed after at most ${(longest / 1000).toFixed(1)} s; normal p99 ${p99.toFixed(1)} ms of ${times.length}`, 0);
  expect(longest).toBeLessThan(15_000);
  expect(p99).toBeLessThan(100);
});
