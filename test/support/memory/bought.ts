/** A bought order in the gateway for tests, as a withdrawal finds it. */
import type { Stage } from '../../../src/domain/order.ts';
import { claimWithdrawal } from '../../../src/gateway/following/claim-withdrawal.ts';
import { memoryGateway } from './gateway.ts';

export const address = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
/** Places an order at a provider that then reports the order in this stage. */
export const bought = async (stage: Stage = 'filled', block: Record<string, unknown> = {}) => {
  const world = memoryGateway({ alpine: block });
  const { id } = await world.placed();
  const says = (word: Stage): void => {
    for (const order of world.buyer().orders) Object.assign(order, { stage: word, rawStatus: word });
  };
  says(stage);
  world.clock.now += 60_000;
  const withdraw = async (failback_onchain?: string, accept_short = false) =>
    await claimWithdrawal(world.scope, world.session, { order_id: id, failback_onchain, accept_short });
  const reads: string[] = [];
  /** Sets what the server of the withdrawal link answers. Unless a test sets this, the server is unreachable. */
  const link = (answer: () => object | Promise<object>, status = 200): void => {
    world.gateway.guardedHttp = async ({ url, maxBytes }) => {
      reads.push(`${new URL(url).hostname} ${maxBytes}`);
      return { status, headers: {}, body: new TextEncoder().encode(JSON.stringify(await answer())) };
    };
  };
  return { ...world, id, says, withdraw, link, reads };
};
