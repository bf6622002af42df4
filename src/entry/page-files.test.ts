import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { pagesFrom } from './page-files.ts';
import { createPages } from './pages.ts';

const folder = mkdtempSync(join(tmpdir(), 'ramp-pages-'));
afterAll(() => rmSync(folder, { recursive: true }));
const script = 'export const answer = 42;'.repeat(100);
writeFileSync(join(folder, 'buy-0123456789ab.js'), script);
writeFileSync(join(folder, 'buy-0123456789ac.css'), 'a{}');
writeFileSync(join(folder, 'scalar-0123456789ab.js.gz'), gzipSync(script));
const pages = createPages({ mode: 'sandbox', pages: { frame_ancestors: [] }, apps: {} } as never);
const serve = pagesFrom(folder, pages);
const get = async (path: string, headers: Record<string, string> = {}) => await serve(new Request(`https://gateway.example${path}`, { headers }));

describe.each(['/assets/buy-0123456789ab.js', '/assets/scalar-0123456789ab.js'])('%s', (path) => {
  const isStoredPacked = path.includes('scalar');
  it.each([
    ['gzip, deflate, br', true],
    ['br;q=1.0, gzip;q=0.8', true],
    ['GZIP', true],
    ['gzip;q=0', false],
    ['gzip; q=0.000, br', false],
    ['br', false],
    ['', false],
  ])('a client that accepts "%s" gets it packed: %s, or always if it is stored so', async (accepted, takesGzip) => {
    const isPacked = takesGzip || isStoredPacked;
    const answer = await get(path, { 'accept-encoding': accepted });
    const body = Buffer.from((await answer?.arrayBuffer()) ?? new ArrayBuffer());
    expect(answer?.headers.get('content-encoding')).toBe(isPacked ? 'gzip' : null);
    expect(answer?.headers.get('vary')).toBe('accept-encoding');
    expect((isPacked ? gunzipSync(body) : body).toString()).toBe(script);
    expect(answer?.headers.get('content-type')).toMatch(/^text\/javascript/);
    const again = await get(path, { 'accept-encoding': accepted, 'if-none-match': answer?.headers.get('etag') ?? '' });
    expect(again?.status).toBe(304);
  });
});

it('the script of another release is this one’s, and is not stored under that name', async () => {
  const answer = await get('/assets/buy-ffffffffffff.js');
  expect([await answer?.text(), answer?.headers.get('cache-control')]).toEqual([script, 'no-store']);
  expect((await get('/assets/buy-0123456789ab.js'))?.headers.get('cache-control')).toMatch(/immutable/);
  expect(await (await get('/assets/buy-ffffffffffff.css'))?.text()).toBe('a{}');
  const other = await get('/assets/scalar-ffffffffffff.js');
  expect(gunzipSync((await other?.arrayBuffer()) ?? '').toString()).toBe(script);
  expect(await get('/assets/sell-ffffffffffff.js')).toBeUndefined();
});

it.each(['/assets/buy-aaaaaaaaaaaa.js', '/assets/scalar-aaaaaaaaaaaa.js'])('answers with %s that nobody reads share one body', async (path) => {
  const large = randomBytes(2_000_000);
  writeFileSync(join(folder, 'buy-aaaaaaaaaaaa.js'), large);
  writeFileSync(join(folder, 'scalar-aaaaaaaaaaaa.js.gz'), gzipSync(large));
  const serveLarge = pagesFrom(folder, pages);
  const ask = async () => await serveLarge(new Request(`https://gateway.example${path}`, { headers: { 'accept-encoding': 'identity' } }));
  await ask();
  const before = process.memoryUsage().arrayBuffers;
  const answers = await Promise.all(Array.from({ length: 50 }, ask));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2_000_000);
  expect(answers.map((answer) => answer?.status)).toEqual(Array.from({ length: 50 }, () => 200));
});
