import { createServer } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createGuardedSender } from './guarded-sender.ts';

let connections = 0;
const server = createServer((_request, response) => response.end('ok'));
server.on('connection', () => {
  connections += 1;
});
beforeAll(async () => await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready)));
afterAll(() => void server.close());
const port = () => (server.address() as AddressInfo).port;
const resolving =
  (addresses: string[]): LookupFunction =>
  (_host, _options, done) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
const send = async (url: string, addresses: string[], sandbox = false) => {
  const sender = createGuardedSender({ check: () => ({ ok: true }), sandbox, lookup: resolving(addresses) });
  const outcome = await sender.send({ url, headers: { 'content-type': 'application/json' }, body: '{}', timeoutMs: 500 });
  await sender.close();
  return outcome;
};

it.each([[['127.0.0.1']], [['10.0.0.1']], [['169.254.169.254']], [['::1']], [['::ffff:127.0.0.1']], [['93.184.215.14', '127.0.0.1']]])(
  'a host that resolves to %j gets no connection',
  async (addresses) => {
    const before = connections;
    expect(await send(`http://wallet.example:${port()}/`, addresses)).toEqual({ outcome: 'blocked', statusClass: 'blocked' });
    expect(connections).toBe(before);
  },
);

it('a refused URL is not even resolved', async () => {
  const sender = createGuardedSender({ check: () => ({ ok: false }), sandbox: false });
  expect(await sender.send({ url: `http://127.0.0.1:${port()}/`, headers: {}, body: '', timeoutMs: 500 })).toEqual({
    outcome: 'blocked',
    statusClass: 'blocked',
  });
  expect(connections).toBe(0);
  await sender.close();
});

it('loopback is reached in sandbox mode', async () => {
  expect(await send(`http://wallet.example:${port()}/`, ['127.0.0.1'], true)).toMatchObject({ outcome: 'delivered', status: 200 });
});

it('tests to a path that never answers take up no connection of the webhooks to the same host', async () => {
  const silent = createServer((request, response) => (request.url === '/hangs' ? undefined : void response.end('ok')));
  await new Promise<void>((ready) => silent.listen(0, '127.0.0.1', ready));
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const sender = createGuardedSender({ check: () => ({ ok: true }), sandbox: true });
  const one = { headers: {}, body: '{}' };
  const tests = Array.from({ length: 40 }, async () => await sender.send({ ...one, url: `${url}/hangs`, timeoutMs: 3000, isTest: true }));
  expect(await sender.send({ ...one, url, timeoutMs: 2500 })).toMatchObject({ outcome: 'delivered' });
  silent.closeAllConnections();
  silent.close();
  expect(new Set((await Promise.all(tests)).map(({ outcome }) => outcome))).toEqual(new Set(['failed']));
  await sender.close();
});
