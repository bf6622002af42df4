import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ProviderFault } from '../fault.ts';
import type { HttpRequest, HttpResponse } from '../spec.ts';
import { requestJson } from './request-json.ts';
import { parseJsonKeepingNumbers, readTime, wireBoolean, wireFiat, wireInteger, wireSats } from './wire-values.ts';

const answer = (status: number, body: string, headers: Record<string, string> = { 'content-type': 'application/json' }): HttpResponse => ({
  status,
  headers,
  body: new TextEncoder().encode(body),
});
const call = async (response: HttpResponse, more: object = {}) => {
  const sent: HttpRequest[] = [];
  const http = (request: HttpRequest) => (sent.push(request), Promise.resolve(response));
  const reply = await requestJson({
    http,
    method: 'POST',
    url: 'https://p.example/x',
    body: { a: 1 },
    signal: new AbortController().signal,
    schema: z.object({ n: z.number() }),
    ...more,
  });
  return { reply, sent };
};
const faultOf = async (response: HttpResponse, more: object = {}): Promise<ProviderFault> => {
  const fault = await call(response, more).catch((error: unknown) => error);
  if (!(fault instanceof ProviderFault)) throw new Error('no fault');
  return fault;
};

describe('requestJson', () => {
  it("sends compact JSON and returns the schema's value", async () => {
    const { reply, sent } = await call(answer(200, '{"n":1,"other":true}'));
    expect(reply).toEqual({ ok: true, status: 200, value: { n: 1 } });
    expect(sent[0]).toMatchObject({
      method: 'POST',
      body: '{"a":1}',
      headers: { 'content-type': 'application/json', 'accept-encoding': 'identity' },
      maxBytes: 65_536,
    });
  });

  it.each([
    ['HTML', answer(200, '<html>', { 'content-type': 'text/html' }), 'malformed'],
    ['truncated', answer(200, '{"n":'), 'malformed'],
    ['a string', answer(200, '"An order already exists"'), 'malformed'],
    ['not UTF-8', { ...answer(200, ''), body: Uint8Array.from([0x22, 0xff, 0x22]) }, 'malformed'],
    ['empty', answer(204, ''), 'malformed'],
    ['a redirect', answer(307, '', { location: 'https://other.example/' }), 'malformed'],
    ['500', answer(500, '{}'), 'server'],
    ['503', answer(503, '{}'), 'server'],
    ['429', answer(429, '{}'), 'rate-limited'],
    ['too deep', answer(200, `${'['.repeat(100)}${']'.repeat(100)}`), 'malformed'],
  ])('%s is a fault', async (_name, response, kind) => {
    expect((await faultOf(response)).kind).toBe(kind);
  });

  it("says what was not taken and when to come back, never the provider's words", async () => {
    const limited = await faultOf(answer(429, '{"message":"secret words"}', { 'retry-after': '7' }));
    expect(limited).toMatchObject({ taken: 'no', retryAfterMs: 7000, retryable: true });
    expect(limited.message).not.toContain('secret');
    expect(await faultOf(answer(429, '', { 'x-ratelimit-reset': '30' }))).toMatchObject({ retryAfterMs: 30_000 });
    expect(await faultOf(answer(429, '', { 'x-ratelimit-reset': '1795276927', date: new Date(1_795_276_900_000).toUTCString() }))).toMatchObject({
      retryAfterMs: 27_000,
    });
    expect(await faultOf(answer(403, '{}'), { credentials: true })).toMatchObject({ kind: 'rejected-credentials', taken: 'no', retryable: false });
  });

  it('hands refusals over with their body, and drops members that reach a prototype', async () => {
    const { reply } = await call(answer(422, '{"detail":"no","__proto__":{"x":1},"constructor":2}'));
    expect(reply).toEqual({ ok: false, status: 422, body: { detail: 'no' } });
    expect(({} as { x?: number }).x).toBeUndefined();
    expect((await call(answer(409, '{"n":2}'), { alsoGood: [409] })).reply).toEqual({ ok: true, status: 409, value: { n: 2 } });
  });
});

it('reads wire values', () => {
  expect([wireSats.parse(5000), wireSats.parse(5000.0000001), wireSats.parse('5000'), wireSats.parse(5000.9), wireFiat.parse(5000.1)]).toEqual([
    5000n,
    5000n,
    5000n,
    5000n,
    5001n,
  ]);
  expect([wireSats.safeParse('x').success, wireSats.safeParse(null).success, wireInteger.safeParse(1.5).success, wireInteger.parse('7')]).toEqual([
    false,
    false,
    false,
    7,
  ]);
  expect([wireBoolean.parse('false'), wireBoolean.parse(1), wireBoolean.safeParse('maybe').success]).toEqual([false, true, false]);
  const at = Date.parse('2023-09-20T00:25:11.123Z');
  expect(
    [
      '2023-09-20T00:25:11.123Z',
      '2023-09-20T02:25:11.123456+02:00',
      '2023-09-20 00:25:11.123999',
      '2023-09-20T00:25:11.123456789z',
      '2023-09-20T02:25:11.123+0200',
    ].map(readTime),
  ).toEqual([at, at, at, at, at]);
  expect([readTime('1695169511'), readTime('yesterday')]).toEqual([undefined, undefined]);
  expect(parseJsonKeepingNumbers('{"a":9.739384389926184e-05,"b":[1.0200634879994863]}')).toEqual({ a: '9.739384389926184e-05', b: ['1.0200634879994863'] });
});
