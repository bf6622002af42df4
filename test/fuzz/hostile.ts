/** Makes values from a schema, and corrupts them as an attacker or a broken client would. */
import type { Schema } from './operations.ts';
import type { Random } from './random.ts';

/** Values seen in responses, by member name. With them, generated requests get past the first checks. */
export type Pool = Map<string, unknown[]>;

const mark = '\u{e000}';
/** Marks JSON text that JSON.stringify would not write. */
const raw = (text: string): string => `${mark}${text}${mark}`;
export const toText = (value: unknown): string =>
  (JSON.stringify(value) ?? 'null').replaceAll(new RegExp(`"${mark}(.*?)${mark}"`, 'gu'), (_, text: string) => text.replaceAll('\\"', '"'));

const deep = (n: number): string => `${'['.repeat(n)}${']'.repeat(n)}`;
const strings = [
  '',
  ' ',
  'x',
  '0',
  '-1',
  '100',
  'null',
  'true',
  '__proto__',
  'constructor',
  "'; drop table orders; --",
  '${7*7}',
  '%00',
  '../../etc/passwd',
  'a\0b',
  '\ud800',
  '\udfff\ud800',
  '\u202e\u0000',
  '𝟙𝟚𝟛',
  '١٢٣',
  'ﬀ',
  '\r\nx-injected: 1',
  'x'.repeat(251),
  'y'.repeat(4_000),
  '{"a":1}',
  'https://127.0.0.1/',
  'http://[::1]/',
  'javascript:alert(1)',
  'lnurl1dp68gurn8ghj7',
  'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080',
  '00000000-0000-0000-0000-000000000000',
  '2026-11-21T10:15:00.715Z',
  '9999-99-99T99:99:99Z',
];
const others = [
  null,
  true,
  false,
  -1,
  0,
  1,
  1.5,
  -0.0001,
  2_147_483_647,
  2_147_483_648,
  4_294_967_296,
  Number.MAX_SAFE_INTEGER,
  2_100_000_000_000_000,
  2_100_000_000_000_001,
  raw('1e400'),
  raw('-1e400'),
  raw('9007199254740993'),
  raw('-0'),
  raw('1E2'),
  raw('100.0'),
  raw('0100'),
  raw('NaN'),
  raw(deep(20)),
  raw('"\\ud800"'),
  raw('"\\u0000"'),
  raw('{"__proto__":{"polluted":true}}'),
  raw('{"constructor":{"prototype":{"polluted":true}}}'),
  [],
  {},
  [[]],
  [null],
  { a: 1 },
];
export const hostileValue = (random: Random): unknown =>
  random.chance(0.5) ? random.pick(strings) : random.chance(0.1) ? random.uuid() : random.pick<unknown>(others);

export const valueFor = (name: string, schema: Schema, random: Random, pool: Pool): unknown => {
  const known = pool.get(name);
  if (known && known.length > 0 && random.chance(0.92)) return random.pick(known);
  if (schema.enum) return random.pick(schema.enum);
  const [first] = schema.anyOf ?? schema.oneOf ?? [];
  if (first) return valueFor(name, random.pick(schema.anyOf ?? schema.oneOf ?? [first]), random, pool);
  if (schema.type === 'object') return objectFor(schema, random, pool);
  if (schema.type === 'array') return Array.from({ length: random.below(3) }, () => valueFor(name, schema.items ?? {}, random, pool));
  if (schema.type === 'boolean') return random.chance(0.5);
  if (schema.type === 'integer' || schema.type === 'number') {
    const least = schema.minimum ?? 0;
    const most = schema.maximum ?? 1_000_000;
    return random.pick([least, most, Math.min(most, least + random.below(100)), Math.min(most, least + random.below(100_000)), schema.example ?? least]);
  }
  if (schema.format === 'uuid') return random.uuid();
  if (schema.format === 'date-time') return new Date(1_763_000_000_000 + random.below(100_000_000)).toISOString();
  if (schema.example !== undefined && random.chance(0.7)) return schema.example;
  return random.hex(Math.max(schema.minLength ?? 1, Math.min(schema.maxLength ?? 40, 1 + random.below(60))));
};

const objectFor = (schema: Schema, random: Random, pool: Pool): Record<string, unknown> => {
  const named = Object.entries(schema.properties ?? {}).filter(([name]) => schema.required?.includes(name) === true || random.chance(0.4));
  const free = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
  const extra = free ? Array.from({ length: random.below(3) }, (): [string, Schema] => [random.hex(5), free]) : [];
  return Object.fromEntries([...named, ...extra].map(([name, one]) => [name, valueFor(name, one, random, pool)]));
};

/** Changes the members of a valid value in one to three ways. */
export const spoilMembers = (body: Record<string, unknown>, random: Random): Record<string, unknown> => {
  const changed = { ...body };
  for (let i = 1 + random.below(3); i > 0; i -= 1) {
    const names = Object.keys(changed);
    const name = names.length === 0 ? 'x' : random.pick(names);
    const way = random.below(6);
    if (way === 0) delete changed[name];
    else if (way === 1)
      changed[random.pick(['extra', 'amount_sats', 'amount_fiat', 'order_id', 'quote_id', 'limit', 'session_id', name])] = hostileValue(random);
    else if (way === 2) changed[name] = [changed[name]];
    else changed[name] = hostileValue(random);
  }
  return changed;
};

/** Corrupts the bytes of a body. */
export const spoilBytes = (text: string, random: Random): Uint8Array<ArrayBuffer> => {
  const bytes = Array.from(new TextEncoder().encode(text));
  for (let i = 1 + random.below(4); i > 0; i -= 1) {
    const at = random.below(bytes.length + 1);
    const way = random.below(5);
    if (way === 0) bytes.splice(at, 1);
    else if (way === 1) bytes.splice(at, 0, random.below(256));
    else if (way === 2) bytes[Math.min(at, Math.max(0, bytes.length - 1))] = random.below(256);
    else if (way === 3) bytes.length = at;
    else bytes.splice(at, 0, ...bytes.slice(at, at + random.below(40)));
  }
  return Uint8Array.from(bytes);
};
