import { expect, it } from 'vitest';
import { readDatabaseUrl, type DatabaseAddress } from './database-url.ts';

const read = (text: string): DatabaseAddress => {
  const found = readDatabaseUrl(text);
  if (!found.ok) throw new Error(found.mistake);
  return found.address;
};
const mistake = (text: string): string | undefined => {
  const found = readDatabaseUrl(text);
  return found.ok ? undefined : found.mistake;
};
const base = 'postgres://ramp:s3cr3t@db.example:5433/ramp';

it('reads the parts, in the forms that people have', () => {
  expect(read(base)).toEqual({
    hosts: [{ host: 'db.example', port: 5433 }],
    user: 'ramp',
    password: 's3cr3t',
    database: 'ramp',
    ssl: false,
    sslnegotiation: undefined,
    files: {},
    prepare: true,
    connectTimeoutS: undefined,
    keepAliveS: undefined,
    sessionAttrs: undefined,
    settings: {},
  });
  expect(read(`\n ${base.replace('postgres:', 'postgresql:')}\r\n`).database).toBe('ramp');
  expect(read('postgres://ramp:p%40ss%2F%25@[::1]/ramp')).toMatchObject({ password: 'p@ss/%', hosts: [{ host: '::1', port: 5432 }] });
  expect(read('postgres://ramp:p@ss:w@rd@db/ramp')).toMatchObject({ user: 'ramp', password: 'p@ss:w@rd', hosts: [{ host: 'db' }] });
  expect(read('postgres://a:b@one:1,two:2/ramp?target_session_attrs=read-write')).toMatchObject({
    hosts: [
      { host: 'one', port: 1 },
      { host: 'two', port: 2 },
    ],
    sessionAttrs: 'read-write',
  });
  expect(read('postgres:///ramp?host=/run/postgresql&user=ramp&port=5433')).toMatchObject({ hosts: [{ host: '/run/postgresql', port: 5433 }], user: 'ramp' });
  expect(read('postgres://ramp@%2Frun%2Fpostgresql/ramp').hosts).toEqual([{ host: '/run/postgresql', port: 5432 }]);
});

it.each([
  'channel_binding=prefer',
  'gssencmode=disable',
  'schema=public',
  'client_encoding=utf8',
  'fallback_application_name=x',
  'keepalives=1&keepalives_interval=5&keepalives_count=3&tcp_user_timeout=1000',
  'load_balance_hosts=disable&sslcompression=0&sslsni=1',
  'target_session_attrs=any',
])('%s asks for nothing, and does not go to the server', (parameters) => {
  expect(read(`${base}?${parameters}`).settings).toEqual({});
});

it('obeys the parameters that it can obey', () => {
  expect(read(`${base}?pgbouncer=true`).prepare).toBe(false);
  expect(read(`${base}?prepare=false`).prepare).toBe(false);
  expect(read(`${base}?pgbouncer=false&prepare=true`).prepare).toBe(true);
  expect(read(`${base}?connect_timeout=3&keepalives_idle=30`)).toMatchObject({ connectTimeoutS: 3, keepAliveS: 30 });
  expect(read(`${base}?keepalives=0`).keepAliveS).toBe(0);
  expect(read(`${base}?statement_timeout=10000&options=-c%20lock_timeout%3D1s&application_name=ours`).settings).toEqual({
    statement_timeout: '10000',
    options: '-c lock_timeout=1s',
    application_name: 'ours',
  });
});

it.each([
  ['sslmode=disable', false],
  ['sslmode=prefer', 'prefer'],
  ['sslmode=require', 'require'],
  ['ssl=true', 'require'],
  ['sslmode=verify-full', 'verify-full'],
  ['sslrootcert=system', 'verify-full'],
  ['sslmode=require&sslrootcert=system', 'verify-full'],
  ['sslmode=require&sslrootcert=/certs/ca.pem', 'verify-ca'],
  ['sslmode=verify-full&sslrootcert=/certs/ca.pem', 'verify-full'],
])('%s is %s', (parameters, ssl) => {
  expect(read(`${base}?${parameters}`)).toMatchObject({ ssl, settings: {} });
});

it.each([
  ['channel_binding=require', /demands channel_binding.*sslmode=verify-full/],
  ['gssencmode=require', /demands gssencmode/],
  ['schema=ramp', /names a schema/],
  ['search_path=ramp', /names a search_path/],
  ['client_encoding=latin1', /client_encoding/],
  ['require_auth=scram-sha-256', /require_auth/],
  ['service=ramp', /names a service/],
  ['sslmode=required', /unknown sslmode, allowed: disable, allow, prefer/],
  ['sslcrl=/x', /sslcrl/],
  ['target_session_attrs=read-only', /target_session_attrs/],
  ['target_session_attrs=standby', /target_session_attrs/],
  ['connection_limit=5', /DATABASE_POOL/],
  ['max=5', /DATABASE_POOL/],
  ['connect_timeout=soon', /connect_timeout/],
])('%s is refused by its name', (parameters, says) => {
  expect(mistake(`${base}?${parameters}`)).toMatch(says);
});

it.each([
  '"postgres://ramp:s3cr3t@db/ramp"',
  "'postgres://ramp:s3cr3t@db/ramp'",
  'postgresql+asyncpg://ramp:s3cr3t@db/ramp',
  'jdbc:postgresql://ramp:s3cr3t@db/ramp',
  'mysql://ramp:s3cr3t@db/ramp',
  's3cr3t',
  'postgres://ramp:s3cr3t%@db/ramp',
  'postgres://ramp:s3cr3t/x@db/ramp',
  'postgres://ramp:12/s3cr3t@db/ramp',
  'postgres://ramp:s3cr3t#x@db/ramp',
  'postgres://ramp:12#s3cr3t@db/ramp',
  'postgres://ramp:s3cr3t?x@db/ramp',
  'postgres://ramp:12?s3cr3t@db/ramp',
  'postgres://ramp:s3cr3t@db:port/ramp',
  'postgres://ramp:s3cr3t@db:99999/ramp',
  'postgres://ramp:s3cr3t@db/ra mp',
])('%s is a mistake that shows nothing of it', (text) => {
  expect(mistake(text)).toMatch(/^(?:is in quotes|must begin with postgres:\/\/|cannot be read as a URL)/);
  expect(mistake(text)).not.toContain('s3cr3t');
});
