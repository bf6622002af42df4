import { expect, it } from 'vitest';
import type { Gateway } from '../ports/gateway.ts';
import { createApp } from './app.ts';
import { deprecationHeaders } from './deprecation.ts';
import type { AppOptions } from './platform.ts';
import { live } from './service/health.ts';

it('says since when, until when, and what to use instead', () => {
  expect(deprecationHeaders({ since: '2026-12-01', sunset: '2027-06-01', instead: '/docs' })).toEqual({
    deprecation: '@1796083200',
    sunset: 'Tue, 01 Jun 2027 00:00:00 GMT',
    link: '</docs>; rel="deprecation"; type="text/html"',
  });
});

it.each([
  ['2026-12-01', '2027-05-31'],
  ['2026-12-01', '2026-11-30'],
  ['2026-12-01', 'never'],
])('what is deprecated on %s may not go on %s', (since, sunset) => {
  expect(() => deprecationHeaders({ since, sunset, instead: '/docs' })).toThrow('six months later');
});

it('stands on every answer of a deprecated operation, and on no other', async () => {
  const gateway = {
    settings: { routing: {} },
    ids: { uuid: () => '1' },
    hash: (text: string) => text,
    now: () => 0,
    count: () => undefined,
    observe: () => undefined,
    log: () => undefined,
    waitAtMost: async (work: Promise<unknown>) => await work,
  } as unknown as Gateway;
  const options = {
    platform: () => ({ gateway, ip: () => undefined }),
    http: { mode: 'live', corsOrigins: new Map(), apps: new Map() },
  } as unknown as AppOptions;
  const deprecated = { since: '2026-12-01', sunset: '2027-06-01', instead: '/docs' };
  const app = createApp(options, [live, { ...live, path: '/old', deprecated }]);
  const told = async (path: string) => {
    const { status, headers } = await app.request(path);
    return [status, headers.get('deprecation'), headers.get('sunset'), headers.get('link')];
  };
  expect(await told('/old')).toEqual([200, ...Object.values(deprecationHeaders(deprecated))]);
  expect(await told('/health/live')).toEqual([200, null, null, null]);
});
