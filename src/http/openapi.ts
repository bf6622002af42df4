import { OpenAPIHono, createRoute, z } from '@hono/zod-openapi';
import type { Endpoint } from './call.ts';
import { problems } from './problem.ts';
import { problemShape } from './shapes.ts';

/** OpenAPI 3.1 from the schemas that validate; the list of problems gives the error answers. */
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
        responses: { 200: { description: 'Good', content: { 'application/json': { schema: endpoint.answer } } }, ...problemAnswers(endpoint) },
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

const everywhere = ['internal', 'storage-unavailable', 'temporary-reduced-capacity', 'app-key-exposed'] as const;
const everyPost = ['invalid-request', 'payload-too-large', 'unsupported-media-type'] as const;

const problemAnswers = (endpoint: Endpoint) => {
  const byStatus = new Map<number, string[]>();
  for (const code of new Set([...endpoint.problems, ...everywhere, ...(endpoint.method === 'post' ? everyPost : [])]))
    byStatus.set(problems[code].status, [...(byStatus.get(problems[code].status) ?? []), code]);
  return Object.fromEntries(
    [...byStatus]
      .sort(([a], [b]) => a - b)
      .map(([status, codes]) => [status, { description: codes.join(', '), content: { 'application/problem+json': { schema: problemShape } } }]),
  );
};
