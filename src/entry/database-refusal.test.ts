import { expect, it } from 'vitest';
import { databaseRefusal } from './database-refusal.ts';

const failure = (code: string, message: string): Error => Object.assign(new Error(message), { code });

it.each([
  [
    '42501',
    'permission denied for database ramp',
    /^the role of DATABASE_URL lacks a permission: migrations need CREATE on the database .*docs\/operations\.md, "The database": 42501 permission denied for database ramp$/,
  ],
  ['25006', 'cannot execute INSERT in a read-only transaction', /^the database is read-only .*: 25006 /],
  ['28P01', 'password authentication failed for user "ramp"', /^the database refuses the user or the password of DATABASE_URL: 28P01 /],
  ['28000', 'no pg_hba.conf entry', /asks for TLS \(sslmode=require\): 28000 /],
  ['3D000', 'database "ramp" does not exist', /^the database that DATABASE_URL names does not exist: 3D000 /],
  ['42704', 'unrecognized configuration parameter "x"', /^DATABASE_URL asks for a setting .*ALTER ROLE/],
  ['08P01', 'unsupported startup parameter: statement_timeout', /^DATABASE_URL asks for a setting .*or the pooler in front of it/],
  ['55P03', 'canceling statement due to lock timeout', /another instance is migrating/],
  ['XX000', 'something else', /^the database does not answer or could not be migrated: XX000 something else$/],
])('%s is said in words', (code, message, says) => {
  const said = databaseRefusal(failure(code, message));
  expect(said).toMatch(says);
  expect(said.split('\n')).toHaveLength(1);
});

it('the ORM’s error is told by its cause, without the statement', () => {
  const orm = new Error('Failed query: insert into orders values ($1)\nparams: d419b44e,secret-blob', {
    cause: failure('42501', 'permission denied for schema public'),
  });
  expect(databaseRefusal(orm)).toMatch(/^the role of DATABASE_URL lacks a permission: .*: 42501 permission denied for schema public$/);
  expect(databaseRefusal(orm)).not.toMatch(/secret-blob|insert into/);
});
