import { ProviderFault } from '../providers/fault.ts';

/**
 * SQLSTATEs that are caused by the state of the database, not by our statement. By class: connections (08), resources (53), operator actions and
 * time-outs (57), the system (58), internal errors (XX), authorization (28). Then: a database that does not exist, a server that is read-only,
 * transactions that must be repeated, locks that were not free in time, sessions that the server ended, and a prepared statement that a pooler lost.
 */
const states = /^(?:(?:08|53|57|58|28|XX)[0-9A-Z]{3}|3D000|25006|25P0[34]|40001|40003|40P01|55P03|26000)$/;

/** Error codes of the operating system, its resolver, the driver and TLS that mean that there is no connection to the database. */
const ways = new RegExp(
  `^(?:E(?:CONN(?:REFUSED|RESET|ABORTED)|TIMEDOUT|PIPE|NOTFOUND|NOTCONN|HOST(?:UNREACH|DOWN)|NET(?:UNREACH|DOWN|RESET)|ADDRNOTAVAIL|MFILE|NFILE|NOBUFS|PROTO|AI_[A-Z]+)|${[
    'CONNECTION_(?:CLOSED|ENDED|DESTROYED)',
    'CONNECT_TIMEOUT',
    'SASL_SIGNATURE_MISMATCH',
    '(?:DEPTH_ZERO_)?SELF_SIGNED_CERT(?:_IN_CHAIN)?',
    'CERT_[A-Z_]+',
    'UNABLE_TO_[A-Z_]+',
    'ERR_(?:TLS|SSL)_[A-Z0-9_]+',
  ].join('|')})$`,
);

/** The messages of workerd, whose errors have no code. */
const words = /^(?:connection attempt failed|proxy request failed|Network connection lost|This socket has been closed|Stream was cancelled)/;

/**
 * Returns whether an error means that the database cannot be used at the moment, and not that our statement was wrong. Drizzle puts the driver's
 * error in `cause`. The `cause` of a ProviderFault can have the same codes, but never means the database.
 */
export const isStorageDown = (error: unknown): boolean => {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth += 1) {
    if (at instanceof ProviderFault) return false;
    if ('code' in at && typeof at.code === 'string' && (states.test(at.code) || ways.test(at.code))) return true;
    // If a host name has several addresses, the error for each address is in `errors`.
    if (at instanceof AggregateError && at.errors.some(isStorageDown)) return true;
    if (words.test(at.message)) return true;
  }
  return false;
};
