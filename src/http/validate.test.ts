import * as z from 'zod';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Problem } from '../gateway/problem.ts';
import { endpoints } from './endpoints.ts';
import { validate } from './validate.ts';

const answerTo = (schema: z.ZodObject, body: Record<string, unknown>): Problem | undefined => {
  try {
    validate(schema, body);
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
};
const bodies = endpoints.flatMap(({ path, body }) => (body === undefined ? [] : [{ path, members: Object.keys(body.shape) }]));
const camelCase = (name: string): string => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Typing mistakes, and other ways to write member names. */
const slips: ((name: string, at: number) => string)[] = [
  (name, at) => name.slice(0, at) + name.slice(at + 1),
  (name, at) => `${name.slice(0, at)}x${name.slice(at)}`,
  (name, at) => `${name.slice(0, at)}q${name.slice(at + 1)}`,
  (name, at) => name.slice(0, at) + (name[at + 1] ?? '') + (name[at] ?? '') + name.slice(at + 2),
  (name) => name.toUpperCase(),
  (name) => name.replaceAll('_', '-'),
  (name) => name.replaceAll('_', ' '),
  (name) => `${name} `,
  (name) => `${name}\u200b`,
  (name) => `${name}s`,
  (name) => camelCase(name).replace(/^./, (letter) => letter.toUpperCase()),
];

it('of every operation: a member that is misspelt is named, and never ignored', () => {
  fc.assert(
    fc.property(fc.constantFrom(...bodies), fc.nat(), fc.constantFrom(...slips), fc.nat(), ({ members }, which, slip, where) => {
      // The members accept any value, so only the name can be wrong.
      const schema = z.object(Object.fromEntries(members.map((name) => [name, z.unknown().optional()])));
      const name = members[which % members.length] ?? '';
      const written = slip(name, where % name.length);
      if (members.some((one) => one === written || camelCase(one) === written)) return;
      const problem = answerTo(schema, { [written]: 1 });
      // Short names are too much alike: "code" may be a typo, or the member "mode" of another client.
      const isShort = problem === undefined && name.length <= 5;
      expect([name, isShort ? `/${written}` : problem?.more.errors?.[0]?.pointer]).toEqual([name, `/${written}`]);
    }),
    { numRuns: 3000 },
  );
});
