import { isMap, isNode, isPair, isScalar, isSeq, type Document, type LineCounter } from 'yaml';
import * as z from 'zod';
import { distanceOf } from '../domain/edit-distance.ts';

export type Place = { document: Document; lines: LineCounter; fileName: string };
type Issue = {
  code: string;
  path: PropertyKey[];
  message: string;
  input?: unknown;
  keys?: string[];
  values?: unknown[];
  expected?: string;
  minimum?: unknown;
  maximum?: unknown;
  /** The mistakes that each form of a union found, if no form matched. */
  errors?: Issue[][];
  /** What is wrong with the name of an entry. */
  issues?: Issue[];
};

/** Matches settings in which an operator may have written a secret by mistake, instead of its hash or the name of its variable. */
const mayBeSecret = /(?:_env|_hashes\.\d+|publishable_keys\.\d+|webhook_secret|api_key|master_key|token)$/;

/** Matches an address with a user or a password. */
const hasPassword = /:\/\/[^/"]*@/;
const plain = (found: unknown): unknown => (isNode(found) ? found.toJSON() : found);

export type Mistake = { line: number; text: string };

/** Describes an issue that zod found: one line for each setting that is wrong, `file:line: path: found …, allowed: …`. */
export const explain = (place: Place, prefix: string[], issue: z.core.$ZodIssue | Issue, schema: { shape: Record<string, unknown> }): Mistake[] => {
  const one = issue as Issue;
  const path = [...prefix, ...one.path.map(String)];
  // If one form of the union fits the value's type, that form's first mistake is reported: it says more than "no form fits".
  const inside =
    one.code === 'invalid_union'
      ? one.errors?.find(([first]) => first && !(first.path.length === 0 && first.code === 'invalid_type') && first.code !== 'invalid_value')?.[0]
      : undefined;
  if (inside) return explain(place, path, inside, { shape: {} });
  if (one.code === 'unrecognized_keys') {
    const allowed = Object.keys(shapeAt(schema, one.path));
    return (one.keys ?? []).map((key) => mistakeAt(place, [...path, key], `unknown setting${suggestion(key, allowed)}`));
  }
  if (one.code === 'invalid_key') return [mistakeAt(place, path, `this name ${one.issues?.[0]?.message ?? 'is not allowed'}`)];
  const found = place.document.getIn(path);
  const text =
    found === undefined
      ? 'nothing found'
      : mayBeSecret.test(path.join('.')) || hasPassword.test(JSON.stringify(plain(found)))
        ? 'found something else'
        : `found ${JSON.stringify(plain(found))}`;
  return [mistakeAt(place, path, `${text}, ${wanted(one)}`)];
};

/** Returns the settings that an object may have, or none if it is not an object. */
const shapeAt = (schema: { shape: Record<string, unknown> }, path: PropertyKey[]): Record<string, unknown> => {
  const [name, ...rest] = path;
  if (name === undefined) return schema.shape;
  let inner = schema.shape[String(name)];
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) inner = inner.unwrap();
  return inner instanceof z.ZodObject ? shapeAt(inner, rest) : {};
};

const wanted = (issue: Issue): string => {
  if (issue.values) return `allowed: ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'invalid_type') return `expected: ${issue.expected ?? 'another type'}`;
  return issue.message;
};

const mistakeAt = (place: Place, path: string[], what: string): Mistake => {
  const line = lineOf(place, path);
  return { line, text: `${place.fileName}:${line}: ${path.join('.')}: ${what}` };
};

const lineOf = ({ document, lines }: Place, path: string[]): number => {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = document.getIn(path.slice(0, length - 1), true) ?? document.contents;
    const start = startOf(parent, path[length - 1]);
    if (start !== undefined) return lines.linePos(start).line;
  }
  return 1;
};

/** Returns the offset in the text at which an entry of a map or list begins. */
const startOf = (parent: unknown, name: string | undefined): number | undefined => {
  if (isSeq(parent)) {
    const item = parent.items[Number(name)];
    return isNode(item) ? item.range?.[0] : undefined;
  }
  const pair = isMap(parent) ? parent.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === name) : undefined;
  return pair && isScalar(pair.key) ? pair.key.range?.[0] : undefined;
};

const suggestion = (key: string, allowed: string[]): string => {
  const nearest = allowed.map((name) => ({ name, distance: distanceOf(key, name) })).sort((a, b) => a.distance - b.distance)[0];
  if (nearest && nearest.distance <= 3) return `, did you mean "${nearest.name}"?`;
  return allowed.length === 0 ? '' : `, allowed: ${allowed.join(', ')}`;
};
