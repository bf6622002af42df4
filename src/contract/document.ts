/**
 * Builds the OpenAPI 3.1 document for /openapi.json, as part of `npm run build:pages`. The bundles of the server and the Worker do not contain this
 * code.
 */
import { OpenAPIHono, type RouteConfig } from '@hono/zod-openapi';
import * as z from 'zod';
import type { ProblemCode } from '../gateway/problem.ts';
import type { Endpoint } from '../http/call.ts';
import { problems } from '../http/problem.ts';
import { answerName, componentsOf, refTo, requestName } from './components.ts';
import { answerHeaders, headers, type HeaderName } from './headers.ts';
import { problemsOf } from './operation-problems.ts';
import { operations, tags } from './operations.ts';
import { webhookEvents, webhookHeaders, webhookTexts } from './webhooks.ts';

/**
 * Recorded examples, from src/contract/examples.json. Requests are keyed by operation id, good answers by operation id and status; the same ids (of
 * sessions, quotes and so on) occur in both. Problems are keyed by code, or by schema and code (`BuyProblem.no-offer`) if they list the providers
 * that refused and the current offers. Webhooks are keyed by type.
 */
export type Examples = { readonly [part in 'requests' | 'answers' | 'problems' | 'webhooks']: { readonly [name: string]: unknown } };
export const noExamples: Examples = { requests: {}, answers: {}, problems: {}, webhooks: {} };
export type DocumentOptions = { version: string; examples: Examples; /** See `componentsOf`. */ closed?: boolean };

export const createDocument = (endpoints: readonly Endpoint[], { version, examples, closed = false }: DocumentOptions): object => {
  const ids = [...endpoints.map(({ id }) => id), 'getMetrics', 'getOpenApi'];
  const idle = Object.keys(operations).filter((id) => !ids.includes(id));
  if (idle.length > 0) throw new Error(`src/contract/operations.ts describes operations that do not exist: ${idle.join(', ')}`);
  const hono = new OpenAPIHono();
  const { openAPIRegistry: registry } = hono;
  for (const endpoint of endpoints) registry.registerPath({ method: endpoint.method, path: pathOf(endpoint), ...operationOf(endpoint, examples) });
  registry.registerPath({ method: 'get', path: '/metrics', ...plain('getMetrics', metricsAnswers, [{ metricsToken: [] }, {}]) });
  registry.registerPath({ method: 'get', path: '/openapi.json', ...plain('getOpenApi', documentAnswers, [{}]) });
  for (const [name, schema] of Object.entries(componentsOf(endpoints, { closed }))) registry.registerComponent('schemas', name, schema);
  for (const [type, { name }] of Object.entries(webhookEvents))
    registry.registerWebhook({ method: 'post', path: type, ...webhookOf(type as keyof typeof webhookEvents, name, examples) });
  for (const [name, header] of Object.entries(headers)) registry.registerComponent('headers', name, header);
  for (const [name, value] of Object.entries(examples.problems))
    registry.registerComponent('examples', name, { summary: problems[name.split('.').at(-1) as ProblemCode].title, value });
  for (const [name, scheme] of Object.entries(securitySchemes)) registry.registerComponent('securitySchemes', name, scheme);
  return hono.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'ramp-gateway',
      version,
      description: about,
      license,
      contact: { name: 'The operator of this gateway' },
    },
    servers: [{ url: '/', description: 'The gateway that serves this document' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    security: open,
  });
};

const license = { name: 'MIT', identifier: 'MIT' };

const securitySchemes = {
  appKey: {
    type: 'http',
    scheme: 'bearer',
    description:
      'The key of a listed app. Optional: it raises limits. If the operator allows it, the app can also pay from the operator’s balance, or name the customer’s IP address. Browsers may send only publishable keys.',
  },
  operatorToken: { type: 'http', scheme: 'bearer', description: 'The operator’s token. Without it, every operator path returns 404.' },
  metricsToken: { type: 'http', scheme: 'bearer', description: 'METRICS_TOKEN. Not needed from loopback while no token is set.' },
} as const;

