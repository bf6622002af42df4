import { bigint, customType } from 'drizzle-orm/pg-core';

/** Money, in the ramp's integer units (domain/ramp.ts). */
export const amount = (name: string) => bigint(name, { mode: 'bigint' });

/** A time: Unix milliseconds in the code, `timestamp with time zone` in the database, so that operators can read it. */
export const moment = customType<{ data: number; driverData: string }>({
  dataType: () => 'timestamp (3) with time zone',
  toDriver: (ms) => new Date(ms).toISOString(),
  fromDriver: (text) => Date.parse(text),
});

/**
 * A JSON document. The type is `json`, not `jsonb`, because `json` keeps the exact text that was written. An index can cover single members of such a
 * document, but not the whole document.
 */
export const document = <T>() => customType<{ data: T; driverData: unknown }>({ dataType: () => 'json', toDriver: (value) => JSON.stringify(value) });

/** A sealed value: `v1.<key id>.<wrapped key>.<iv>.<ciphertext>`, bound to its table, row and field (src/seal). */
export const sealed = customType<{ data: string; driverData: string }>({ dataType: () => 'text' });
