/** CHAOS_SEED fixes what properties draw, as it does for the fuzz suites (test/fuzz/random.ts); without it every run draws anew. */
import fc from 'fast-check';
import { inject } from 'vitest';

const seed = inject('seed');
if (seed !== undefined) fc.configureGlobal({ seed });
