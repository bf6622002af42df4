import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { timed } from '../../test/support/stopwatch.ts';
import { ProviderFault } from '../providers/fault.ts';
import type { Http } from '../providers/spec.ts';
import { createFetchHttp } from './http-fetch.ts';
import { createUndiciHttp } from './http-undici.ts';

const seen: { path: string; key: string | undefined }[] = [];
const echoOf = async (request: IncomingMessage): Promise<string> => {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return `${request.method} ${body}`;
};
const answers: Record<string, (response: ServerResponse) => void> = {
  '/good': (response) => response.setHeader('content-type', 'application/json').end('{"a":1}'),
  '/chunked': (response) => {
    response.write('{"a":');
    response.end('1}');
  },
  '/html': (response) => response.setHeader('content-type', 'text/html').end('<html>'),
  '/204': (response) => response.writeHead(204).end(),
  '/redirect': (response) => response.writeHead(307, { location: '/elsewhere' }).end(),
  '/large': (response) => response.end('x'.repeat(100_000)),
  '/endless': (response) => {
    const timer = setInterval(() => response.write('x'.repeat(65_536)), 1);
    response.on('close', () => clearInterval(timer));
  },
  '/drip': (response) => {
    const timer = setInterval(() => response.write(' '), 50);
    response.on('close', () => clearInterval(timer));
  },
  '/silent': () => undefined,
  '/bomb': (response) => response.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(5_000_000))),
  '/header': (response) => response.setHeader('x-huge', 'x'.repeat(30_000)).end('{}'),
  '/reset': (response) => response.destroy(),
};
const server = createServer((request: IncomingMessage, response) => {
  seen.push({ path: request.url ?? '', key: request.headers['api-key'] as string | undefined });
  if (request.url === '/echo') return void echoOf(request).then((text) => response.end(text));
  (answers[request.url ?? ''] ?? ((unknown) => unknown.writeHead(404).end()))(response);
});
let base = '';
beforeAll(async () => {
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
const undici = createUndiciHttp();
afterAll(async () => {
  await undici.close();
  server.closeAllConnections();
  server.close();
});

const forms: [string, Http][] = [
  ['undici', undici.http],
  ['fetch', createFetchHttp((url, init) => fetch(url, init))],
];
describe.each(forms)('http over %s', (form, http) => {
  const get = async (path: string, deadlineMs = 400) =>
    await http({
      method: 'GET',
      url: path.startsWith('/') ? base + path : path,
      headers: { 'api-key': 'k', 'accept-encoding': 'identity' },
      signal: AbortSignal.timeout(deadlineMs),
      maxBytes: 65_536,
    });
  const faultOf = async (path: string): Promise<ProviderFault> =>
    await get(path).then(
      () => Promise.reject(new Error('no fault')),
      (error: unknown) => (error instanceof ProviderFault ? error : Promise.reject(error as Error)),
    );

  it.each(['POST', 'PUT', 'PATCH'] as const)('sends a body with %s', async (method) => {
    const { body } = await http({ method, url: `${base}/echo`, body: '{"a":1}', signal: AbortSignal.timeout(10_000), maxBytes: 100 });
    expect(new TextDecoder().decode(body)).toBe(`${method} {"a":1}`);
  });

  it.each(['/good', '/chunked'])('%s is read whole', async (path) => {
    const answer = await get(path);
    expect([answer.status, new TextDecoder().decode(answer.body)]).toEqual([200, '{"a":1}']);
  });
  it('hands over what is not JSON, empty answers and redirects as they are', async () => {
    expect((await get('/html')).headers['content-type']).toBe('text/html');
    expect((await get('/204')).status).toBe(204);
    expect((await get('/redirect')).status).toBe(307);
    expect(seen.some((one) => one.path === '/elsewhere')).toBe(false);
  });
  it.each([
    ['/large', 'malformed'],
    ['/endless', 'malformed'],
    ['/drip', 'timeout'],
    ['/silent', 'timeout'],
    ['/reset', 'unreachable'],
  ])('%s ends as %s by the deadline', async (path, kind) => {
    const { ms, value: fault } = await timed(async () => await faultOf(path));
    expect(fault.kind).toBe(kind);
    expect(ms).toBeLessThan(600);
  });
  it('an encoded answer is refused before it is unpacked', async () => {
    expect((await faultOf('/bomb')).kind).toBe('malformed');
  });
  it('a refused connection is unreachable; only undici can tell that nothing was sent', async () => {
    const fault = await faultOf('http://127.0.0.1:1/');
    expect([fault.kind, fault.taken]).toEqual(['unreachable', form === 'undici' ? 'no' : 'maybe']);
  });
});

describe('for hosts that somebody else names', () => {
  const resolving =
    (...addresses: string[]): LookupFunction =>
    (_host, _options, done) =>
      done(
        null,
        addresses.map((address) => ({ address, family: 4 })),
      );
  const reached = async (url: string, sandbox: boolean, lookup?: LookupFunction): Promise<string> => {
    const { http, close } = createUndiciHttp({ guard: { sandbox, ...(lookup ? { lookup } : {}) } });
    try {
      return String((await http({ method: 'GET', url, signal: AbortSignal.timeout(2000), maxBytes: 65_536 })).status);
    } catch (fault) {
      return fault instanceof ProviderFault ? `${fault.kind}, taken: ${fault.taken}` : 'a defect';
    } finally {
      await close();
    }
  };
  const port = (): string => new URL(base).port;

  it('an address that is not public is not called, written or resolved, alone or among others', async () => {
    const blocked = 'unreachable, taken: no';
    expect(await reached(`${base}/good`, false)).toBe(blocked);
    expect(await reached(`http://[::1]:${port()}/good`, false)).toBe(blocked);
    for (const lookup of [resolving('127.0.0.1'), resolving('93.184.215.14', '127.0.0.1'), resolving('10.0.0.8'), resolving()])
      expect(await reached(`http://pay.example:${port()}/good`, false, lookup)).toBe(blocked);
    expect(await reached(`http://pay.example:${port()}/good`, true, resolving('10.0.0.8'))).toBe(blocked);
  });
  it('in a sandbox, loopback is called', async () => {
    expect(await reached(`${base}/good`, true)).toBe('200');
    expect(await reached(`http://pay.example:${port()}/good`, true, resolving('127.0.0.1'))).toBe('200');
  });
});
