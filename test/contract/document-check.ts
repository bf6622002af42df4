/**
 * Checks a request and its response against the OpenAPI document: the request, the status, the headers and the body. A response may not have
 * additional members.
 */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { createDocument, noExamples } from '../../src/contract/document.ts';
import { endpoints } from '../../src/http/endpoints.ts';

type Content = { [type: string]: { schema: object } };
type HeaderRef = { $ref: string };
type Operation = {
  operationId: string;
  parameters?: { in: string; name: string; required?: boolean }[];
  requestBody?: { content: Content };
  responses: { [status: string]: { headers?: { [name: string]: HeaderRef }; content?: Content } };
};
type Webhook = { parameters: { name: string; required?: boolean; schema: object }[]; requestBody: { content: Content } };
type Document = {
  webhooks: { [type: string]: { post: Webhook } };
  paths: { [path: string]: { [method: string]: Operation } };
  components: { schemas: object; headers: { [name: string]: { required?: boolean; schema: object } } };
};

export type Exchange = {
  method: string;
  path: string;
  request: { headers: Headers; /** Undefined: no body, or not plain JSON. */ body: unknown };
  status: number;
  headers: Headers;
  body: unknown;
};
export type Checked = { operationId: string; wrong: string[] };

const document = createDocument(endpoints, { version: '0.0.0', examples: noExamples, closed: true }) as Document;
// Every test process compiles the schemas. Without inlining and optimisation, that takes a third of the time.
const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, validateFormats: true, inlineRefs: false, code: { optimize: false } });
formats.default(ajv);
ajv.addVocabulary(['discriminator', 'components']);
ajv.addSchema({ $id: 'gateway', components: document.components.schemas === undefined ? {} : { schemas: document.components.schemas } });

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    method,
    path: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{[a-z_]+\}/g, '[^/]+')}$`),
    operation,
  })),
);

const compiled = new Map<object, ValidateFunction>();
const validatorOf = (schema: object): ValidateFunction => {
  let found = compiled.get(schema);
  if (!found) compiled.set(schema, (found = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"gateway#/components')) as object)));
  return found;
};
const faultsOf = (schema: object, value: unknown): string[] => {
  const validate = validatorOf(schema);
  if (validate(value)) return [];
  return (validate.errors ?? []).slice(0, 3).map(({ instancePath, message, params }) => `${instancePath || '/'} ${message ?? ''} ${JSON.stringify(params)}`);
};

export const operationAt = (method: string, path: string): Operation | undefined =>
  operations.find((one) => one.method === method.toLowerCase() && one.path.test(path))?.operation;

/** Returns what is wrong with a body as a response of an operation. */
export const answerFaults = (operationId: string, status: number, type: string, body: unknown): string[] => {
  const schema = operations.find(({ operation }) => operation.operationId === operationId)?.operation.responses[status]?.content?.[type]?.schema;
  return schema ? faultsOf(schema, body) : [`${operationId} does not answer ${status} as ${type}`];
};

/** Returns what is wrong with a body as a request of an operation. */
export const bodyFaultsOf = (operationId: string, body: unknown): string[] => {
  const schema = operations.find(({ operation }) => operation.operationId === operationId)?.operation.requestBody?.content['application/json']?.schema;
  return schema ? faultsOf(schema, body) : [`${operationId} takes no body`];
};

/** Returns what is wrong with a request and its response, or undefined for a path without an operation. */
export const checkExchange = (exchange: Exchange): Checked | undefined => {
  const operation = operationAt(exchange.method, exchange.path);
  if (!operation) return undefined;
  const answer = operation.responses[exchange.status];
  if (!answer) return { operationId: operation.operationId, wrong: [`${exchange.status} is not described`] };
  return {
    operationId: operation.operationId,
    wrong: [
      ...(exchange.status < 300 ? requestFaults(operation, exchange) : []),
      ...headerFaults(answer.headers ?? {}, exchange),
      ...bodyFaults(answer.content ?? {}, exchange),
    ],
  };
};

/** Returns what is wrong with a body as a webhook of a type. */
export const eventFaults = (type: string, body: unknown): string[] => {
  const webhook = document.webhooks[type]?.post;
  return webhook ? faultsOf(webhook.requestBody.content['application/json']?.schema ?? {}, body) : [`the webhook ${type} is not described`];
};

/** Returns what is wrong with a webhook that a wallet received. */
export const webhookFaults = (headers: { [name: string]: string | string[] | undefined }, text: string): string[] => {
  const body = JSON.parse(text) as { type?: string };
  const webhook = document.webhooks[body.type ?? '']?.post;
  if (!webhook) return [`the webhook ${body.type ?? 'without a type'} is not described`];
  const told = webhook.parameters.flatMap(({ name, schema, required }) =>
    headers[name] === undefined ? (required === true ? [`the header ${name} is missing`] : []) : faultsOf(schema, headers[name]),
  );
  return [...told, ...eventFaults(body.type ?? '', body)].map((fault) => `webhook ${body.type ?? ''}: ${fault}`);
};

/** Returns what the document does not allow in a request that was served. Members may be in camelCase, and null means that a member is absent. */
const requestFaults = (operation: Operation, { request, path }: Exchange): string[] => {
  const missing = (operation.parameters ?? []).filter((one) => one.in === 'header' && one.required === true && !request.headers.has(one.name));
  const schema = operation.requestBody?.content['application/json']?.schema;
  const faults = missing.map(({ name }) => `${path}: the header ${name} is required`);
  if (!schema || typeof request.body !== 'object' || request.body === null) return faults;
  return [...faults, ...faultsOf(schema, plainly(request.body)).map((fault) => `request ${fault}`)];
};
const plainly = (value: unknown): unknown =>
  typeof value !== 'object' || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(Object.entries(value).flatMap(([name, one]) => (one === null ? [] : [[snakeCase(name), plainly(one)] as const])));
const snakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The headers that an operation has to describe if its response has them. Headers that a server or CORS adds do not belong to an operation. */
const spokenOf = ['x-request-id', 'x-ramp-mode', 'cache-control', 'ratelimit', 'ratelimit-policy', 'retry-after', 'deprecation', 'sunset', 'link', 'etag'];

const headerFaults = (described: { [name: string]: HeaderRef }, { headers, body }: Exchange): string[] => {
  const byName = new Map(Object.entries(described).map(([name, { $ref }]) => [name.toLowerCase(), document.components.headers[$ref.split('/').at(-1) ?? '']]));
  const faults = spokenOf.filter((name) => headers.has(name) && !byName.has(name)).map((name) => `the header ${name} is not described`);
  for (const [name, header] of byName) {
    const value = headers.get(name);
    if (value === null) {
      if (header?.required === true) faults.push(`the header ${name} is missing`);
    } else if (header) {
      const typed = 'type' in header.schema && header.schema.type === 'integer' ? Number(value) : value;
      faults.push(...faultsOf(header.schema, typed).map((fault) => `header ${name}: ${fault}`));
    }
  }
  const wait = typeof body === 'object' && body !== null && 'retry_after_ms' in body ? Number(body.retry_after_ms) : undefined;
  const told = headers.get('retry-after');
  if ((wait === undefined ? null : String(Math.max(1, Math.ceil(wait / 1000)))) !== told)
    faults.push(`Retry-After ${told} does not match retry_after_ms ${wait}`);
  return faults;
};

const bodyFaults = (content: Content, { headers, body }: Exchange): string[] => {
  const type = (headers.get('content-type') ?? '').split(';')[0] ?? '';
  const described = content[type];
  if (!described) return type === '' && Object.keys(content).length === 0 ? [] : [`the type ${type} is not described`];
  return body === undefined ? [] : faultsOf(described.schema, body);
};
