import { OpenAPIHono, createRoute, z } from '@hono/zod-openapi';
import type { Endpoint } from './call.ts';
import type { ProblemCode } from '../gateway/problem.ts';
import { idempotencyHeader } from './idempotency-key.ts';
import { problems } from './problem.ts';
import { problemShape } from './problem-shape.ts';

/** OpenAPI 3.1, made from the schemas that validate requests and from the list of problems. */
export const createOpenApi = (endpoints: readonly Endpoint[], version: string): object => {
  const hono = new OpenAPIHono();
  for (const endpoint of endpoints) {
    hono.openAPIRegistry.registerPath(
      createRoute({
        method: endpoint.method,
        path: endpoint.path.replaceAll(/:([a-z_]+)/g, '{$1}'),
        tags: [endpoint.tag],
        summary: endpoint.summary,
        request: {
          ...(endpoint.body ? { body: { required: true, content: { 'application/json': { schema: endpoint.body as z.ZodObject } } } } : {}),
          ...(endpoint.query ? { query: endpoint.query } : {}),
          ...(endpoint.headers ? { headers: endpoint.headers } : {}),
          ...paramsOf(endpoint.path),
        },
        responses: answersOf(endpoint),
      }),
    );
  }
  return hono.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'ramp-gateway',
      version,
      description: 'FLS01 fiat_on_ramp v1.0 outward, every registered ramp provider inward. Amounts are integers: sats, and hundredths of the fiat unit.',
      license: { name: 'MIT' },
    },
    servers: [{ url: '/' }],
  });
};

/** The named parts of a path. */
const paramsOf = (path: string): { params?: z.ZodObject } => {
  const names = [...path.matchAll(/:([a-z_]+)/g)].map(([, name = '']) => name);
  return names.length === 0 ? {} : { params: z.object(Object.fromEntries(names.map((name) => [name, z.string()]))) };
};

/**
 * Every problem that an operation may answer. Those that follow from the route's form are derived here: its method, body, session, lane and key.
 * Those of its use case are in the route's own `problems`.
 */
export const problemsOf = (endpoint: Endpoint): ReadonlySet<ProblemCode> =>
  new Set<ProblemCode>([
    ...endpoint.problems,
    'internal',
    'storage-unavailable',
    'app-key-exposed',
    ...(endpoint.lane === 'free' ? [] : (['temporary-reduced-capacity', 'rate-limited'] as const)),
    ...(endpoint.method === 'post' ? (['invalid-request', 'payload-too-large', 'unsupported-media-type'] as const) : []),
    ...(endpoint.query ? (['invalid-request'] as const) : []),
    ...(endpoint.body && 'session_id' in endpoint.body.shape ? (['session-invalid'] as const) : []),
    ...(endpoint.headers === idempotencyHeader ? (['idempotency-key-invalid', 'idempotency-key-reused'] as const) : []),
    ...(endpoint.guard ? (['not-found'] as const) : []),
  ]);

type Answer = { description: string; content: Record<string, { schema: z.ZodType }> };
const answersOf = (endpoint: Endpoint): Record<string, Answer> => {
  const good = { 'application/json': { schema: endpoint.answer } };
  const answers: Record<string, Answer> = { 200: { description: 'Good', content: good } };
  for (const [status, description] of Object.entries(endpoint.otherStatuses ?? {})) answers[status] = { description, content: { ...good } };
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of problemsOf(endpoint)) byStatus.set(problems[code].status, [...(byStatus.get(problems[code].status) ?? []), code]);
  for (const [status, codes] of byStatus) {
    const other = answers[status];
    answers[status] = {
      description: [...(other ? [other.description] : []), codes.join(', ')].join('; or: '),
      content: { ...other?.content, 'application/problem+json': { schema: problemShape } },
    };
  }
  return answers;
};
