import { expect, test } from 'vitest';
import vectors from './bringin-hmac.vectors.json' with { type: 'json' };
import { bodyHash, hmacHeader } from './bringin-hmac.ts';

const { secret } = vectors;

test.each(vectors.vectors)('$name', ({ timestampMs, method, path, body, bodyHash: hash, header }) => {
  expect(bodyHash(body ?? '{}')).toBe(hash);
  expect(hmacHeader(secret, { timestampMs, method: method === 'GET' ? 'GET' : 'POST', path, ...(body === undefined ? {} : { body }) })).toBe(header);
});

test('the fixture bodies are what JSON.stringify makes of them, in bytes of UTF-8', () => {
  const bytes = vectors.vectors.map(({ body }) => (body === undefined ? undefined : new TextEncoder().encode(body).length));
  expect(bytes).toEqual([134, undefined, 254]);
  const bodies = vectors.vectors.flatMap(({ body }) => body ?? []);
  expect(bodies.map((body) => JSON.stringify(JSON.parse(body)))).toEqual(bodies);
});

test('spaces after the colons make another signature', () => {
  const { body, bodyHash: hash, signature, timestampMs, method, path } = vectors.negative;
  expect(new TextEncoder().encode(body).length).toBe(139);
  expect(bodyHash(body)).toBe(hash);
  expect(hmacHeader(secret, { timestampMs, method: method === 'GET' ? 'GET' : 'POST', path, body })).toBe(`HMAC ${timestampMs}:${signature}`);
  expect(JSON.parse(body)).toEqual(JSON.parse(vectors.vectors[0]?.body ?? ''));
  expect(vectors.vectors[0]?.header).not.toContain(signature);
});

test('every part is signed', () => {
  const parts = { timestampMs: 1_735_689_600_000, method: 'POST', path: '/api/v0/application/connect', body: '{"a":1}' } as const;
  const headers = [
    hmacHeader(secret, parts),
    hmacHeader(`${secret}x`, parts),
    hmacHeader(secret, { ...parts, timestampMs: 1_735_689_600_001 }),
    hmacHeader(secret, { ...parts, method: 'GET' }),
    hmacHeader(secret, { ...parts, path: '/api/v0/application/connect/' }),
    hmacHeader(secret, { ...parts, body: '{"a":2}' }),
  ].map((header) => header.split(':')[1]);
  expect(new Set(headers).size).toBe(6);
});
