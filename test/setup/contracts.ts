/** The contract suite of every kind of provider, `src/providers/<kind>/<kind>.test.ts`: found by its name, run on Node and inside workerd. */
import { existsSync, readdirSync } from 'node:fs';

export const contracts = readdirSync('src/providers')
  .map((kind) => `src/providers/${kind}/${kind}.test.ts`)
  .filter((suite) => existsSync(suite));
