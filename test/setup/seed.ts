/** CHAOS_SEED fixes the random cases of property tests and of the fuzz suites (test/fuzz/random.ts). Without it, every run has new cases. */
import fc from 'fast-check';
import { inject } from 'vitest';

const seed = inject('seed');
if (seed !== undefined) fc.configureGlobal({ seed });
