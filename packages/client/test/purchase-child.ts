/**
 * Runs one purchase of a wallet, with @ramp-gateway/client and its file store. KILL_AT=n ends it with SIGKILL at its n-th step: before or after
 * a request, before or after a change of the store. With BUY=50.00, it buys for that amount if nothing is open. Writes one line of JSON.
 */
import { createRamp, type BuyOrder } from '../src/index.ts';
import { fileStore } from '../src/file-store.ts';
import { createWallet } from '../../../scripts/demo/wallet.ts';

const { GATEWAY: url = '', STORE: folder = '', KILL_AT: killAt, BUY: buys, NODE_KEY: key = '' } = process.env;
const steps: string[] = [];
const step = (what: string): void => {
  // How often the client reads the order depends on the machine, so only the first read counts as a step.
  if (what.endsWith('/order-status') && steps.includes(what)) return;
  steps.push(what);
  if (String(steps.length) === killAt) process.kill(process.pid, 'SIGKILL');
};
const within = async <T>(what: string, run: () => Promise<T>): Promise<T> => {
  step(`before ${what}`);
  const result = await run();
  step(`after ${what}`);
  return result;
};

const files = fileStore(folder);
const ramp = createRamp({
  url,
  store: { ...files, replace: async (name, was, value) => await within('store', async () => (await files.replace?.(name, was, value)) ?? false) },
  runtime: {
    fetch: async (to, request) => await within(new URL(to).pathname, async () => await fetch(to, request)),
    sleep: async () => await new Promise((done) => setTimeout(done, 20)),
  },
});

const theOrder = async (): Promise<BuyOrder | undefined> => {
  const { orders, pending } = await ramp.open();
  if (orders[0]) return orders[0];
  if (pending[0]) return await pending[0].again();
  if (buys === undefined) return undefined;
  const { best } = await ramp.offers({ pay: buys, currency: 'EUR', by: 'SEPA' });
  return best && (await ramp.buy(best));
};

const order = await theOrder();
if (order) {
  await order.until('filled');
  const { lnurl } = await within('the withdrawal', async () => await order.withdraw());
  // If the process is killed after this, the next one withdraws again: the provider pays a link only once.
  await createWallet(url, key).withdraw(lnurl);
  await order.until('finished');
}
process.stdout.write(`${JSON.stringify({ order: order?.id, steps })}\n`);
