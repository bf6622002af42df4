/** G11, in addition to canary.test.ts: secrets in requests that fail, and a failing provider's own words, must not appear in clear either. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { startFiatOnRampSimulator, type RunningSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { readOperations, type Operation } from '../fuzz/operations.ts';
import { reportGoal } from '../fuzz/random.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const words = 'canary-words-of-a-provider';
/** The responses of the broken provider, which it gives in turn: status, content type and body. */
const replies: [number, string, string][] = [
  [500, 'application/json', `{"detail":"${words}"}`],
  [400, 'application/json', `{"message":"${words}"}`],
  [200, 'text/html', `<html>${words}</html>`],
  [200, 'application/json', `{"session_id":"${words}`],
  [200, 'application/json', `{"${words}":"${words}"}`],
  [403, 'application/json', `"${words}"`],
  [302, 'application/json', '{}'],
];
let asked = 0;
let broken: Server;
let truth: RunningSimulator;
let gateway: TestGateway;
let operations: Operation[];
beforeAll(async () => {
  truth = await startFiatOnRampSimulator({ id: 'broken' });
  // The provider is sound until it is asked for a price.
  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.url === '/quote') {
      const [status, type, body] = replies[(asked += 1) % replies.length] ?? [500, '', ''];
      response.writeHead(status, { 'content-type': type, 'x-canary': words, location: `http://127.0.0.1:1/${words}` }).end(body);
      return;
    }
    const answer = await fetch(`${truth.url}${request.url}`, {
      method: request.method ?? 'GET',
      ...(request.method === 'POST' ? { body: Buffer.concat(chunks).toString(), headers: { 'content-type': 'application/json' } } : {}),
    });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  };
  broken = createServer((request, response) => void forward(request, response).catch(() => response.destroy()));
  await new Promise<void>((ready) => broken.listen(0, '127.0.0.1', ready));
  gateway = await startTestGateway({
    alpine: { simulator: { quoteTtlS: 3600 } },
    broken: {
      simulator: {},
      block: {
        base_url: `http://127.0.0.1:${(broken.address() as AddressInfo).port}`,
        breaker: { volume_threshold: 1_000_000 },
        opens_per_minute: 1_000_000,
      },
    },
  });
  operations = await readOperations(gateway.url);
});
afterAll(async () => {
  await gateway.close();
  broken.close();
  await truth.close();
});

const dump = async (): Promise<string> => {
  const { sql } = gateway.database;
  const tables = await sql<{ name: string }[]>`select table_name as name from information_schema.tables where table_schema = 'public'`;
  const texts = await Promise.all(
    tables.map(async ({ name }) => (await sql.unsafe(`select coalesce(string_agg(t::text, E'\n'), '') as rows from "${name}" t`))[0]?.['rows'] as string),
  );
  return texts.join('\n');
};

it('no secret of a failed request and no word of a failed provider stands anywhere', async () => {
  const { call, open } = createWallet(gateway.url);
  const { sessionId } = await open();
  const answers: string[] = [];
  const canaries: string[] = [];
  const canary = (where: string): string => {
    const one = `canary-${where}-${canaries.length}-9f2c1b`.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-');
    canaries.push(one);
    return one;
  };
  const raw = async (path: string, init: RequestInit): Promise<void> => void answers.push(await (await fetch(gateway.url + path, init)).text());

  for (const { method, path, name, body } of operations) {
    const json = {
      'content-type': 'application/json',
      authorization: `Bearer ${canary(`${name}-bearer`)}`,
      'x-session-id': canary(`${name}-header`),
      cookie: canary(`${name}-cookie`),
    };
    if (method === 'get') {
      await raw(`${path}?token=${canary(`${name}-query`)}&currency_code=${canary(`${name}-currency`)}`, { headers: json });
      continue;
    }
    const post = async (text: string, headers: Record<string, string> = json): Promise<void> => await raw(path, { method: 'POST', headers, body: text });
    await post(`{"session_id":"${canary(`${name}-broken-json`)}`);
    await post(canary(`${name}-other-type`), { ...json, 'content-type': 'text/plain' });
    await post(JSON.stringify({ a: { b: { c: { d: [canary(`${name}-deep`)] } } }, __proto__x: canary(`${name}-unknown`) }));
    await post(JSON.stringify({ session_id: sessionId, [canary(`${name}-key`)]: 1 }));
    for (const member of Object.keys(body?.properties ?? {}).filter((one) => !['currency_code', 'app_id', 'name', 'pay_with'].includes(one)))
      await post(JSON.stringify({ session_id: sessionId, currency_id: 1, payment_option_id: 1, [member]: canary(`${name}-${member}`) }));
  }
  await raw(`/notices/broken/order/${canary('target')}/${canary('notice-token-of-some-length')}`, { method: 'POST', body: canary('notice-body') });
  for (let i = 0; i < replies.length; i += 1) {
    const fresh = await open();
    const { body } = await call('/offers', { session_id: fresh.sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
    answers.push(JSON.stringify(body));
    for (const path of ['/features', '/providers']) answers.push(JSON.stringify((await call(path)).body));
  }
  expect(asked).toBeGreaterThanOrEqual(replies.length);
  expect(canaries.length).toBeGreaterThan(100);

  const places = {
    answers: answers.join('\n'),
    logs: gateway.logs.join('\n'),
    database: await dump(),
    metrics: await (await fetch(`${gateway.url}/metrics`)).text(),
  };
  const found = Object.entries(places).flatMap(([place, text]) => {
    const lower = text.toLowerCase();
    return [...canaries, words].filter((one) => lower.includes(one)).map((one) => `${one} in ${place}`);
  });
  expect(found).toEqual([]);
  expect(places.logs).toContain('/offers');
  reportGoal(
    'G11',
    `${canaries.length} canaries in ${operations.length} operations and ${replies.length} kinds of a provider's words: 0 found in answers, logs, metrics, database`,
    0,
  );
});
