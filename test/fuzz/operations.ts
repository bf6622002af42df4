/** The operations of a running gateway, read from its /openapi.json, so that the fuzz suites include a new endpoint without being changed. */
import * as z from 'zod';
import type { Seen } from './client.ts';

export type Schema = {
  type?: string;
  format?: string;
  enum?: unknown[];
  example?: unknown;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema | boolean;
  anyOf?: Schema[];
  oneOf?: Schema[];
};
type Documented = { description: string; content?: Record<string, { schema: Schema }> };
export type Operation = {
  method: 'get' | 'post';
  path: string;
  name: string;
  body: Schema | undefined;
  query: { name: string; schema: Schema }[];
  /** By status, then by media type. A check is compiled when a response first needs it. */
  responses: Map<number, { codes: string; checks: Map<string, () => z.ZodType> }>;
};
type Description = {
  paths: Record<
    string,
    Record<
      string,
      {
        requestBody?: { content: Record<string, { schema: Schema }> };
        parameters?: { name: string; in: string; schema: Schema }[];
        responses: Record<string, Documented>;
      }
    >
  >;
  components?: { schemas?: Record<string, Schema> };
};

/** Replaces each reference with the schema that it names, so that a schema can be used alone. */
const resolve = (value: unknown, schemas: Record<string, Schema>): unknown => {
  if (Array.isArray(value)) return value.map((item) => resolve(item, schemas));
  if (typeof value !== 'object' || value === null) return value;
  const reference = (value as { $ref?: unknown }).$ref;
  if (typeof reference === 'string') return resolve(schemas[reference.split('/').at(-1) ?? ''], schemas);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item, schemas)]));
};

const once = <T>(make: () => T): (() => T) => {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
};

/** Paths that the document describes but whose responses these suites do not check: one is plain text, the other the document itself. */
const noEndpoints = ['/metrics', '/openapi.json'];

export const readOperations = async (gatewayUrl: string): Promise<Operation[]> => {
  const document = (await (await fetch(`${gatewayUrl}/openapi.json`)).json()) as Description;
  const schemas = document.components?.schemas ?? {};
  return Object.entries(document.paths)
    .filter(([path]) => !noEndpoints.includes(path))
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, one]): Operation => {
        const given = one.requestBody?.content['application/json']?.schema;
        return {
          method: method as 'get' | 'post',
          path,
          name: `${method.toUpperCase()} ${path}`,
          body: given && (resolve(given, schemas) as Schema),
          query: (one.parameters ?? []).filter((parameter) => parameter.in === 'query').map(({ name, schema }) => ({ name, schema })),
          responses: new Map(
            Object.entries(one.responses).map(([status, { description, content = {} }]) => {
              const checks = Object.entries(content).map(
                ([type, { schema }]) => [type, once(() => z.fromJSONSchema(resolve(schema, schemas) as Parameters<typeof z.fromJSONSchema>[0]))] as const,
              );
              return [Number(status), { codes: description, checks: new Map(checks) }];
            }),
          ),
        };
      }),
    );
};

export type Checked = { code: string | undefined; body: unknown; wrong: string[] };

/** Returns what is wrong with a response, by what the document says about the operation. */
export const checkAnswer = (operation: Operation, { status, headers, text }: Seen): Checked => {
  const wrong: string[] = [];
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { code: undefined, body: undefined, wrong: [`${status} is not JSON`] };
  }
  const documented = operation.responses.get(status);
  const code = typeof body === 'object' && body !== null && 'code' in body ? String(body.code) : undefined;
  if (!documented) wrong.push(`${status} ${code ?? ''} is not documented`);
  else {
    const check = documented.checks.get(headers.get('content-type')?.split(';')[0] ?? '');
    if (!check) wrong.push(`${status} has the type ${headers.get('content-type')}`);
    const parsed = check?.().safeParse(body);
    if (parsed && !parsed.success)
      wrong.push(
        `${status} is not as described: ${parsed.error.issues
          .slice(0, 2)
          .map((issue) => `/${issue.path.join('/')} ${issue.message}`)
          .join('; ')}`,
      );
    if (status >= 400) {
      const problem = body as Record<string, unknown>;
      if (!documented.codes.split(', ').includes(code ?? '')) wrong.push(`${status} with the code ${code} is not documented`);
      if (problem['status'] !== status || problem['type'] !== `urn:ramp-gateway:problem:${code}`)
        wrong.push(`${status} has a status or type in its body that does not match`);
      if (problem['instance'] !== headers.get('x-request-id')) wrong.push(`${status} has an instance that is not its x-request-id`);
    }
  }
  if (status === 500) wrong.push(`500: ${text.slice(0, 200)}`);
  return { code, body, wrong };
};
