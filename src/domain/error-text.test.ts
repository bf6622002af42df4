import fc from 'fast-check';
import { expect, it } from 'vitest';
import { errorPlace, errorText } from './error-text.ts';

const driver = Object.assign(new Error('terminating connection due to administrator command'), { code: '57P01' });
const failed = new Error('Failed query: insert into "customers" values ($1, $2)\nparams: 9f86d081884c7d65,alice@example.com', { cause: driver });

it('returns the cause with its code, without any parameter', () => {
  expect(errorText(failed)).toBe('57P01 terminating connection due to administrator command');
  expect(errorText(new Error('outer', { cause: failed }))).toBe('57P01 terminating connection due to administrator command');
  expect(errorText(new Error(failed.message))).toBe('a query failed');
  expect(errorText(Object.assign(new Error('invalid input syntax for type uuid: "alice@example.com"'), { code: '22P02' }))).toBe(
    '22P02 invalid input syntax for type uuid',
  );
  expect(errorText(Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' }))).toBe('connect ECONNREFUSED 127.0.0.1:5432');
  expect([errorText('text'), errorText(undefined)]).toEqual(['unknown', 'unknown']);
});

it('the place is a stack frame, however many lines the message has', () => {
  expect(errorPlace(failed)).toMatch(/^at .*error-text\.test\.ts/);
  expect(errorPlace(new Error(failed.message))).toMatch(/^at .*error-text\.test\.ts/);
});

it('no parameter is ever returned, whatever it is and however errors are wrapped', () => {
  const secret = fc.string({ unit: fc.constantFrom(...'abcdefghijk@.:"\n, '), minLength: 8, maxLength: 30 }).map((text) => `s3cr3t${text}`);
  const wrap = fc.constantFrom('query', 'outer', 'syntax');
  fc.assert(
    fc.property(secret, fc.array(wrap, { minLength: 1, maxLength: 4 }), fc.boolean(), (value, wraps, hasDriver) => {
      const root = hasDriver ? Object.assign(new Error(`duplicate key value violates unique constraint: "${value}"`), { code: '23505' }) : undefined;
      const error = wraps.reduce<Error | undefined>((cause, kind) => {
        const more = cause === undefined ? {} : { cause };
        if (kind === 'query') return new Error(`Failed query: select $1\nparams: ${value},7`, more);
        if (kind === 'outer') return new Error('could not store it', more);
        return new Error(`invalid input syntax for type uuid: "${value}"`, more);
      }, root);
      expect(errorText(error)).not.toContain('s3cr3t');
      expect(errorPlace(error)).not.toContain('s3cr3t');
    }),
  );
});
