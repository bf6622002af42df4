import { expect, it } from 'vitest';
import { errorPlace, errorText } from './error-text.ts';

const driver = Object.assign(new Error('terminating connection due to administrator command'), { code: '57P01' });
const failed = new Error('Failed query: insert into "customers" values ($1, $2)\nparams: 9f86d081884c7d65,alice@example.com', { cause: driver });

it('tells the cause with its code, and no parameter', () => {
  expect(errorText(failed)).toBe('57P01 terminating connection due to administrator command');
  expect(errorText(new Error('outer', { cause: failed }))).toBe('57P01 terminating connection due to administrator command');
  expect(errorText(new Error(failed.message))).toBe('a query failed');
  expect(errorText(Object.assign(new Error('invalid input syntax for type uuid: "alice@example.com"'), { code: '22P02' }))).toBe(
    '22P02 invalid input syntax for type uuid',
  );
  expect(errorText(Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' }))).toBe('connect ECONNREFUSED 127.0.0.1:5432');
  expect([errorText('text'), errorText(undefined)]).toEqual(['unknown', 'unknown']);
});

it('the place is a frame, however many lines the text has', () => {
  expect(errorPlace(failed)).toMatch(/^at .*error-text\.test\.ts/);
  expect(errorPlace(new Error(failed.message))).toMatch(/^at .*error-text\.test\.ts/);
});
