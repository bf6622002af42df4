/** What a broken or hostile provider can do below HTTP, over both implementations of the port. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { timed } from '../../test/support/stopwatch.ts';
import { ProviderFault } from '../providers/fault.ts';
import type { Http } from '../providers/spec.ts';
import { createFetchHttp } from './http-fetch.ts';
import { createUndiciHttp } from './http-undici.ts';

const json = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const bomb = gzipSync(Buffer.alloc(200_000_000));
let elsewhere = '';
let elsewhereAsked = 0;
const acts: Record<string, (socket: Socket) => unknown> = {
  '/reset-after-headers': (socket) => socket.write(`${json}content-length: 100\r\n\r\n{"a":`, () => socket.resetAndDestroy()),
  '/short': (socket) => socket.end(`${json}content-length: 100\r\n\r\n{"a":1}`),
  '/long': (socket) => socket.write(`${json}content-length: 7\r\n\r\n{"a":1}${'x'.repeat(100_000)}`),
  '/two-lengths': (socket) => socket.end(`${json}content-length: 7\r\ntransfer-encoding: chunked\r\n\r\n186a0\r\n${'x'.repeat(100_000)}\r\n0\r\n\r\n`),
  '/claims-much': (socket) => socket.write(`${json}content-length: 999999999\r\n\r\n{"a":1}`),
  '/header': (socket) => socket.end(`${json}x-huge: ${'x'.repeat(30_000)}\r\ncontent-length: 2\r\n\r\n{}`),
  '/drip': (socket) => {
    socket.write(`${json}content-length: 60000\r\n\r\n`);
    const timer = setInterval(() => socket.write(' '), 50);
    socket.on('close', () => clearInterval(timer));
  },
  '/bomb': (socket) => {
    socket.write(`${json}content-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`);
    socket.end(bomb);
  },
  '/302': (socket) => socket.end(`HTTP/1.1 302 Found\r\nlocation: ${elsewhere}/\r\ncontent-length: 0\r\n\r\n`),
  '/307': (socket) => socket.end(`HTTP/1.1 307 Temporary Redirect\r\nlocation: ${elsewhere}/\r\ncontent-length: 0\r\n\r\n`),
  '/gone': (socket) => socket.resetAndDestroy(),
  '/garbage': (socket) => socket.end('220 mail.example ESMTP\r\n'),
};

const badRequest = (socket: Socket): unknown => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');

const sockets = new Set<Socket>();
const listen = async (onSocket: (socket: Socket) => void): Promise<{ server: Server; port: number }> => {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return { server, port: (server.address() as AddressInfo).port };
};
const servers: Server[] = [];
let base = '';
let refused = 0;
let breaksTls = 0;
beforeAll(async () => {
  const provider = await listen((socket) => {
    socket.once('data', (head) => (acts[/^\w+ (\S+)/.exec(head.toString())?.[1] ?? ''] ?? badRequest)(socket));
  });
  const other = await listen(() => (elsewhereAsked += 1));
  const broken = await listen((socket) => socket.once('data', () => socket.resetAndDestroy()));
  const closed = await listen(() => undefined);
  await new Promise((done) => closed.server.close(done));
  servers.push(provider.server, other.server, broken.server);
  base = `http://127.0.0.1:${provider.port}`;
  elsewhere = `http://127.0.0.1:${other.port}`;
  refused = closed.port;
  breaksTls = broken.port;
});
const undici = createUndiciHttp();
afterAll(async () => {
  await undici.close();
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
});

const forms: [string, Http][] = [
  ['undici', undici.http],
  ['fetch', createFetchHttp((url, init) => fetch(url, init))],
];
describe.each(forms)('a hostile provider over %s', (form, http) => {
  const send = async (url: string, method: 'GET' | 'POST' = 'POST') =>
    await http({
      method,
      url: url.startsWith('/') ? base + url : url,
      headers: { 'api-key': 'secret', 'accept-encoding': 'identity', 'content-type': 'application/json' },
      ...(method === 'POST' ? { body: '{}' } : {}),
      signal: AbortSignal.timeout(400),
      maxBytes: 65_536,
    });
  const faultOf = async (url: string): Promise<ProviderFault> => {
    const outcome: unknown = await send(url).catch((error: unknown) => error);
    if (!(outcome instanceof ProviderFault)) throw new Error('no fault', { cause: outcome });
    return outcome;
  };

  it.each([
    ['/reset-after-headers', 'unreachable'],
    ['/short', 'unreachable'],
    ['/drip', 'timeout'],
    ['/bomb', 'malformed'],
    ['/gone', 'unreachable'],
  ])('%s is %s, perhaps taken, by the deadline, without filling the memory', async (path, kind) => {
    const memory = process.memoryUsage().rss;
    const { ms, value: fault } = await timed(async () => await faultOf(path));
    expect(fault).toMatchObject({ kind, taken: 'maybe' });
    expect(ms).toBeLessThan(600);
    expect(process.memoryUsage().rss - memory).toBeLessThan(20_000_000);
  });

  it.each(['/garbage', '/two-lengths', '/claims-much', '/header'])('%s is a fault, perhaps taken', async (path) => {
    expect((await faultOf(path)).taken).toBe('maybe');
  });

  it('never more than the length stated', async () => {
    expect(new TextDecoder().decode((await send('/long')).body)).toBe('{"a":1}');
  });

  it.each([
    ['/302', 302],
    ['/307', 307],
  ])('%s comes back as it is and nobody else is asked', async (path, status) => {
    expect((await send(path)).status).toBe(status);
    expect(elsewhereAsked).toBe(0);
  });

  it.each([
    ['a refused port', () => `http://127.0.0.1:${refused}/`],
    ['a name that does not exist', () => 'http://nobody.invalid/'],
    ['TLS to a port that speaks none', () => `${base.replace('http:', 'https:')}/`],
    ['a connection lost before TLS is up', () => `https://127.0.0.1:${breaksTls}/`],
  ])('%s: only undici knows that nothing left', async (_name, url) => {
    expect(await faultOf(url())).toMatchObject({ kind: 'unreachable', taken: form === 'undici' ? 'no' : 'maybe' });
  });

  it("never tells the provider's words or the key", async () => {
    for (const path of ['/garbage', '/reset-after-headers', '/header']) {
      const { message } = await faultOf(path);
      expect(message).not.toMatch(/ESMTP|secret|xxx/);
    }
  });
});
