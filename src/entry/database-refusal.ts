/** Explains to a person why the gateway cannot start with its database. */
import { errorText } from '../domain/error-text.ts';
import { sqlState } from '../store/database.ts';
import { StartRefused } from './start-refused.ts';

const rights = 'migrations need CREATE on the database (for the schema drizzle) and on its schema public: docs/operations.md, "The database"';
const parameters =
  'DATABASE_URL asks for a setting that this server, or the pooler in front of it, does not accept; set it with ALTER ROLE … SET, or leave it out';

/** What an SQLSTATE of the database means for the person who starts the gateway. */
const meanings: Record<string, string> = {
  '42501': `the role of DATABASE_URL lacks a permission: ${rights}`,
  '25006': 'the database is read-only (a standby, or default_transaction_read_only): the gateway must be able to write',
  '28P01': 'the database refuses the user or the password of DATABASE_URL',
  '28000': 'the database refuses the user of DATABASE_URL, or asks for TLS (sslmode=require)',
  '3D000': 'the database that DATABASE_URL names does not exist',
  '42704': parameters,
  '22023': parameters,
  '55P03':
    'the gateway waited too long for a lock in the database: another instance is migrating (pg_locks, advisory lock 7267001), or something else has locked a table',
};

/** Describes an error of the database in one line: what it means, then the database's own message. */
export const databaseRefusal = (error: unknown): string => {
  const text = errorText(error);
  const meaning = /startup parameter/i.test(text) ? parameters : meanings[sqlState(error) ?? ''];
  return `${meaning ?? 'the database does not answer or could not be migrated'}: ${text}`;
};

/** Explains a failed `begin`, and always throws. A pooler in statement mode ends the connection, and writes the reason only into its own log. */
export const refuseByStatement = (error: unknown): never => {
  if (sqlState(error) !== 'CONNECTION_CLOSED') throw error;
  throw new StartRefused(
    'the pooler of DATABASE_URL ends connections that begin a transaction (pool_mode = statement): set pool_mode to transaction or session',
  );
};
