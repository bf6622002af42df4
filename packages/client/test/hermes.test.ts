import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../../../test/support/gateway.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../../test/support/webhook-receiver.ts';
import { runInHermes } from './hermes.ts';
import { testNode } from './wallet.ts';

let gateway: TestGateway;
let backend: WebhookReceiver;
beforeAll(async () => {
  gateway = await startTestGateway(
    {
      alpine: { simulator: { quoteTtlS: 3600, autoFillMs: 0 } },
      dune: {
        simulator: { proof: 'demanded', quoteTtlS: 3600, spreadBps: -100, autoFillMs: 0 },
        block: { proof: 'demanded', catalogue_without_session: true },
      },
    },
    { pauseMs: 1_000 },
  );
  backend = await startWebhookReceiver();
});
afterAll(async () => {
  await gateway.close();
  await backend.close();
});

const screen = `
  import { asyncStorageStore, createRamp, RampError } from '../src/index.ts';
  import { verifyWebhook } from '../src/webhook.ts';

  const items = new Map();
  const AsyncStorage = { getItem: async (key) => items.get(key) ?? null, setItem: async (key, value) => void items.set(key, value) };
  const open = () => createRamp({ url, store: asyncStorageStore(AsyncStorage), node, webhook });
  export const missing = ['crypto', 'Buffer', 'process', 'TextDecoder', 'AbortSignal', 'ReadableStream', 'navigator', 'URL', 'Request', 'Response', 'Headers', 'structuredClone'].filter(
    (name) => name in globalThis,
  );
  export const buy = async () => {
    const { best } = await open().offers({ pay: '100', currency: 'EUR', by: 'SEPA' });
    const order = await open().buy(best, { atLeast: best.gets.units * 99n / 100n });
    const { orders } = await open().open();
    await orders[0].until('filled');
    const { lnurl } = await orders[0].withdraw();
    await claim(lnurl);
    const { stage } = await order.until('finished');
    return { provider: best.provider.id, kind: order.pay.kind, reopened: orders.length, stage, kept: [...items.keys()] };
  };
  export const refused = async () => {
    const abort = new AbortController();
    const waiting = open().offers({ pay: '100', currency: 'EUR', by: 'SEPA' }, abort.signal).catch((error) => error.message);
    abort.abort();
    const error = await open().offers({ pay: 1.5, currency: 'EUR', by: 'SEPA' }).catch((thrown) => thrown);
    return [await waiting, error instanceof RampError, error.code];
  };
  export const verify = async (headers, body, keys) => [await verifyWebhook(headers, body, keys), await verifyWebhook(headers, body + ' ', keys)];
`;

it('buys, and checks a webhook, where there is only what Hermes has', async () => {
  const { privateKey, pubkey, sign } = testNode(randomBytes(32).toString('hex'));
  const given = {
    url: gateway.url,
    webhook: backend.url,
    node: { pubkey, sign },
    claim: async (lnurl: string) => await createWallet(gateway.url, privateKey).withdraw(lnurl),
  };
  const { missing, buy, refused, verify } = (await runInHermes(screen, fileURLToPath(new URL('.', import.meta.url)), given)) as {
    missing: string[];
    buy: () => Promise<object>;
    refused: () => Promise<unknown[]>;
    verify: (headers: object, body: string, keys: object) => Promise<{ ok: boolean }[]>;
  };
  expect(missing).toEqual([]);
  const host = new URL(gateway.url).host;
  expect(await buy()).toEqual({ provider: 'dune', kind: 'bank', reopened: 1, stage: 'finished', kept: [`ramp-gateway:${host}`] });
  expect(await refused()).toEqual(['aborted', true, 'invalid-request']);
  const { headers, body } = await backend.waitFor('a webhook', ({ body: text }) => text.includes('withdrawal_ready'));
  const keys = (await (await fetch(`${gateway.url}/.well-known/webhook-keys`)).json()) as object;
  const [genuine, forged] = await verify(headers, body, keys);
  expect([genuine, forged]).toMatchObject([
    { ok: true, event: { type: 'withdrawal_ready' } },
    { ok: false, problem: 'no signature matches any of the keys' },
  ]);
});
