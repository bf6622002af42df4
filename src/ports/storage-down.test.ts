import { expect, it } from 'vitest';
import { isStorageDown } from './storage-down.ts';

const withCode = (code: string): Error => Object.assign(new Error('driver'), { code });
const failed = (code: string): Error => new Error('Failed query: select 1\nparams: secret', { cause: withCode(code) });

const away = `
  08000 08001 08003 08004 08006 08007 08P01
  53000 53100 53200 53300 53400
  57000 57014 57P01 57P02 57P03 57P04 57P05
  58000 58030 28000 28P01 XX000 3D000
  25006 25P03 25P04 40001 40003 40P01 55P03 26000
  ECONNREFUSED ECONNRESET ECONNABORTED ETIMEDOUT EPIPE ENOTFOUND EAI_AGAIN EAI_FAIL EHOSTUNREACH EHOSTDOWN
  ENETUNREACH ENETDOWN ENETRESET EADDRNOTAVAIL EMFILE ENFILE ENOBUFS EPROTO
  CONNECTION_CLOSED CONNECTION_ENDED CONNECTION_DESTROYED CONNECT_TIMEOUT SASL_SIGNATURE_MISMATCH
  CERT_HAS_EXPIRED DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN UNABLE_TO_VERIFY_LEAF_SIGNATURE ERR_TLS_CERT_ALTNAME_INVALID`;

it.each(away.trim().split(/\s+/))('%s means that the database is unreachable, by itself and as the cause of an ORM error', (code) => {
  expect([isStorageDown(withCode(code)), isStorageDown(failed(code))]).toEqual([true, true]);
});

it.each(['23505', '23503', '22P02', '22003', '42601', '42703', '42P01', '42501', '25001', '25P02', '40002', '0A000', 'ERR_INVALID_URL', 'EACCES', 'EISDIR'])(
  '%s means that our own statement or code is wrong',
  (code) => expect([isStorageDown(withCode(code)), isStorageDown(failed(code))]).toEqual([false, false]),
);

it('a host name with several addresses, none of which answers', () => {
  expect(isStorageDown(new Error('Failed query', { cause: new AggregateError([withCode('EHOSTUNREACH'), withCode('ECONNREFUSED')], '') }))).toBe(true);
  expect(isStorageDown(new AggregateError([withCode('23505')], ''))).toBe(false);
  expect([isStorageDown(undefined), isStorageDown('ECONNREFUSED'), isStorageDown(new Error('ECONNREFUSED'))]).toEqual([false, false, false]);
});
