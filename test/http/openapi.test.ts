import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { endpoints } from '../../src/http/endpoints.ts';
import { createOpenApi, problemsOf } from '../../src/http/openapi.ts';
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

it('derives from the form of a route what any such route may answer', () => {
  const codesOf = (path: string): ReadonlySet<string> => {
    const one = endpoints.find((endpoint) => endpoint.path === path);
    if (!one) throw new Error(`no ${path}`);
    return problemsOf(one);
  };
  // /features is always let in; what it says is not known before the first listing.
  for (const { path, lane } of endpoints.filter((endpoint) => endpoint.path !== '/features'))
    expect([path, codesOf(path).has('temporary-reduced-capacity')]).toEqual([path, lane !== 'free']);
  expect([...codesOf('/offers')].sort()).toEqual([
    'app-key-exposed',
    'internal',
    'invalid-request',
    'option-unavailable',
    'payload-too-large',
    'rate-limited',
    'session-invalid',
    'storage-unavailable',
    'temporary-reduced-capacity',
    'unsupported-media-type',
  ]);
  expect([...codesOf('/sell/order')]).toEqual(expect.arrayContaining(['idempotency-key-invalid', 'idempotency-key-reused', 'session-invalid']));
  expect(codesOf('/operator/attention').has('not-found')).toBe(true);
  expect([...codesOf('/health/live')].sort()).toEqual(['app-key-exposed', 'internal', 'storage-unavailable']);
});

it('describes the answer of an instance that is not ready as it is, beside the problems of the same status', () => {
  const answer = described('/health/ready')?.['get']?.responses['503'] as { description: string; content: Record<string, unknown> };
  expect(Object.keys(answer.content)).toEqual(['application/json', 'application/problem+json']);
  expect(answer.description).toContain('Not ready');
});

it('gives POST /route one shape for each ramp', () => {
  const answer = described('/route')?.['post']?.responses['200'];
  const { content } = answer as unknown as { content: Record<string, { schema: { anyOf: { properties: object }[] } }> };
  const shapes = content['application/json']?.schema.anyOf.map(({ properties }) => Object.keys(properties)) ?? [];
  expect(shapes.map((names) => [names.includes('payment_option_id'), names.includes('product'), names.includes('ranked')])).toEqual([
    [true, false, true],
    [true, false, true],
    [false, true, true],
  ]);
});
