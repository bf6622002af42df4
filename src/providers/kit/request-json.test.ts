import { expect, it } from 'vitest';
import * as z from 'zod';
import { ProviderFault } from '../fault.ts';
import { listingBytes, requestJson } from './request-json.ts';

const ask = async (text: string, status = 200, headers: Record<string, string> = {}, more: { maxBytes?: number } = {}) =>
  await requestJson({
    http: () => Promise.resolve({ status, headers: { 'content-type': 'application/json', ...headers }, body: new TextEncoder().encode(text) }),
    method: 'GET',
    url: 'https://p.example/x',
    signal: new AbortController().signal,
    schema: z.unknown(),
    ...more,
  }).catch((error: unknown) => error);

it.each([
  ['plainly', '[', ']'],
  ['with closing brackets in strings', '["]}]}",', ']'],
  ['with escaped quotes in strings', '["\\"]",', ']'],
])('64 levels are read and 66 are not, nested %s', async (_name, open, close) => {
  const nest = (levels: number): string => `${open.repeat(levels)}0${close.repeat(levels)}`;
  expect(await ask(nest(64))).toMatchObject({ ok: true });
  expect(await ask(nest(66))).toMatchObject({ kind: 'malformed' });
  expect(await ask(nest(10_000))).toMatchObject({ kind: 'malformed' });
});

it.each([
  ['-0', 5_000, {}],
  ['{}', 5_000, {}],
  ['""', 20_000, { maxBytes: listingBytes }],
])('so many members are read, and not one more: %s, %i', async (member, most, more) => {
  const many = (count: number): string => `[${Array<string>(count).fill(member).join(',')}]`;
  expect(await ask(many(most), 200, {}, more)).toMatchObject({ ok: true });
  expect(await ask(many(most + 1), 200, {}, more)).toMatchObject({ kind: 'malformed', taken: 'maybe' });
  expect(await ask(many(most + 1), 400, {}, more)).toEqual({ ok: false, status: 400, body: undefined });
});

it.each([
  ['{"provider_iban":"DE1","provider_iban":"DE2"}', 'malformed'],
  ['{"a":{"b":[{"c":1,"\\u0063":2}]}}', 'malformed'],
  ['{"a":"b:c","d":"\\\\\\":"}', undefined],
  ['{"a":":\\\"","b":{"a":1},"c":[{"a":1},{"a":2}]}', undefined],
  ['{"":1," ":2}', undefined],
])('an answer that names a member twice loses one of them: %s', async (text, kind) => {
  const reply = await ask(text);
  expect(reply).toMatchObject(kind === undefined ? { ok: true, value: JSON.parse(text) as object } : { kind });
});

it('many members side by side are not deep', async () => {
  expect(await ask(`[${Array<string>(500).fill('{"[{[{":[]}').join(',')}]`)).toMatchObject({ ok: true });
});

it.each(['{"__proto__":{"x":1},"a":1}', '{"\\u005f_proto__":{"x":1},"a":1}', '{"a":1,"constructor":{"prototype":{"x":1}}}'])(
  'a member that reaches a prototype is dropped: %s',
  async (text) => {
    const reply = await ask(text);
    expect(reply).toEqual({ ok: true, status: 200, value: { a: 1 } });
    expect(Object.keys((reply as { value: object }).value)).toEqual(['a']);
  },
);

it.each([500, 501, 502, 503, 504, 520, 529])('%i may have been taken; trying again helps where a gateway said so', async (status) => {
  expect(await ask('{}', status)).toMatchObject({ kind: 'server', taken: 'maybe', status, retryable: [502, 503, 504].includes(status) });
});

it.each([
  ['seconds', { 'retry-after': '7' }, 7_000],
  ['a date, by the clock of the provider', { 'retry-after': 'Sat, 21 Nov 2026 05:00:30 GMT', date: 'Sat, 21 Nov 2026 05:00:00 GMT' }, 30_000],
  ['a date that is over', { 'retry-after': 'Sat, 21 Nov 2026 04:00:00 GMT', date: 'Sat, 21 Nov 2026 05:00:00 GMT' }, 0],
  ['a date without a clock', { 'retry-after': 'Sat, 21 Nov 2026 05:00:30 GMT' }, undefined],
  ['reset in seconds', { 'x-ratelimit-reset': '12' }, 12_000],
  ['reset at a Unix time', { 'x-ratelimit-reset': '1795237230', date: 'Sat, 21 Nov 2026 05:00:00 GMT' }, 30_000],
  ['reset at a Unix time in milliseconds', { 'x-ratelimit-reset': '1795237230000', date: 'Sat, 21 Nov 2026 05:00:00 GMT' }, 30_000],
  ['an empty reset', { 'x-ratelimit-reset': '' }, undefined],
  ['words', { 'retry-after': 'soon' }, undefined],
])('429 with %s', async (_name, headers, retryAfterMs) => {
  const fault: unknown = await requestJson({
    http: () => Promise.resolve({ status: 429, headers, body: new Uint8Array() }),
    method: 'GET',
    url: 'https://p.example/x',
    signal: new AbortController().signal,
    schema: z.unknown(),
  }).catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(ProviderFault);
  expect((fault as ProviderFault).retryAfterMs).toBe(retryAfterMs);
});

it.each<[Record<string, string>, number]>([
  [{ 'retry-after': '7' }, 7_000],
  [{ 'retry-after': '999999999' }, 3_600_000],
  [{ 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT', date: 'Sat, 28 Nov 2026 22:00:00 GMT' }, 3_600_000],
  [{ 'x-ratelimit-reset': '999999998' }, 3_600_000],
  [{ 'x-ratelimit-reset': '9999999999', date: 'Sat, 28 Nov 2026 22:00:00 GMT' }, 3_600_000],
])('a wait of at most an hour is passed on: %j', async (headers, retryAfterMs) => {
  for (const status of [429, 503]) expect(await ask('{}', status, headers)).toMatchObject({ status, retryAfterMs });
});

it('a 429 is an answer only if the adapter expects one and its body is what the schema describes', async () => {
  const limit = z.object({ error: z.literal('DAILY_VOLUME_LIMIT_EXCEEDED') });
  const asked = async (text: string, alsoGood: number[]) =>
    await requestJson({
      http: () => Promise.resolve({ status: 429, headers: { 'retry-after': '7' }, body: new TextEncoder().encode(text) }),
      method: 'GET',
      url: 'https://p.example/x',
      signal: new AbortController().signal,
      schema: limit,
      alsoGood,
    }).catch((error: unknown) => error);
  const said = '{"error":"DAILY_VOLUME_LIMIT_EXCEEDED"}';
  expect(await asked(said, [429])).toEqual({ ok: true, status: 429, value: { error: 'DAILY_VOLUME_LIMIT_EXCEEDED' } });
  const slower = { kind: 'rate-limited', taken: 'no', retryAfterMs: 7_000 };
  expect(await asked(said, [])).toMatchObject(slower);
  expect(await asked('{"error":"TOO_MANY"}', [429])).toMatchObject(slower);
  expect(await asked('slow down', [429])).toMatchObject(slower);
});
