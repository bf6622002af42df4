import { kinds } from '../../scripts/kinds.ts';

/** The contract suite of every kind of provider: found by its name, run on Node and inside workerd. */
export const contracts = kinds.map((kind) => `src/providers/${kind}/${kind}.test.ts`);
