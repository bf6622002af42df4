import { it } from 'vitest';
import { isFull } from '../fuzz/random.ts';
import { needsPostgres } from '../support/postgres.ts';

/** For suites that start processes and load them for seconds: `npm run test:chaos` runs them, `npm test` names them and does not. */
export const inLongForm: typeof needsPostgres = (name, run, timeoutMs) => (isFull ? needsPostgres(name, run, timeoutMs) : void it.runIf(false)(name, run));
