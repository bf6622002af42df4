import { expect, expectTypeOf, it } from 'vitest';
import { defined } from './defined.ts';

it('drops undefined members and nothing else, and keeps the sequence', () => {
  const members: { a: number; b: string | undefined; c: null; d?: boolean } = { a: 0, b: undefined, c: null, d: false };
  expect(JSON.stringify(defined(members))).toBe('{"a":0,"c":null,"d":false}');
  expect(Object.keys(defined(members))).toEqual(['a', 'c', 'd']);
});

it('has a type whose members may be absent, never undefined', () => {
  const members = defined<{ a: number; b: string | undefined }>({ a: 1, b: undefined });
  expectTypeOf(members.a).toEqualTypeOf<number>();
  const strict: { a: number; b?: string } = members;
  expect(strict).toEqual({ a: 1 });
});