const about = `Buy and sell bitcoin and get Lightning liquidity through one API. The gateway asks every provider at once and ranks their offers; every decision can be looked up and checked. It implements FLS01 \`fiat_on_ramp\` v1.0.

- Begin with GET /verify and POST /session. Every other call of a wallet is a POST with \`session_id\` in the body, except those marked GET.
- Buy: /payment-options → /offers or /quote → /order → /order-status → /withdrawal.
- Sell: /sell/payment-options → /sell/offers or /sell/quote → if the offer requires them, once: /accounts, /sell/connections, /sell/connection-confirm → /sell/order → /sell/order-status.
- Liquidity: /liquidity/products → /liquidity/offers or /liquidity/quote → /liquidity/order → /liquidity/order-status.
- Amounts are integers: whole sats, and hundredths of the fiat unit. Times are RFC 3339 in UTC. Members without a value are left out.
- Errors are problem documents (RFC 9457). \`code\` and \`action\` are for your code, \`detail\` is for people.
- Send an Idempotency-Key with calls that create something. If an answer is lost, send the same request with the same key again.
- Member names may be sent in camelCase, and null means absent. Unknown members are ignored, except those that look like a misspelling of a known one: such a request is refused.
- Members and values may be added at any time: ignore members that you do not know, and accept unknown values where a list is open. docs/versioning says what may change.`;

type Security = { [scheme: string]: string[] }[];
const open: Security = [{}, { appKey: [] }];
const pathOf = ({ path }: Endpoint): string => path.replaceAll(/:([a-z_]+)/g, '{$1}');

const textsOf = (id: string) => {
  const text = operations[id];
  if (!text) throw new Error(`src/contract/operations.ts has no description of ${id}`);
  return { operationId: id, tags: [text.tag], summary: text.summary, description: text.description };
};

type Operation = Omit<RouteConfig, 'method' | 'path'>;
type Answers = RouteConfig['responses'];
type Parameter = { in: 'path' | 'query' | 'header'; name: string; description: string; required?: boolean; schema: object };

const operationOf = (endpoint: Endpoint, examples: Examples): Operation => {
  const body = requestName(endpoint);
  const parameters = [...pathParameters(endpoint.path), ...parametersOf('header', endpoint.headers), ...parametersOf('query', endpoint.query)];
  return {
    ...textsOf(endpoint.id),
    ...(endpoint.deprecated ? { deprecated: true } : {}),
    security: endpoint.guard ? [{ operatorToken: [] }] : open,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: refTo(body), ...exampleIn(examples.requests, endpoint.id) } } } }),
    responses: answersOf(endpoint, examples),
  };
};

const exampleIn = (part: { readonly [name: string]: unknown }, name: string): { example?: unknown } => (name in part ? { example: part[name] } : {});

const webhookOf = (type: keyof typeof webhookEvents, name: string, examples: Examples): Operation => ({
  operationId: `on${name}`,
  tags: ['Webhooks'],
  ...webhookTexts[type],
  security: [{}],
  parameters: webhookHeaders,
  requestBody: { required: true, content: { 'application/json': { schema: refTo(name), ...exampleIn(examples.webhooks, type) } } },
  responses: {
    '2XX': { description: 'Received: the webhook is not sent again' },
    410: { description: 'No longer wanted: the webhook is not sent again' },
    '4XX': { description: 'The webhook is sent again, at growing intervals, for up to 75 hours' },
    '5XX': { description: 'The webhook is sent again, at growing intervals, for up to 75 hours' },
  },
});

// ---- parameters --------------------------------------------------------------------------------------------------------------------------------

const parameterWords: { readonly [name: string]: string } = {
  id: 'The id of the order, the provider or the webhook.',
  day: 'A UTC day, YYYY-MM-DD.',
  currency_code: 'List only this currency, ISO 4217. The list is empty if no provider has it.',
  from: 'The beginning, UTC. Figures are hourly: the hour that contains this time is included as a whole. The default is 30 days before the end, or one day with `step=hour`.',
  to: 'The end, UTC. The hour that begins at this time is not included. The default is now.',
  step: 'One figure for each hour (for at most 8 days) or for each day in UTC (the default).',
  provider: 'Only this provider.',
  ramp: 'Only this ramp.',
  currency: 'Only this currency, ISO 4217.',
  option: 'Only this payment option, as the figures name it. For liquidity, the product.',
  'If-Match':
    'The `switch_version` that you saw. If another operator has changed the switch since, the answer is 412. Without this header, the change always applies.',
  'X-Session-Id': 'The id of the session.',
  'Idempotency-Key': 'A key of your choice, with or without quotes. A repeat with the same key and body returns the same answer, by default for 24 hours.',
};
const parameter = (place: 'path' | 'query' | 'header', name: string, required: boolean, schema: object): Parameter => {
  const description = parameterWords[name];
  if (description === undefined) throw new Error(`src/contract/document.ts has no description of the parameter ${name}`);
  return { in: place, name, description, ...(required ? { required } : {}), schema };
};
const pathParameters = (path: string): Parameter[] =>
  [...path.matchAll(/:([a-z_]+)/g)].map(([, name = '']) => parameter('path', name, true, { type: 'string' }));
