/** What a person and their wallet do in the recipes of docs/wallet.md and docs/wallet-http.md, with simulated providers as the rest of the world. */
import { randomBytes } from 'node:crypto';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { decodeLnurl } from '../../src/bitcoin/lnurl.ts';
import { signNodeMessage } from '../../src/bitcoin/node-signature.ts';
import { publicKeyOf } from '../../src/bitcoin/secp256k1.ts';
import { startBitrefillSimulator } from '../../src/providers/bitrefill/bitrefill.simulator.ts';
import { startBringinSimulator } from '../../src/providers/bringin/bringin.simulator.ts';
import { startLsps1Simulator } from '../../src/providers/lsps1/lsps1.simulator.ts';
import { apiSecret, masterKey } from '../support/bringin.ts';
import { startTestGateway, until } from '../support/gateway.ts';
import { pushRamp } from '../support/push-ramp.ts';
import type { Recipe, Recipes } from './recipes.ts';

type Body = Record<string, unknown>;
export type Sellers = Awaited<ReturnType<typeof startSellers>>;

/** Starts a gateway with one provider for each ramp, or more if a recipe compares offers. `strangers` lists the nodes that are connected to west. */
export const startSellers = async () => {
  const strangers: string[] = [];
  const [bringin, north, west, thor] = await Promise.all([
    startBringinSimulator({ id: 'bringin', masterKey, apiSecret, linkMs: 30, webhookRetryMs: [20] }),
    startLsps1Simulator({ id: 'north', baseSats: 1000, ppm: 2000, leasePpm: 2400, maxSats: 2_000_000 }),
    startLsps1Simulator({ id: 'west', baseSats: 0, ppm: 1500, leasePpm: 1500, maxSats: 2_000_000, connected: strangers }),
    startBitrefillSimulator({ id: 'thor', deliver: 'at-once' }),
  ]);
  const pushing = pushRamp('pushing', ['node_pubkey']);
  const gateway = await startTestGateway(
    {
      alpine: { simulator: { quoteTtlS: 3600 } },
      dune: { simulator: { spreadBps: 40, quoteTtlS: 3600, proof: 'demanded' }, block: { proof: 'demanded', catalogue_without_session: true } },
      // The best price, for wallets that name their node.
      dove: { simulator: { spreadBps: -5, quoteTtlS: 3600 }, block: { kind: 'pushing' } },
    },
    {
      modules: [pushing.module],
      blocks: {
        bringin: {
          kind: 'bringin',
          base_url: bringin.url,
          master_key_env: 'BRINGIN_MASTER_KEY',
          api_secret_env: 'BRINGIN_API_SECRET',
          lightning_hosts: ['dev.bringin.xyz'],
        },
        north: { kind: 'lsps1', base_url: north.url },
        west: { kind: 'lsps1', base_url: west.url },
        thor: {
          kind: 'bitrefill',
          base_url: thor.baseUrl,
          api_key_env: 'BITREFILL_API_KEY',
          api_secret_env: 'BITREFILL_API_SECRET',
          receipt_email: 'receipts@example.com',
        },
      },
      environment: {
        BRINGIN_MASTER_KEY: masterKey,
        BRINGIN_API_SECRET: apiSecret,
        BITREFILL_API_KEY: 'thor-key',
        BITREFILL_API_SECRET: 'thor-secret',
      },
    },
  );
  const close = async (): Promise<void> => {
    await gateway.close();
    await Promise.all([bringin, north, west, thor].map((one) => one.close()));
  };
  return { gateway, bringin, north, west, thor, strangers, pushing, close };
};

/** Makes a customer: their wallet, what it showed them, and the page's functions, as if loaded into the wallet's process. */
export const createCustomer = (
  { gateway, bringin, north, west, thor, strangers, pushing }: Sellers,
  email: string,
  load: (wallet: object) => Recipes = () => ({}),
) => {
  const privateKey = randomBytes(32).toString('hex');
  const nodePubkey = publicKeyOf(privateKey);
  const shown: Body[] = [];
  const asked: string[] = [];
  const connectedTo: string[] = [];
  const store = new Map<string, unknown>();

  /** Pays one of Alpine's orders, by default the latest. */
  const payAlpine = async (nth = -1): Promise<void> => {
    const control = gateway.simulators['alpine']?.control;
    await control?.pay(control.history.orders.at(nth)?.orderId ?? '');
  };
  /** Waits for an order at Dove, pays it, and lets Dove say that it has sent the sats. */
  const payDove = async (): Promise<void> => {
    const control = gateway.simulators['dove']?.control;
    const placed = await until('an order at Dove', async () => await Promise.resolve(control?.history.orders.at(-1)));
    pushing.shown.set(placed.orderId, { payout_id: randomBytes(32).toString('hex'), payout_on: new Date(gateway.clock.now()).toISOString() });
    await control?.pay(placed.orderId, 'finished');
  };
  const payInvoice = async (invoice: string): Promise<void> => {
    for (const { control } of [north, west]) {
      const order = [...control.orders.values()].find((one) => one.invoice === invoice);
      if (!order) continue;
      control.pay(order.id);
      control.open(order.id);
      return;
    }
    const order = [...thor.control.state.orders.values()].find((one) => JSON.stringify(one).includes(invoice));
    await (order ? thor.control.pay(order.id) : bringin.control.pay(invoice));
  };
  const wallet = {
    nodePubkey,
    store,
    sign: (text: string) => signNodeMessage(text, privateKey),
    show: (what: Body) => void shown.push(what),
    open: async (url: string) => {
      if (new URL(url).pathname.startsWith('/pay/')) return await payAlpine();
      while (!bringin.control.user(email).connected) await bringin.control.advanceKyc(email);
    },
    /** Answers a question. The first code is mistyped. */
    ask: (question: string) => {
      asked.push(question);
      return question.includes('Take') ? 'yes' : asked.length === 1 ? '000000' : '123456';
    },
    pay: payInvoice,
    payAddress: async (address: string, sats: number) => {
      const answer = (await (await fetch(`${bringin.url}/.well-known/lnurlp/${address.split('@')[0] ?? ''}`)).json()) as { callback: string };
      const callback = new URL(answer.callback);
      callback.searchParams.set('amount', String(sats * 1000));
      await payInvoice(((await (await fetch(callback)).json()) as { pr: string }).pr);
    },
    withdraw: async (lnurl: string) => await createWallet(gateway.url, privateKey).withdraw(lnurl),
    redeemChannel: async (lnurl: string) => {
      const request = (await (await fetch(decodeLnurl(lnurl, { loopbackHttp: true }) ?? '')).json()) as { callback: string; k1: string };
      const callback = new URL(request.callback);
      for (const [name, value] of Object.entries({ k1: request.k1, remoteid: nodePubkey, private: '1' })) callback.searchParams.set(name, value);
      shown.push((await (await fetch(callback)).json()) as Body);
    },
    inboundSats: () => 50_000,
    connectPeer: (uri: string) => {
      connectedTo.push(uri);
      strangers.push(nodePubkey);
    },
  };
  let page = load(wallet);
  const run = async (name: string, ...args: unknown[]): Promise<unknown> => {
    const recipe: Recipe | undefined = page[name];
    if (!recipe) throw new Error(`the page has no ${name}`);
    return await recipe(...args);
  };
  /** Restarts the wallet's process: everything that is not in `wallet.store` is lost. */
  const restart = (): void => {
    page = load(wallet);
  };
  return { run, restart, wallet, privateKey, shown, asked, connectedTo, store, payAlpine, payDove };
};
