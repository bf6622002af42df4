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
const serve = pagesFrom(folder, createPages({ mode: 'sandbox', pages: { frame_ancestors: [] }, apps: {} } as never));
const get = async (path: string, headers: Record<string, string> = {}) => await serve(new Request(`https://gateway.example${path}`, { headers }));

describe.each(['/assets/buy-0123456789ab.js', '/assets/scalar-0123456789ab.js'])('%s', (path) => {
  it.each([
    ['gzip, deflate, br', true],
    ['br;q=1.0, gzip;q=0.8', true],
    ['GZIP', true],
    ['gzip;q=0', false],
    ['gzip; q=0.000, br', false],
    ['br', false],
    ['', false],
  ])('a client that accepts "%s" gets it packed: %s', async (accepted, isPacked) => {
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
  expect(await (await get('/assets/scalar-ffffffffffff.js'))?.text()).toBe(script);
  expect(await get('/assets/sell-ffffffffffff.js')).toBeUndefined();
});
