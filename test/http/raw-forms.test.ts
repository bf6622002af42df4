/** Requests as only raw sockets can send them: each gets one readable answer, and the next caller is served. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({ alpine: { simulator: {} } });
});
afterAll(async () => await gateway.close());

/** Sends the parts one after another, and returns all that came back until the other side closed the connection. */
const send = async (...parts: (string | Buffer)[]): Promise<string> =>
  await new Promise((done, failed) => {
    let text = '';
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () => {
      for (const part of parts) socket.write(part);
    });
    socket.setEncoding('latin1').on('data', (more: string) => (text += more));
    // The answer may arrive while the rest of a long body is still being written.
    socket.once('error', (error: NodeJS.ErrnoException) => (['ECONNRESET', 'EPIPE'].includes(error.code ?? '') ? undefined : failed(error)));
    socket.once('close', () => done(text));
  });
const statuses = (text: string): number[] => [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
const isServed = async (): Promise<boolean> => (await fetch(`${gateway.url}/health/live`)).ok;

const head = (line: string, ...headers: string[]): string => `${[line, ...headers, 'connection: close'].join('\r\n')}\r\n\r\n`;
const post = (body: string | Buffer, ...headers: string[]): (string | Buffer)[] => [
  head('POST /payment-options HTTP/1.1', 'host: a', `content-length: ${Buffer.byteLength(body)}`, ...headers),
  body,
];
const json = 'content-type: application/json';

describe('a body that is too long', () => {
  it.each([20_000, 1_000_000])('of %i bytes gets 413', async (bytes) => {
    const text = await send(...post(Buffer.alloc(bytes, 0x20), json));
    expect(statuses(text)).toEqual([413]);
    expect(text).toContain('"code":"payload-too-large"');
    expect(await isServed()).toBe(true);
  });
  it('gets 413 although its end never comes', async () => {
    const text = await send(head('POST /payment-options HTTP/1.1', 'host: a', 'transfer-encoding: chunked', json), `7530\r\n${' '.repeat(0x7530)}\r\n`);
    expect(statuses(text)).toEqual([413]);
    expect(await isServed()).toBe(true);
  });
});

describe('the host and the target', () => {
  it.each<[string, string, number[]]>([
    ['no Host', head('GET /health/live HTTP/1.1'), [400]],
    ['an empty Host', head('GET /health/live HTTP/1.1', 'host:'), [200]],
    ['a Host with a path', head('GET /health/live HTTP/1.1', 'host: a/b'), [400]],
    ['two Hosts', head('GET /health/live HTTP/1.1', 'host: a', 'host: b'), [200]],
    ['an absolute target', head('GET http://b/health/live HTTP/1.1', 'host: a'), [200]],
    ['a target that is no path', head('GET //health/live HTTP/1.1', 'host: a'), [404]],
    ['HTTP/1.0 without a Host', head('GET /health/live HTTP/1.0'), [200]],
    ['OPTIONS *', head('OPTIONS * HTTP/1.1', 'host: a'), [400]],
    ['a bad percent sign', head('GET /%zz HTTP/1.1', 'host: a'), [404]],
  ])('%s', async (_, request, wanted) => {
    expect(statuses(await send(request))).toEqual(wanted);
    expect(await isServed()).toBe(true);
  });
});

describe('the body and its type', () => {
  const answer = async (body: string | Buffer, ...headers: string[]): Promise<(number | string)[]> => {
    const text = await send(...post(body, ...headers));
    return [...statuses(text), ...[...text.matchAll(/"pointer":"([^"]*)"|"code":"([^"]*)"/g)].map(([, pointer, code]) => pointer ?? code ?? '')];
  };
  /** The body was read: what is wrong with it is that it names no session. */
  const isRead = [400, 'invalid-request', '/session_id'];
  it.each<[string, string | Buffer, string[], (number | string)[]]>([
    ['plain', '{}', [json], isRead],
    ['a byte order mark', '\uFEFF{}', [json], isRead],
    ['a charset in capitals', '{}', ['content-type: application/json; charset=UTF-8'], isRead],
    ['UTF-16', Buffer.from('\uFEFF{}', 'utf16le'), ['content-type: application/json; charset=utf-16'], [400, 'invalid-request']],
    ['no type', '{}', [], [415, 'unsupported-media-type']],
    ['a form', 'a=b', ['content-type: application/x-www-form-urlencoded'], [415, 'unsupported-media-type']],
    ['Expect: 100-continue', '{}', [json, 'expect: 100-continue'], [100, ...isRead]],
    ['another Expect', '{}', [json, 'expect: a-miracle'], [417]],
    ['both kinds of length', '0\r\n\r\n', [json, 'transfer-encoding: chunked'], [400]],
  ])('%s', async (_, body, headers, wanted) => expect(await answer(body, ...headers)).toEqual(wanted));
});
