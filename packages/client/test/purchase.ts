/** Runs one purchase by a wallet, with @ramp-gateway/client and its file store. */
import { createRamp, type BuyOrder } from '../src/index.ts';
import { fileStore } from '../src/file-store.ts';
import { createWallet } from '../../../scripts/demo/wallet.ts';

export type Purchase = {
  url: string;
  /** The folder of the file store. */
  folder: string;
  /** The key of the wallet's node. */
  key: string;
  /** The amount to buy for, such as 50.00, if nothing is open. */
  buys?: string | undefined;
  /** Called at each step: before and after a request, before and after a change to the store. `steps`: the number of steps so far. */
  atStep: (steps: number) => void;
};

/** Continues the purchase that the store holds, or begins one. Returns the order, if there is one, and the steps. */
export const purchase = async ({ url, folder, key, buys, atStep }: Purchase): Promise<{ order?: string; steps: string[] }> => {
  const steps: string[] = [];
  const step = (what: string): void => {
    // How often the client reads the order depends on the machine, so only the first read counts as a step.
    if (what.endsWith('/order-status') && steps.includes(what)) return;
    steps.push(what);
    atStep(steps.length);
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
  if (!order) return { steps };
  await order.until('filled');
  const { lnurl } = await within('the withdrawal', async () => await order.withdraw());
  // If the process is killed after this, the next one withdraws again: the provider pays a link only once.
  await createWallet(url, key).withdraw(lnurl);
  await order.until('finished');
  return { order: order.id, steps };
};
