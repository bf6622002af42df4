/** G10: whatever a wallet names as its webhook, no socket is opened to an address that is not public. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { createGuardedSender } from '../../src/entry/guarded-sender.ts';
import { checkPublicUrl, type UrlRules } from '../../src/domain/url-guard.ts';
import { readOperations, type Operation } from '../fuzz/operations.ts';
import { reportGoal } from '../fuzz/random.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const live: UrlRules = { sandbox: false, allowedPorts: [443], ownHosts: ['ramp.example'] };

/** Hosts that are not public and the gateway's own host, in several spellings. */
const hosts = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '0x7f.1',
  '0x7f000001',
  '2130706433',
  '017700000001',
  '0177.0.0.1',
  '127.0.0.1.',
  '①②⑦.⓪.⓪.①',
  '１２７.０.０.１',
  '0',
  '0.0.0.0',
  '[::1]',
  '[::]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  // This old form of an IPv4 address was replaced by the form ::ffff:127.0.0.1.
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b::a00:1]',
  '[2002:7f00:1::]',
  '[fe80::1]',
  '[fc00::1]',
  '[fd12:3456::1]',
  '[fec0::1]',
  '[ff02::1]',
  '[2001:db8::1]',
  'localhost',
  'localhost.',
  'LOCALHOST',
  'a.localhost',
  'db.internal',
  'db.internal..',
  'ramp.payments.svc',
  'printer.local',
  'intranet',
  '10.0.0.1',
  '10.255.255.255',
  '172.16.0.1',
  '172.31.255.254',
  '192.168.0.1',
  '169.254.169.254',
  '168.63.129.16',
  '100.64.0.1',
  '192.0.0.1',
  '192.0.2.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  'ramp.example',
  'ramp.example.',
  'ramp.example..',
  'RAMP.example',
];
const spelt = [
  ...hosts.map((host) => `https://${host}/hook`),
  'http://wallet.example/',
  'ftp://wallet.example/',
  'https://a:b@wallet.example/',
  'https://wallet.example:22/',
  'file:///etc/passwd',
  'gopher://127.0.0.1/',
  '//127.0.0.1/',
  'https:///',
  `https://wallet.example/${'x'.repeat(2048)}`,
];

let connections = 0;
let elsewhere = 0;
const listen = async (onConnection: () => void, answer: () => [number, Record<string, string>]): Promise<Server> => {
  const server = createServer((_request, response) => {
    const [status, headers] = answer();
    response.writeHead(status, headers).end('marker-of-the-target');
  }).on('connection', onConnection);
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return server;
};
const portOf = (server: Server): number => (server.address() as AddressInfo).port;
let target: Server;
let other: Server;
let redirect: [number, string] = [200, ''];
let gateway: TestGateway;
let operations: Operation[];
beforeAll(async () => {
  other = await listen(
    () => (elsewhere += 1),
    () => [200, {}],
  );
  target = await listen(
    () => (connections += 1),
    () => [redirect[0], redirect[1] === '' ? {} : { location: redirect[1] }],
  );
  gateway = await startTestGateway({ alpine: { simulator: { quoteTtlS: 3600 } } });
  operations = await readOperations(gateway.url);
});
afterAll(async () => {
  await gateway.close();
  target.close();
  other.close();
});

