import type { ExtractTablesWithRelations } from 'drizzle-orm';
import type { PgTransaction } from 'drizzle-orm/pg-core';
import type { PostgresJsDatabase, PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js';
import * as schema from './schema.ts';

export type Database = PostgresJsDatabase<typeof schema>;
export type Transaction = PgTransaction<PostgresJsQueryResultHKT, typeof schema, ExtractTablesWithRelations<typeof schema>>;

/** The driver's SQLSTATE stands in the cause of Drizzle's error. */
export const sqlState = (error: unknown): string | undefined => {
  for (let at: unknown = error; at instanceof Error; at = at.cause) if ('code' in at && typeof at.code === 'string') return at.code;
  return undefined;
};
export const uniqueViolation = '23505';
/** It was the statement that failed, not the way to the database: a SQLSTATE, and not of the classes that tell of connections and shutdowns. */
export const databaseAnswered = (error: unknown): boolean => /^(?!08|57)[0-9A-Z]{5}$/.test(sqlState(error) ?? '');

/** Which unique rule was broken. */
export const constraintOf = (error: unknown): string | undefined => {
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    if ('constraint_name' in at && typeof at.constraint_name === 'string') return at.constraint_name;
  return undefined;
};

/** A row without its nulls: absent instead of null, everywhere outside the store. */
export type Present<T> = { [K in keyof T as null extends T[K] ? never : K]: T[K] } & { [K in keyof T as null extends T[K] ? K : never]?: NonNullable<T[K]> };
export const present = <T extends object>(row: T): Present<T> => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as Present<T>;
