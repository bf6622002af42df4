import type { ExtractTablesWithRelations } from 'drizzle-orm';
import type { PgTransaction } from 'drizzle-orm/pg-core';
import type { PostgresJsDatabase, PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js';
import * as schema from './schema.ts';

export type Database = PostgresJsDatabase<typeof schema>;
export type Transaction = PgTransaction<PostgresJsQueryResultHKT, typeof schema, ExtractTablesWithRelations<typeof schema>>;

/** Returns the SQLSTATE of an error, or the code of an error of the driver or the network. The driver's error is in the cause of Drizzle's error. */
export const sqlState = (error: unknown): string | undefined => {
  for (let at: unknown = error; at instanceof Error; at = at.cause) if ('code' in at && typeof at.code === 'string') return at.code;
  return undefined;
};
export const uniqueViolation = '23505';
/**
 * Returns whether the database answered and refused the statement: the SQLSTATE is not one for connections, resources, shutdowns or read-only
 * servers. Each SQLSTATE of PostgreSQL has a digit, unlike error codes such as EPIPE.
 */
export const databaseAnswered = (error: unknown): boolean => /^(?!08|53|57|58|25006)(?=.*\d)[0-9A-Z]{5}$/.test(sqlState(error) ?? '');

/** Returns the name of the constraint that was violated. */
export const constraintOf = (error: unknown): string | undefined => {
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    if ('constraint_name' in at && typeof at.constraint_name === 'string') return at.constraint_name;
  return undefined;
};

/** A row without its nulls. Outside the store, a value that does not exist is absent, never null. */
export type Present<T> = { [K in keyof T as null extends T[K] ? never : K]: T[K] } & { [K in keyof T as null extends T[K] ? K : never]?: NonNullable<T[K]> };
export const present = <T extends object>(row: T): Present<T> => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as Present<T>;
