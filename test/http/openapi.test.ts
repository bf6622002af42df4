import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { endpoints } from '../../src/http/endpoints.ts';
import { createDocument, noExamples } from '../../src/contract/document.ts';
import { problemsOf } from '../../src/contract/operation-problems.ts';
import { problems } from '../../src/http/problem.ts';

type Description = {
  openapi: string;
  paths: Record<
    string,
    Record<string, { responses: Record<string, { description: string }>; parameters?: { in: string; name: string; required?: boolean }[] }>
  >;
};
const api = createDocument(endpoints, { version: '0.0.0', examples: noExamples }) as Description;
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
  // /features is never refused, but also has this problem: what it returns is not known before the first listing.
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

type Json = { [key: string]: unknown };
const schemas = (api as unknown as { components: { schemas: { [name: string]: Json } } }).components.schemas;
const operations = Object.values(api.paths).flatMap((methods) => Object.values(methods) as unknown as Json[]);

it('gives every operation an id of its own, a summary and a description', () => {
  const ids = operations.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(operations.length);
  expect(operations.filter(({ summary, description }) => !summary || !description)).toEqual([]);
});

it('describes every webhook that a wallet can ask for, and the test', () => {
  const words = Object.values(schemas).flatMap(
    (schema) => (schema['properties'] as { webhook_events?: { items: { enum: string[] } } } | undefined)?.webhook_events?.items.enum ?? [],
  );
  const { webhooks } = api as unknown as { webhooks: object };
  expect(Object.keys(webhooks).toSorted()).toEqual([...new Set([...words, 'test'])].toSorted());
});

it.each([
  ['Route', 'ramp', { buy: 'BuyRoute', sell: 'SellRoute', liquidity: 'LiquidityRoute' }],
  [
    'SatsPayment',
    'kind',
    {
      invoice: 'InvoicePayment',
      lightning_address: 'LightningAddressPayment',
      lnurl: 'LnurlPayment',
      onchain: 'OnchainPayment',
      altcoin: 'AltcoinPayment',
      none: 'NothingToPay',
    },
  ],
  ['GetSellConnectionsAnswer', 'asked_for', { connection: 'OneSellConnection', account: 'SellConnectionsOfAccount' }],
])('%s is told apart by %s', (name, propertyName, forms) => {
  const mapping = Object.fromEntries(Object.entries(forms).map(([word, form]) => [word, `#/components/schemas/${form}`]));
  expect(schemas[name]?.['discriminator']).toEqual({ propertyName, mapping });
});

it('closes the words that a client must act on, and leaves the others open', () => {
  for (const name of ['Stage', 'OrderStatus', 'Action']) expect([name, Object.keys(schemas[name] ?? {})]).toEqual([name, ['description', 'type', 'enum']]);
  for (const name of ['RefusalReason', 'FaultReason', 'ExclusionRule', 'OfferWarning', 'FillWarning', 'Requirement', 'ProblemCode'])
    expect([name, (schemas[name]?.['anyOf'] as Json[] | undefined)?.[1]]).toEqual([name, { type: 'string' }]);
  expect((schemas['Problem']?.['properties'] as { [member: string]: Json } | undefined)?.['code']?.['$ref']).toBe('#/components/schemas/ProblemCode');
});

it('an answer has no list of words but the vocabularies, which say whether they are open', () => {
  const vocabularies = Object.entries(schemas).filter(([, schema]) => 'enum' in schema || objectsIn(schema['anyOf']).some((one) => 'enum' in one));
  expect(vocabularies.length).toBeGreaterThan(30);
  const others = Object.entries(schemas).filter(([name]) => !vocabularies.some(([one]) => one === name) && !name.endsWith('Request'));
  expect(others.filter(([, schema]) => objectsIn(schema).some((one) => 'enum' in one)).map(([name]) => name)).toEqual([]);
});

/** Returns every object inside a value. */
const objectsIn = (value: unknown): Json[] =>
  typeof value !== 'object' || value === null ? [] : [...(Array.isArray(value) ? [] : [value as Json]), ...Object.values(value).flatMap(objectsIn)];

it('says of every member what it means, and of every number what it counts', () => {
  const members = Object.entries(schemas).flatMap(([name, schema]) =>
    objectsIn(schema).flatMap((one) =>
      Object.entries((one['properties'] as { [member: string]: Json }) ?? {}).map(([member, of]) => [`${name}.${member}`, of] as const),
    ),
  );
  expect(members.length).toBeGreaterThan(700);
  expect(members.filter(([, of]) => typeof of['description'] !== 'string' || of['description'] === '').map(([name]) => name)).toEqual([]);
  const bare = members.filter(([, { type }]) => type === 'integer' || type === 'number').map(([name]) => name.split('.')[1] ?? '');
  expect([...new Set(bare)].sort()).toEqual(['amount', 'fee_rate', 'limit', 'max', 'status']);
});

it('leaves answers open for members of a later version', () => {
  expect(objectsIn(schemas).filter((one) => one['additionalProperties'] === false)).toEqual([]);
});
