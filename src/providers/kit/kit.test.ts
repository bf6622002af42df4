import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { ProviderFault } from '../fault.ts';
import type { HttpRequest, HttpResponse } from '../spec.ts';
import { requestJson } from './request-json.ts';
import { readTime } from './read-time.ts';
import { parseJsonExactly, parseJsonKeepingNumbers, wireBoolean, wireFiat, wireId, wireInteger, wireSats } from './wire-values.ts';

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
    ].map((text) => readTime(text)),
  ).toEqual([at, at, at, at, at]);
  expect([readTime('1695169511'), readTime('yesterday')]).toEqual([1_695_169_511_000, undefined]);
  expect(parseJsonKeepingNumbers('{"a":9.739384389926184e-05,"b":[1.0200634879994863]}')).toEqual({ a: '9.739384389926184e-05', b: ['1.0200634879994863'] });
});

it('an amount is a safe integer, however it is written', () => {
  for (const amount of [wireSats, wireFiat, wireInteger]) {
    for (const beyond of [
      '9007199254740993',
      '999999999999999999',
      '9223372036854775807',
      1e20,
      '1e20',
      '-9007199254740993',
      'Infinity',
      '1e1',
      '0x10',
      ' ',
      '',
    ])
      expect(amount.safeParse(beyond).success).toBe(false);
    for (const ten of [10, '10', ' 10 ', '10.0', 10.0000001]) expect(Number(amount.parse(ten))).toBe(10);
  }
});

it('whatever it is written as, an amount is what is written to the digit, or none', () => {
  const written = fc.stringMatching(/^-?(?:0|[1-9]\d{0,25})(?:\.0{1,3})?$/);
  fc.assert(
    fc.property(written, fc.boolean(), (text, bare) => {
      const value = BigInt(text.split('.')[0] ?? '');
      const isAmount = value >= -BigInt(Number.MAX_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER);
      for (const amount of [wireSats, wireFiat, wireInteger]) {
        const read = amount.safeParse(parseJsonExactly(bare ? text : JSON.stringify(text)));
        expect([text, read.success && BigInt(read.data)]).toEqual([text, isAmount && value]);
      }
    }),
  );
  const odd = fc.oneof(fc.double(), fc.string(), fc.anything());
  fc.assert(
    fc.property(odd, (value) => {
      for (const amount of [wireSats, wireFiat, wireInteger]) {
        const read = amount.safeParse(value);
        expect(!read.success || Number.isSafeInteger(Number(read.data))).toBe(true);
      }
    }),
  );
});

it('a number that JavaScript would change stays as it was written; the others are numbers', () => {
  const text = '{"a":20261128175930417,"b":9000000000000000000017,"c":1.10,"d":[1.0,-0,1E2,0.1,5],"e":"1.10","f":0.30000000000000004}';
  expect(parseJsonExactly(text)).toEqual({
    a: '20261128175930417',
    b: '9000000000000000000017',
    c: '1.10',
    d: ['1.0', '-0', 100, 0.1, 5],
    e: '1.10',
    f: 0.30000000000000004,
  });
  expect([
    wireId.parse(parseJsonExactly('20261128175930417')),
    wireId.parse(parseJsonExactly('0.50')),
    wireId.parse(17),
    wireId.safeParse(' ').success,
  ]).toEqual(['20261128175930417', '0.50', '17', false]);
});

it('digits of any number come through a parse unchanged, wherever it stands', () => {
  const digits = fc.stringMatching(/^-?(?:0|[1-9]\d{0,25})(?:\.\d{1,20})?$/);
  const space = fc.constantFrom('', ' ', '\n  ', '\t', '\r\n');
  fc.assert(
    fc.property(fc.array(digits, { minLength: 1, maxLength: 5 }), space, (numbers, gap) => {
      const [first = '0'] = numbers;
      const text = `{"list":[${numbers.map((one) => `${gap}${one}${gap}`).join(',')}],"one":{"deep"${gap}:${gap}${first}${gap}}}`;
      const parsed = parseJsonExactly(text) as { list: unknown[]; one: { deep: unknown } };
      expect(parsed.list.map(String)).toEqual(numbers.map(String));
      expect(String(parsed.one.deep)).toBe(first);
      expect(String(parseJsonExactly(`${gap}${first}${gap}`))).toBe(first);
    }),
  );
});

it('times, ids and texts with digits are read as JSON.parse reads them', () => {
  const texts = fc.oneof(fc.uuid(), fc.date({ noInvalidDate: true }).map(String), fc.stringMatching(/^[[:, -]*[\d.eE+-]*[\],}]?$/), fc.string());
  fc.assert(
    fc.property(fc.dictionary(texts, fc.oneof(texts, fc.integer(), fc.boolean(), fc.array(texts))), (value) => {
      const text = JSON.stringify(value);
      expect(parseJsonExactly(text)).toEqual(JSON.parse(text));
    }),
  );
});
