/** docs/wallet.md promises that its recipes work: here they do, in the page's order, against a gateway with simulated providers. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { decodeLnurl } from '../../src/bitcoin/lnurl.ts';
import { signNodeMessage } from '../../src/bitcoin/node-signature.ts';
import { publicKeyOf } from '../../src/bitcoin/secp256k1.ts';
import { startBitrefillSimulator } from '../../src/providers/bitrefill/bitrefill.simulator.ts';
import { startBringinSimulator } from '../../src/providers/bringin/bringin.simulator.ts';
import { startLsps1Simulator } from '../../src/providers/lsps1/lsps1.simulator.ts';
import { apiSecret, masterKey } from '../support/bringin.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { blocksOf, loadRecipes, readPage, type Recipe, type Recipes } from './recipes.ts';

type Body = Record<string, unknown>;
const privateKey = randomBytes(32).toString('hex');
const nodePubkey = publicKeyOf(privateKey);
const bank = { iban: 'DE89370400440532013000', bic: 'COBADEFFXXX', beneficiary_name: 'Alice Example' };

let gateway: TestGateway;
let bringin: Awaited<ReturnType<typeof startBringinSimulator>>;
let north: Awaited<ReturnType<typeof startLsps1Simulator>>;
let west: Awaited<ReturnType<typeof startLsps1Simulator>>;
let thor: Awaited<ReturnType<typeof startBitrefillSimulator>>;
let recipes: Recipes;
const ran = new Set<string>();
const shown: Body[] = [];
const asked: string[] = [];
const connectedTo: string[] = [];
const strangers: string[] = [];

/** What a person and their wallet do, with the simulators as the rest of the world. */
const world = {
  nodePubkey,
  sign: (text: string) => signNodeMessage(text, privateKey),
  store: new Map<string, unknown>(),
  show: (what: Body) => void shown.push(what),
  open: async (url: string) => {
    const { pathname } = new URL(url);
    if (pathname.startsWith('/pay/')) return await payAlpine();
    while (!bringin.control.user('alice@example.com').connected) await bringin.control.advanceKyc('alice@example.com');
  },
  ask: (question: string) => {
    asked.push(question);
    return asked.length === 1 ? '000000' : '123456';
  },
  payAddress: async (address: string, sats: number) => {
    const answer = (await (await fetch(`${bringin.url}/.well-known/lnurlp/${address.split('@')[0] ?? ''}`)).json()) as { callback: string };
    const callback = new URL(answer.callback);
    callback.searchParams.set('amount', String(sats * 1000));
    await bringin.control.pay(((await (await fetch(callback)).json()) as { pr: string }).pr);
  },
  pay: async (invoice: string) => await payInvoice(invoice),
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
const payAlpine = async (): Promise<void> => {
  const { control } = gateway.simulators['alpine']!;
  await control.pay(control.history.orders.at(-1)?.orderId ?? '');
};
const payInvoice = async (invoice: string): Promise<void> => {
  const channel = [north, west].flatMap((one) => [...one.control.orders.values()].filter((order) => order.invoice === invoice).map((order) => ({ one, order })))[0];
  if (channel) {
    await channel.one.control.pay(channel.order.id);
    await channel.one.control.open(channel.order.id);
    return;
  }
  const redeemable = [...thor.control.state.orders.values()].find((order) => order.id !== '' && JSON.stringify(order).includes(invoice));
  if (redeemable) await thor.control.pay(redeemable.id);
  else await bringin.control.pay(invoice);
};
const recipe = (name: string): Recipe => {
  const one = recipes.run[name];
  if (!one) throw new Error(`the page has no ${name}`);
  return one;
};

beforeAll(async () => {
  [bringin, north, west, thor] = await Promise.all([
    startBringinSimulator({ id: 'bringin', masterKey, apiSecret, linkMs: 30, webhookRetryMs: [20] }),
    startLsps1Simulator({ id: 'north', baseSats: 1000, ppm: 2000, leasePpm: 2400 }),
    startLsps1Simulator({ id: 'west', baseSats: 0, ppm: 1500, leasePpm: 1500, connected: strangers }),
    startBitrefillSimulator({ id: 'thor', deliver: 'at-once' }),
  ]);
  gateway = await startTestGateway(
    { alpine: { simulator: { quoteTtlS: 3600 } }, borealis: { simulator: { spreadBps: 40, quoteTtlS: 3600, proof: 'demanded' }, block: { proof: 'demanded' } } },
    {
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
  recipes = loadRecipes(gateway.url, world, ran);
});
afterAll(async () => {
  await gateway.close();
  await Promise.all([bringin, north, west, thor].map((one) => one.close()));
});

/** A backend that runs the page's receiver. */
const startBackend = async (told: string[], statuses: number[]) => {
  const { run } = loadRecipes(gateway.url, world, ran);
  const hook = async (headers: IncomingHttpHeaders, body: string): Promise<number> =>
    Number(await run['receiveWebhook']?.(headers, body, (type: string) => void told.push(type)));
  const kept: { headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      kept.push({ headers: request.headers, body });
      void hook(request.headers, body).then((status) => {
        statuses.push(status);
        response.writeHead(status).end();
      });
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const close = async (): Promise<void> => await new Promise((done) => void server.close(() => done()));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, hook, kept, close };
};

describe('the recipes of docs/wallet.md, in their order', () => {
  let session: unknown;
  let offer: unknown;
  let orderId = '';

  it('open a session', async () => {
    session = await recipe('openSession')();
    expect(world.store.get('session_id')).toBe(session);
    expect(world.store.get('recovery_secret')).toMatch(/^[\w-]{43}$/);
  });

  it('best price', async () => {
    offer = await recipe('bestPrice')(session, 10_000);
    expect(offer).toMatchObject({ rank: 1, provider: { id: 'alpine' }, amount_fiat: 10_000 });
    expect(shown.at(-1)).toMatchObject({ prices: [expect.stringMatching(/^alpine: \d+ sats, until 20/), expect.stringMatching(/^borealis: /)], others: [] });
  });

  it('buy by SEPA', async () => {
    const order = (await recipe('buyBySepa')(session, offer)) as Body;
    orderId = String(order['order_id']);
    expect(shown.at(-1)).toMatchObject({ pay: 10_000, reference: expect.stringMatching(/^ALP-/), qr: expect.stringContaining('EUR100.00'), before: order['expires_on'] });
  });

  it('buy by card', async () => {
    const order = (await recipe('buyByCard')(session, 5000)) as Body;
    expect(order).toMatchObject({ amount_fiat: 5000, provider: { id: 'alpine' } });
    expect(await recipe('withdraw')(session, order['order_id'])).toMatchObject({ stage: 'finished', final: true });
  });

  it('resume after a kill: the unpaid order is shown again, the paid one withdrawn', async () => {
    recipes = loadRecipes(gateway.url, world, ran);
    const unpaid = (await recipe('resume')()) as Record<string, Body>;
    expect(Object.values(unpaid).map(({ stage }) => stage)).toEqual(['finished', 'awaiting_payment']);
    expect(shown.at(-1)).toMatchObject({ pay: 10_000, to: { provider_reference: expect.stringMatching(/^ALP-/) } });
    const { control } = gateway.simulators['alpine']!;
    await control.pay(control.history.orders[0]?.orderId ?? '');
    await recipe('follow')('', session, orderId, 'filled');
    await recipe('resume')();
    expect(await recipe('follow')('', session, orderId, 'finished')).toMatchObject({ stage: 'finished' });
  });

  it('webhook at a backend: genuine ones once, forged ones never', async () => {
    const told: string[] = [];
    const statuses: number[] = [];
    const backend = await startBackend(told, statuses);
    expect(await recipe('call')('/webhook-test', { session_id: session, webhook_url: backend.url })).toMatchObject({ delivered: true, status_class: '2xx' });
    expect([told, statuses]).toEqual([['test'], [200]]);
    const [{ headers, body } = { headers: {}, body: '' }] = backend.kept;
    expect(await backend.hook(headers, body)).toBe(200);
    expect(await backend.hook(headers, body.replace('test', 'tset'))).toBe(401);
    expect(await backend.hook({ ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) - 301) }, body)).toBe(401);
    expect(told).toEqual(['test']);
    await backend.close();
  });

  it('sell to a bank', async () => {
    const sold = await recipe('sellToBank')(session, 250_000, 'alice@example.com', bank, 'alice');
    expect(sold).toMatchObject({ stage: 'filled', amount_sats: 250_000, delivered_to: 'bank_transfer_started' });
    expect(asked).toEqual(['the code of the text message', 'the code of the text message']);
    expect(await recipe('sellToBank')(session, 260_000, 'alice@example.com', bank, 'alice')).toMatchObject({ stage: 'filled', amount_sats: 260_000 });
    expect(asked).toHaveLength(2);
  });

  it('top up a card', async () => {
    const { account_id: accountId } = (await recipe('openAccount')(session, 'bringin', 'alice@example.com')) as Body;
    expect(await recipe('topUpCard')(session, accountId, 250_000)).toMatchObject({ account_id: accountId, currency_code: 'EUR' });
  });

  it('can I receive N sats?', async () => {
    expect(await recipe('canReceive')(session, 40_000)).toEqual({ now: true });
    expect(await recipe('canReceive')(session, 1_000_000)).toEqual({ now: false, about: expect.any(Number), sellers: 3 });
    expect([north, west].map((one) => one.control.orders.size)).toEqual([0, 0]);
  });

  it('buy inbound: a channel from a seller the node first connects to, and a redemption', async () => {
    expect(await recipe('buyInbound')(session, 1_000_000, 4320)).toMatchObject({ stage: 'finished', provider: { id: 'west' }, inbound_sats: 1_000_000 });
    expect(connectedTo).toEqual([expect.stringMatching(/@west\.example:9735$/)]);
  });

  it('leave no function of the page untried', () => {
    const names = [...blocksOf(readPage()).join('\n').matchAll(/^async function (\w+)/gm)].map(([, name]) => name);
    const inside = ['until', 'optionNamed', 'connectBank', 'isGenuine'];
    expect(names.filter((name) => !ran.has(name ?? '') && !inside.includes(name ?? ''))).toEqual([]);
    expect(readPage().match(/^```js$/gm)).toBeNull();
  });
});
