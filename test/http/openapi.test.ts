import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { endpoints } from '../../src/http/endpoints.ts';
import { createOpenApi } from '../../src/http/openapi.ts';
import { problems } from '../../src/http/problem.ts';

type Description = {
  openapi: string;
  paths: Record<
    string,
    Record<string, { responses: Record<string, { description: string }>; parameters?: { in: string; name: string; required?: boolean }[] }>
  >;
};
const api = createOpenApi(endpoints, '0.0.0') as Description;
const described = (path: string) => api.paths[path.replaceAll(/:([a-z_]+)/g, '{$1}')];

it('describes every route that is served, as OpenAPI 3.1', () => {
  expect(api.openapi).toBe('3.1.0');
  for (const { method, path } of endpoints) expect(described(path)?.[method]).toBeDefined();
  expect(Object.keys(api.paths)).toEqual(
    expect.arrayContaining([
      '/features',
      '/verify',
      '/session',
      '/payment-options',
      '/quote',
      '/order',
      '/order-status',
      '/withdrawal',
      '/offers',
      '/route',
      '/providers',
    ]),
  );
});

it('the list of problems, the OpenAPI and docs/errors.md agree', () => {
  const errors = readFileSync('docs/errors.md', 'utf8');
  for (const [code, { status }] of Object.entries(problems)) expect(errors).toContain(`| \`${code}\` | ${status} |`);
  for (const { method, path, problems: codes } of endpoints)
    for (const code of codes) expect(described(path)?.[method]?.responses[String(problems[code].status)]?.description).toContain(code);
});

it('names the request headers that a route reads', () => {
  const headersOf = (method: string, path: string) =>
    (described(path)?.[method]?.parameters ?? []).filter((one) => one.in === 'header').map((one) => `${one.name}${one.required === true ? ', required' : ''}`);
  for (const path of ['/order', '/sell/order', '/liquidity/order', '/sell/accounts', '/sell/connections'])
    expect([path, headersOf('post', path)]).toEqual([path, ['Idempotency-Key']]);
  expect(headersOf('get', '/payment-options')).toEqual(['X-Session-Id, required']);
  expect(headersOf('post', '/payment-options')).toEqual([]);
});