const resolving = (answers: string[][]): { lookup: LookupFunction; asked: () => number } => {
  let asked = 0;
  const lookup: LookupFunction = (_host, _options, done) => {
    const addresses = answers[Math.min(asked, answers.length - 1)] ?? [];
    asked += 1;
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return { lookup, asked: () => asked };
};
const sendWith = async (url: string, rules: UrlRules | undefined, sandbox: boolean, lookup?: LookupFunction) => {
  const sender = createGuardedSender({ check: (one) => (rules ? checkPublicUrl(one, rules) : { ok: true }), sandbox, ...(lookup ? { lookup } : {}) });
  const outcome = await sender.send({ url, headers: { 'content-type': 'application/json' }, body: '{}', timeoutMs: 800 });
  await sender.close();
  return outcome;
};

it.each(spelt)('%s is refused when it is registered', (url) => {
  expect(checkPublicUrl(url, live)).toMatchObject({ ok: false });
});

it('no socket is opened to any of them when a webhook is sent, on a port where a server listens', async () => {
  const rules = { ...live, allowedPorts: [443, portOf(target)] };
  const outcomes = await Promise.all(hosts.map(async (host) => (await sendWith(`https://${host}:${portOf(target)}/`, rules, false)).outcome));
  expect(new Set(outcomes)).toEqual(new Set(['blocked']));
  expect(connections).toBe(0);
});

it.each([
  ['private', [['10.0.0.1']]],
  ['loopback', [['127.0.0.1']]],
  ['loopback, IPv6', [['::1']]],
  ['mapped', [['::ffff:127.0.0.1']]],
  ['NAT64', [['64:ff9b::7f00:1']]],
  ['metadata', [['169.254.169.254']]],
  ['the host of an Azure machine', [['168.63.129.16']]],
  ['one bad among good', [['93.184.215.14', '127.0.0.1']]],
  ['one good among bad', [['127.0.0.1', '93.184.215.14']]],
  ['nothing', [[]]],
  ['what is no address', [['not-an-address']]],
])('a public name that resolves to %s gets no socket', async (_name, answers) => {
  const before = connections;
  const { lookup } = resolving(answers);
  const rules = { ...live, allowedPorts: [portOf(target)] };
  expect(await sendWith(`https://wallet.example:${portOf(target)}/`, rules, false, lookup)).toEqual({ outcome: 'blocked', statusClass: 'blocked' });
  expect(connections).toBe(before);
});

it('a name is resolved once for a socket: the address that was checked is the one that is used', async () => {
  // Loopback is allowed here, so that the first resolved address can be reached. The name must not be resolved again, which would give 10.0.0.1.
  const { lookup, asked } = resolving([['127.0.0.1'], ['10.0.0.1']]);
  expect(await sendWith(`http://wallet.example:${portOf(target)}/`, undefined, true, lookup)).toMatchObject({ outcome: 'delivered' });
  expect(asked()).toBe(1);
  const rebound = resolving([['10.0.0.1']]);
  expect(await sendWith(`http://wallet.example:${portOf(target)}/`, undefined, true, rebound.lookup)).toMatchObject({ outcome: 'blocked' });
});

it.each([301, 302, 303, 307, 308])('a %i is a failure, and the redirect is not followed', async (status) => {
  redirect = [status, `http://127.0.0.1:${portOf(other)}/`];
  const { lookup } = resolving([['127.0.0.1']]);
  expect(await sendWith(`http://wallet.example:${portOf(target)}/`, undefined, true, lookup)).toMatchObject({ outcome: 'failed', status });
  redirect = [200, ''];
  expect(elsewhere).toBe(0);
});

it('every operation that takes a webhook refuses them, stores none, and tells nothing of the target', async () => {
  const { call, open } = createWallet(gateway.url);
  const { sessionId } = await open();
  const takers = operations.filter((one) => one.body?.properties?.['webhook_url']);
  expect(takers.map((one) => one.path)).toEqual(expect.arrayContaining(['/order', '/webhook-test']));
  const quote = await call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  // In sandbox mode, webhooks to loopback are allowed. All the others stay refused.
  const sandbox = { ...live, sandbox: true };
  const refused = spelt.filter((url) => !checkPublicUrl(url, sandbox).ok && !/ramp\.example/i.test(url));
  expect(refused.length).toBeGreaterThan(30);
  for (const path of ['/order', '/webhook-test'])
    for (const webhook_url of refused) {
      const { status, body } = await call(path, { session_id: sessionId, quote_id: quote.body['quote_id'], webhook_url });
      // A URL that is too long is refused by the schema of the body.
      expect([webhook_url, status, body['code']]).toEqual(
        webhook_url.length > 2048 ? [webhook_url, 400, 'invalid-request'] : [webhook_url, 422, 'webhook-url-refused'],
      );
    }
  const [row] = await gateway.database.sql<{ n: number }[]>`select ((select count(*) from intents) + (select count(*) from deliveries))::int as n`;
  expect(row?.n).toBe(0);
  const tested = await call('/webhook-test', { session_id: sessionId, webhook_url: `http://127.0.0.1:${portOf(target)}/` });
  expect(tested.body).toEqual({ delivered: true, status_class: '2xx' });
  expect(gateway.logs.join('\n') + JSON.stringify(tested.body)).not.toContain('marker-of-the-target');
  reportGoal('G10', `${spelt.length} spellings, 10 resolved sets, 5 redirects, ${takers.length} operations: 0 connections`, 0);
});
