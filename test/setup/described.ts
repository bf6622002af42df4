/**
 * Every answer of a gateway that a test gets through `fetch` is held against the description: the members of its schema and no other, a status
 * and a problem code that the operation lists. The compiler sees most of this; what it cannot see (a member too many, stored bytes) fails in
 * answers.ts. This file is read once for each process: to make closed schemas of all endpoints takes longer than most files' tests.
 */
import { z } from 'zod';
import { endpoints } from '../../src/http/endpoints.ts';
import { problemsOf } from '../../src/http/openapi.ts';
import { problemShape } from '../../src/http/problem-shape.ts';
import { problems } from '../../src/http/problem.ts';
import type { Endpoint } from '../../src/http/call.ts';
import type { ProblemCode } from '../../src/gateway/problem.ts';

/** As JSON Schema of an output an object is closed. */
const strict = (schema: z.ZodType): z.ZodType => z.fromJSONSchema(z.toJSONSchema(schema, { io: 'output' }) as Parameters<typeof z.fromJSONSchema>[0]);

type Known = { endpoint: Endpoint; path: RegExp; good: z.ZodType; listed: ReadonlySet<ProblemCode> };
const known = endpoints.map((endpoint): Known => ({
  endpoint,
  path: new RegExp(`^${endpoint.path.replaceAll('.', '\\.').replaceAll(/:[a-z_]+/g, '[^/]+')}$`),
  good: strict(endpoint.answer),
  listed: problemsOf(endpoint),
}));
const problem = strict(problemShape);

const faultsOf = (schema: z.ZodType, body: unknown): string[] => {
  const parsed = schema.safeParse(body);
  return parsed.success ? [] : parsed.error.issues.slice(0, 3).map((issue) => `/${issue.path.join('/')}: ${issue.message}`);
};

/** What is wrong with an answer. Nothing is known of paths that are no endpoint's. */
const wrongWith = (method: string, path: string, status: number, body: unknown): string[] => {
  const one = known.find(({ endpoint, path: form }) => endpoint.method === method.toLowerCase() && form.test(path));
  if (!one) return [];
  if (status === 200 || (one.endpoint.otherStatuses?.[status] !== undefined && !isProblem(body))) return faultsOf(one.good, body);
  if (!isProblem(body)) return [`${status} is not described`];
  const { code } = body;
  const wrong = faultsOf(problem, body);
  if (!one.listed.has(code)) wrong.push(`${status} ${code} is not listed`);
  else if (problems[code].status !== status) wrong.push(`${code} came as ${status}`);
  return wrong;
};
const isProblem = (body: unknown): body is { code: ProblemCode } => typeof body === 'object' && body !== null && 'code' in body && 'type' in body;

/** Only a gateway marks its answers so. */
const isOurs = (response: Response): boolean => response.headers.has('x-request-id') && /json/.test(response.headers.get('content-type') ?? '');

const watched =
  (send: typeof fetch, wrong: Set<string>): typeof fetch =>
  async (input, init) => {
    const response = await send(input, init);
    if (!isOurs(response)) return response;
    const method = init?.method ?? (input instanceof Request ? input.method : 'GET');
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    // A body that is cut off is its test's own business.
    const body: unknown = await response
      .clone()
      .json()
      .catch(() => undefined);
    if (body !== undefined) for (const one of wrongWith(method, pathname, response.status, body)) wrong.add(`${method} ${pathname} ${response.status} ${one}`);
    return response;
  };

const wrong = new Set<string>();
globalThis.fetch = watched(globalThis.fetch, wrong);

/** What was wrong since it was last asked. */
export const takeWrong = (): string[] => {
  const found = [...wrong];
  wrong.clear();
  return found;
};
