/** G6, see lying-world.ts. In the long form, this is one half, and provider-answers-second.long.test.ts runs the other half at the same time. */
import { afterAll, beforeAll, it } from 'vitest';
import { endLyingWorld, lieAndBuy, startLyingWorld } from './lying-world.ts';
import { chaosSeed, isFull, sizeOf } from './random.ts';

// `npm test` runs the short form, with fewer responses; `npm run test:chaos` runs the long form.
const answersWanted = isFull ? sizeOf(0, 200_000) / 2 : sizeOf(500, 0);
let world: Awaited<ReturnType<typeof startLyingWorld>>;
beforeAll(async () => {
  world = await startLyingWorld(chaosSeed);
});
afterAll(async () => await endLyingWorld(world));

it(
  `${answersWanted} answers of lying providers: no 500, no invalid offer, no payable order with other money`,
  async () => await lieAndBuy(world, answersWanted, chaosSeed),
  isFull ? 1_800_000 : undefined,
);
