import { isMap, isNode, isPair, isScalar, type Document, type LineCounter } from 'yaml';
import type { z } from 'zod';

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
};

/** One mistake as one line: file:line: path: found …, allowed: …. */
export const explain = (place: Place, prefix: string[], issue: z.core.$ZodIssue | Issue, schema: { shape: Record<string, unknown> }): string => {
  const one = issue as Issue;
  const path = [...prefix, ...one.path.map(String)];
  if (one.code === 'unrecognized_keys') {
    const [key = ''] = one.keys ?? [];
    const allowed = Object.keys(one.path.length === 0 ? schema.shape : {});
    return `${at(place, [...path, key])}: ${[...path, key].join('.')}: unknown setting${suggestion(key, allowed)}`;
  }
  const found = place.document.getIn(path);
  const text = found === undefined ? 'nothing found' : `found ${JSON.stringify(isNode(found) ? found.toJSON() : found)}`;
  return `${at(place, path)}: ${path.join('.')}: ${text}, ${wanted(one)}`;
};

const wanted = (issue: Issue): string => {
  if (issue.values) return `allowed: ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'invalid_type') return `expected: ${issue.expected ?? 'another type'}`;
  return issue.message;
};

const at = ({ document, lines, fileName }: Place, path: string[]): string => {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = document.getIn(path.slice(0, length - 1), true) ?? document.contents;
    if (!isMap(parent)) continue;
    const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === path[length - 1]);
    const start = pair && isScalar(pair.key) ? pair.key.range?.[0] : undefined;
    if (start !== undefined) return `${fileName}:${lines.linePos(start).line}`;
  }
  return `${fileName}:1`;
};

const suggestion = (key: string, allowed: string[]): string => {
  const nearest = allowed.map((name) => ({ name, distance: distanceOf(key, name) })).sort((a, b) => a.distance - b.distance)[0];
  if (nearest && nearest.distance <= 3) return `, did you mean "${nearest.name}"?`;
  return allowed.length === 0 ? '' : `, allowed: ${allowed.join(', ')}`;
};

/** Levenshtein. */
const distanceOf = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length] ?? 0;
};
