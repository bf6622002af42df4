import { expect, it } from 'vitest';
import { bareApp } from '../../test/support/bare-app.ts';
import { isServedHere } from './console-host.ts';

const browser = { 'sec-fetch-site': 'same-origin' };
const on = (host: string, headers: Record<string, string> = {}): Request => new Request('https://gateway.example/', { headers: { host, ...headers } });

it.each<[what: string, host: string, path: string, headers: Record<string, string>, served: Record<string, boolean>]>([
  ['the console on its own host', 'console.ramp.example', '/console', {}, { live: true, without: false, sandbox: false }],
  ['its host in capitals', 'Console.Ramp.Example', '/console', browser, { live: true, without: false, sandbox: false }],
  ['its script', 'console.ramp.example', '/assets/console-0123456789ab.js', browser, { live: true, without: true, sandbox: true }],
  ['/operator from its pages', 'console.ramp.example', '/operator/overview', browser, { live: true, without: false, sandbox: false }],
  ['/operator by curl', 'console.ramp.example', '/operator/overview', {}, { live: true, without: true, sandbox: true }],
  ['anything public on that host', 'console.ramp.example', '/quote', {}, { live: false, without: true, sandbox: true }],
  ['what only begins like /operator', 'console.ramp.example', '/operators', {}, { live: false, without: true, sandbox: true }],
  ['the console on the public host', 'ramp.example', '/console', browser, { live: false, without: false, sandbox: false }],
  [
    '/operator from a page of the public host',
    'ramp.example',
    '/operator/overview',
    { origin: 'https://ramp.example' },
    { live: false, without: false, sandbox: false },
  ],
  ['/operator by curl on the public host', 'ramp.example', '/operator/overview', {}, { live: true, without: true, sandbox: true }],
  ['anything public', 'ramp.example', '/quote', browser, { live: true, without: true, sandbox: true }],
  ['the console on loopback', '127.0.0.1:8787', '/console', browser, { live: false, without: false, sandbox: true }],
  ['the console by IPv6', '[::1]:8787', '/operator/overview', browser, { live: false, without: false, sandbox: true }],
  ['a name that was rebound to loopback', '127.0.0.1.evil.example:8787', '/console', browser, { live: false, without: false, sandbox: false }],
])('%s', (_what, host, path, headers, served) => {
  const request = on(host, headers);
  expect({
    live: isServedHere(request, path, { mode: 'live', consoleHost: 'console.ramp.example' }),
    without: isServedHere(request, path, { mode: 'live', consoleHost: undefined }),
    sandbox: isServedHere(request, path, { mode: 'sandbox', consoleHost: undefined }),
  }).toEqual(served);
});

it('in live mode, the app keeps the console and the public apart, and /operator out of CORS', async () => {
  const wallet = 'https://wallet.example';
  const app = bareApp([], {
    http: { consoleHost: 'console.ramp.example', corsOrigins: new Map([[wallet, { mayShowKey: true }]]) },
    pages: async (request) => await Promise.resolve(new Response(new URL(request.url).pathname)),
  });
  const ask = async (host: string, path: string, init: RequestInit = {}): Promise<Response> =>
    await app.request(`https://${host}${path}`, { ...init, headers: { host, ...(init.headers as Record<string, string> | undefined) } });
  const statusOf = async (host: string, path: string): Promise<number> => (await ask(host, path)).status;
  expect(await Promise.all(['/console', '/docs', '/buy', '/metrics'].map((path) => statusOf('console.ramp.example', path)))).toEqual([200, 404, 404, 404]);
  expect(await Promise.all(['/console', '/docs'].map((path) => statusOf('ramp.example', path)))).toEqual([404, 200]);
  const start = await ask('console.ramp.example', '/', { headers: { accept: 'text/html' } });
  expect([start.status, start.headers.get('location')]).toEqual([302, '/console']);
  const asked = { method: 'OPTIONS', headers: { origin: wallet, 'access-control-request-method': 'GET' } };
  for (const [path, allows] of [
    ['/docs', wallet],
    ['/operator/overview', null],
  ] as const) {
    const answers = [
      await ask('ramp.example', path, asked),
      await ask('console.ramp.example', path, asked),
      await ask('ramp.example', path, { headers: { origin: wallet } }),
    ];
    expect([path, answers.map(({ headers }) => headers.get('access-control-allow-origin'))]).toEqual([
      path,
      [allows, path === '/docs' ? null : allows, allows],
    ]);
  }
});