const parametersOf = (place: 'query' | 'header', schema: z.ZodObject | undefined): Parameter[] =>
  Object.entries(schema?.shape ?? {}).map(([name, one]) => {
    const { $schema: _schema, pattern: _pattern, ...json } = z.toJSONSchema(one as z.ZodType, { io: 'input' });
    return parameter(place, name, !(one instanceof z.ZodOptional), json);
  });

// ---- answers -----------------------------------------------------------------------------------------------------------------------------------

type References = { [name: string]: { $ref: string } };
type Content = { schema: { $ref: string }; example?: unknown; examples?: References };
type Answer = { description: string; headers: References; content: { [type: string]: Content } };

const answersOf = (endpoint: Endpoint, examples: Examples): { [status: string]: Answer } => {
  const codes = problemsOf(endpoint);
  const limited = codes.has('rate-limited');
  const answers: { [status: string]: Answer } = {};
  const good: [string, string][] = [['200', operations[endpoint.id]?.summary ?? ''], ...Object.entries(endpoint.otherStatuses ?? {})];
  for (const [status, description] of good) {
    answers[status] = {
      description,
      headers: headersOf(answerHeaders.all, limited ? answerHeaders.limited : [], answerHeaders.lifecycle),
      content: { 'application/json': { schema: refTo(answerName(endpoint)), ...exampleIn(examples.answers, `${endpoint.id} ${status}`) } },
    };
  }
  const schemaName = problemNameOf(endpoint);
  const exampleOf = (code: ProblemCode): string | undefined => [`${schemaName}.${code}`, code].find((name) => name in examples.problems);
  const byStatus = Map.groupBy(codes, (code) => problems[code].status);
  for (const [status, listed] of [...byStatus].sort(([a], [b]) => a - b)) {
    const other = answers[status];
    const told = listed.flatMap((code) => {
      const name = exampleOf(code);
      return name === undefined ? [] : [[code, { $ref: `#/components/examples/${name}` }] as const];
    });
    answers[status] = {
      description: [...(other ? [other.description] : []), listed.toSorted().join(', ')].join('; or: '),
      headers: headersOf(
        answerHeaders.all,
        limited ? answerHeaders.limited : [],
        listed.some((code) => problems[code].retryable || status === 429) ? answerHeaders.retry : [],
        answerHeaders.lifecycle,
      ),
      content: {
        ...other?.content,
        'application/problem+json': { schema: refTo(schemaName), ...(told.length > 0 ? { examples: Object.fromEntries(told) } : {}) },
      },
    };
  }
  return answers;
};

const headersOf = (...lists: (readonly HeaderName[])[]): References =>
  Object.fromEntries(lists.flat().map((name) => [headerNames[name], { $ref: `#/components/headers/${name}` }]));
const headerNames: { readonly [name in HeaderName]: string } = {
  XRequestId: 'X-Request-Id',
  XRampMode: 'X-Ramp-Mode',
  CacheControl: 'Cache-Control',
  RateLimit: 'RateLimit',
  RateLimitPolicy: 'RateLimit-Policy',
  RetryAfter: 'Retry-After',
  Deprecation: 'Deprecation',
  Sunset: 'Sunset',
  Link: 'Link',
  ETag: 'ETag',
};

/** Returns the name of an operation's problem schema. Problems of prices and orders list refusals and current offers in the form of their ramp. */
export const problemNameOf = (endpoint: Endpoint): string => {
  const { path } = endpoint;
  const codes = problemsOf(endpoint);
  if (!priced.some((code) => codes.has(code))) return 'Problem';
  return path.startsWith('/sell/') ? 'SellProblem' : path.startsWith('/liquidity/') ? 'LiquidityProblem' : 'BuyProblem';
};
const priced = ['no-offer', 'price-changed', 'all-providers-failed', 'peer-not-connected'] as const;

const plain = (id: string, responses: Answers, security: Security): Operation => ({ ...textsOf(id), security, responses });
const common = headersOf(answerHeaders.all);
const metricsAnswers: Answers = {
  200: { description: 'The metrics', headers: common, content: { 'text/plain': { schema: { type: 'string' } } } },
  403: { description: 'The caller must send METRICS_TOKEN', headers: common, content: { 'text/plain': { schema: { type: 'string' } } } },
};
const documentAnswers: Answers = {
  200: {
    description: 'This document',
    headers: headersOf(answerHeaders.all, answerHeaders.file),
    content: { 'application/json': { schema: { type: 'object' } } },
  },
  304: { description: 'The document still has the ETag in If-None-Match', headers: headersOf(answerHeaders.all, answerHeaders.file) },
  404: { description: 'not-found: the pages were not built', headers: common, content: { 'application/problem+json': { schema: refTo('Problem') } } },
};
