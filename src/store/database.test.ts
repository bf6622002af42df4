import { expect, it } from 'vitest';
import { databaseAnswered } from './database.ts';

it.each([
  ['23505', true],
  ['0A000', true],
  ['P0001', true],
  ['HV00L', true],
  ['EPIPE', false],
  ['ECONNRESET', false],
  ['CONNECTION_CLOSED', false],
  ['08006', false],
  ['57P01', false],
  ['25006', false],
  [undefined, false],
])('after the code %s, the database has answered: %s', (code, answered) =>
  expect(databaseAnswered(new Error('failed query', { cause: Object.assign(new Error('x'), { code }) }))).toBe(answered),
);
