/** Checks that our keys open what the database holds, before anything is sealed that the right keys could not open. */
import type { Sql } from 'postgres';
import type { NamedKey } from '../config/secrets.ts';
import type { Log } from '../ports/runtime.ts';
import { createSeal } from '../seal/seal.ts';
import { sealedSamples } from '../store/sealed-columns.ts';

/**
 * Checks that SEAL_KEY and SEAL_KEY_OLD open one value of each sealed column in the database, and returns what is wrong. With the wrong keys, every
 * payment detail and provider session would be unreadable, and the open orders could no longer be followed. `searched`: how many rows of each
 * table are searched for such values. Absent: all.
 */
export const checkSealKey = async (client: Sql, keys: NamedKey[], searched?: number): Promise<string | undefined> => {
  const seal = createSeal(keys);
  for (const { table, sealed } of await sealedSamples(client, searched)) {
    const opens = await seal.rewrap(sealed).then(
      () => true,
      () => false,
    );
    if (!opens)
      return `SEAL_KEY does not open the sealed values in this database (${table}, sealed under the key "${sealed.split('.')[1] ?? ''}"): set the key that sealed them as SEAL_KEY, or add it to SEAL_KEY_OLD. If that key is lost for good, SEAL_KEY_LOST=1 starts without it`;
  }
  return undefined;
};

/** How many rows of each table an isolate searches. Isolates start often, and an empty column would make each of them read a whole table. */
const searchedAtFirstRequest = 1000;

/**
 * Makes the check for a runtime that has no start of its own. The check reads the database until it has passed once, and logs each time that it
 * fails. `isLost`: the missing key is lost for good (SEAL_KEY_LOST), so the gateway goes on without it.
 */
export const createKeyCheck = (keys: NamedKey[], isLost: boolean, log: Log): ((client: Sql) => Promise<string | undefined>) => {
  let passed = false;
  return async (client) => {
    if (passed) return undefined;
    const lost = await checkSealKey(client, keys, searchedAtFirstRequest);
    if (lost !== undefined) log('error', 'seal_key_lost', { reason: lost });
    passed = lost === undefined || isLost;
    return passed ? undefined : lost;
  };
};
