/** Turns the zod schemas that the routes use into the named schemas of the OpenAPI document. */
import * as z from 'zod';
import type { Endpoint } from '../http/call.ts';
import { openWords, schemas } from './names.ts';
import { webhookEvents } from './webhooks.ts';
import { createWords, type Words } from './words.ts';

export type JsonSchema = { [key: string]: unknown };
export type Components = { [name: string]: JsonSchema };

const prefix = '#/components/schemas/';
export const refTo = (name: string): { $ref: string } => ({ $ref: `${prefix}${name}` });
const pascal = (id: string): string => id[0]?.toUpperCase() + id.slice(1);

/** Returns the name that names.ts gives to a schema, or else `otherwise`: the name that is made from the operation. */
const nameOf = (schema: z.ZodType, otherwise: string): string => Object.entries(schemas).find(([, one]) => one === schema)?.[0] ?? otherwise;
export const requestName = ({ body, id }: Endpoint): string | undefined => body && nameOf(body, `${pascal(id)}Request`);
export const answerName = ({ answer, id }: Endpoint): string => nameOf(answer, `${pascal(id)}Answer`);

/**
 * Returns all named schemas that are reachable from an operation, a problem or a webhook, in alphabetical order. Requests and answers may
 * have members that their schemas do not describe. With `closed`, answers may not: the tests check the gateway's own answers with such schemas.
 */
export const componentsOf = (endpoints: readonly Endpoint[], { closed }: { closed: boolean }): Components => {
  const words = createWords();
  const requests = Object.fromEntries(endpoints.flatMap((one) => (one.body ? [[requestName(one) ?? '', one.body as z.ZodType]] : [])));
  const answers = Object.fromEntries(endpoints.map((one) => [answerName(one), one.answer]));
  const asked = reachable(toJson(words, { ...schemas, ...requests }, 'input', false), Object.keys(requests));
  const answered = reachable(toJson(words, { ...schemas, ...answers }, 'output', closed), [
    ...Object.keys(answers),
    'Problem',
    'BuyProblem',
    'SellProblem',
    'LiquidityProblem',
    ...Object.values(webhookEvents).map(({ name }) => name),
  ]);
  const all: Components = { ...asked, ...answered };
  for (const name of Object.keys(asked))
    if (name in answered && JSON.stringify(asked[name]) !== JSON.stringify(answered[name]))
      throw new Error(`${name} has one form in requests and another in answers`);
  words.check();
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
};

const toJson = (words: Words, named: { [name: string]: z.ZodType }, io: 'input' | 'output', closed: boolean): Components => {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const made = z.toJSONSchema(registry, { io, unrepresentable: 'any', uri: (id) => `${prefix}${id}` });
  return Object.fromEntries(
    Object.entries(made.schemas).map(([name, { $schema: _schema, $id: _id, ...schema }]) => [
      name,
      finish(words, name, tidy(schema as JsonSchema, closed) as JsonSchema),
    ]),
  );
};

/**
 * Removes what tells a reader nothing: the bounds of safe integers, a pattern beside the name of a format and, unless `closed`,
 * `additionalProperties: false`.
 */
const tidy = (value: unknown, closed: boolean): unknown => {
  if (Array.isArray(value)) return value.map((item) => tidy(item, closed));
  if (typeof value !== 'object' || value === null) return value;
  const left = Object.entries(value).filter(
    ([key, item]) =>
      !(
        (key === 'minimum' && item === Number.MIN_SAFE_INTEGER) ||
        (key === 'maximum' && item === Number.MAX_SAFE_INTEGER) ||
        (key === 'pattern' && 'format' in value) ||
        (key === 'additionalProperties' && item === false && !closed)
      ),
  );
  return Object.fromEntries(left.map(([key, item]) => [key, tidy(item, closed)]));
};

const finish = (words: Words, name: string, schema: JsonSchema): JsonSchema => {
  describeMembers(words, name, schema);
  const description = words.component(name);
  if (name in openWords) return { description, anyOf: [{ type: 'string', enum: schema['enum'] }, { type: 'string' }] };
  if (name === 'Time') return { description, ...schema, pattern: 'Z$' };
  if (Array.isArray(schema['oneOf'])) return { description, ...schema, discriminator: discriminatorOf(name, schema['oneOf'] as { $ref: string }[]) };
  return { description, ...schema };
};

/** Adds a description to every member of every object, including objects without a name. */
const describeMembers = (words: Words, name: string, schema: unknown): void => {
  if (Array.isArray(schema)) for (const one of schema) describeMembers(words, name, one);
  if (typeof schema !== 'object' || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    if (key !== 'properties') describeMembers(words, name, value);
    else
      for (const [member, one] of Object.entries(value as { [member: string]: JsonSchema })) {
        one['description'] = words.member(name, member);
        describeMembers(words, name, one);
      }
  }
};

const discriminators: { readonly [name: string]: string } = { SatsPayment: 'kind', Route: 'ramp', GetSellConnectionsAnswer: 'asked_for' };

const discriminatorOf = (name: string, variants: { $ref: string }[]): object => {
  const propertyName = discriminators[name];
  if (propertyName === undefined) throw new Error(`${name}: no discriminator says which of its forms an answer has`);
  const words = variants.map(({ $ref }) => {
    const variant = schemas[$ref.slice(prefix.length)] as z.ZodObject;
    return [String((variant.shape[propertyName] as z.ZodLiteral).value), $ref] as const;
  });
  return { propertyName, mapping: Object.fromEntries(words) };
};

const reachable = (all: Components, from: readonly string[]): Components => {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === 'object' && value !== null)
      for (const [key, item] of Object.entries(value))
        if (key === '$ref' && typeof item === 'string') enter(item.slice(prefix.length));
        else visit(item);
  };
  const enter = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    visit(all[name]);
  };
  from.forEach(enter);
  return Object.fromEntries(Object.entries(all).filter(([name]) => found.has(name)));
};
