/** The second half of G6's long form (lying-world.ts), in a process of its own, so that it uses a second core. */
import { afterAll, beforeAll, it } from 'vitest';
import { endLyingWorld, lieAndBuy, startLyingWorld } from './lying-world.ts';
import { chaosSeed, sizeOf } from './random.ts';

const answersWanted = sizeOf(1_000, 200_000) / 2;
const seed = chaosSeed + 1000;
let world: Awaited<ReturnType<typeof startLyingWorld>>;
beforeAll(async () => {
  world = await startLyingWorld(seed);
});
afterAll(async () => await endLyingWorld(world));

it(`${answersWanted} more answers of lying providers`, async () => await lieAndBuy(world, answersWanted, seed), 1_800_000);
