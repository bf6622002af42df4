import { expect, it } from 'vitest';
import { bareApp } from '../../test/support/bare-app.ts';
import { deprecationHeaders } from './deprecation.ts';
import { live } from './service/health.ts';

it('states the date of deprecation, the date of removal, and what to use instead', () => {
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
])('an operation that is deprecated on %s may not be removed on %s', (since, sunset) => {
  expect(() => deprecationHeaders({ since, sunset, instead: '/docs' })).toThrow('six months later');
});

it('puts the headers on every answer of a deprecated operation, and on no other', async () => {
  const deprecated = { since: '2026-12-01', sunset: '2027-06-01', instead: '/docs' };
  const app = bareApp([live, { ...live, path: '/old', deprecated }], { waitAtMost: async (work) => void (await work) });
  const told = async (path: string) => {
    const { status, headers } = await app.request(path);
    return [status, headers.get('deprecation'), headers.get('sunset'), headers.get('link')];
  };
  expect(await told('/old')).toEqual([200, ...Object.values(deprecationHeaders(deprecated))]);
  expect(await told('/health/live')).toEqual([200, null, null, null]);
});
