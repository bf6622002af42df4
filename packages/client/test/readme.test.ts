/** Runs the blocks of the client's README that are marked `js run`. Only the gateway's address and the store's folder are replaced. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startTestGateway, type TestGateway } from '../../../test/support/gateway.ts';
import { startWebhookReceiver } from '../../../test/support/webhook-receiver.ts';
import type { Route } from '../src/index.ts';
import { rampOf } from './wallet.ts';

const here = fileURLToPath(new URL('..', import.meta.url));
const blocks = [...readFileSync(join(here, 'README.md'), 'utf8').matchAll(/^```js run\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);

let gateway: TestGateway;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'readme-'));
  gateway = await startTestGateway({ alpine: { simulator: { quoteTtlS: 3600, autoFillMs: 0 } } }, { pauseMs: 1_000 });
});
afterAll(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true });
});

/** Runs a block as a module of its own. Returns what it exports and what it printed. */
const run = async (nth: number): Promise<{ exported: Record<string, unknown>; printed: string[] }> => {
  const code = (blocks[nth] ?? '').replaceAll('https://ramp.wallet.example', gateway.url).replace("'.ramp'", JSON.stringify(join(folder, 'store')));
  const outfile = join(folder, `block-${nth}.mjs`);
  await build({
    stdin: { contents: code, resolveDir: here },
    alias: Object.fromEntries(
      ['webhook', 'receipt', 'file-store']
        .map((name) => [`@ramp-gateway/client/${name}`, join(here, `src/${name}.ts`)])
        .concat([['@ramp-gateway/client', join(here, 'src/index.ts')]]),
    ),
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    logLevel: 'silent',
  });
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...words) => void printed.push(words.join(' ')));
  try {
    return { exported: (await import(pathToFileURL(outfile).href)) as Record<string, unknown>, printed };
  } finally {
    log.mockRestore();
  }
};

it('buys as printed, and shows what is open', async () => {
  expect(blocks).toHaveLength(4);
  const { printed } = await run(0);
  expect(printed).toEqual([
    expect.stringMatching(/^alpine: pay 100\.00 EUR to DE89370400440532013000, reference ALP-\w+$/),
    expect.stringMatching(/^withdraw \d+ sat with LNURL1/),
  ]);
  expect((await run(1)).printed).toEqual([]);
});

it('receives webhooks as printed', async () => {
  const backend = await startWebhookReceiver();
  const ramp = rampOf(gateway, { webhook: backend.url });
  const { best } = await ramp.offers({ pay: '50', currency: 'EUR', by: 'SEPA' });
  const order = await ramp.buy(best ?? { id: '' });
  const told = async () => await Promise.resolve(backend.received.find(({ body: text }) => text.includes('withdrawal_ready')));
  const { headers, body } = await gateway.passUntil('a webhook', told, { limitMs: 120_000 });
  await backend.close();
  const { receive } = (await run(2)).exported as { receive: (...args: unknown[]) => Promise<number> };
  const events: unknown[] = [];
  const onEvent = (event: unknown): void => void events.push(event);
  expect([await receive(headers, body.replace('filled', 'placed'), onEvent), await receive(headers, body, onEvent)]).toEqual([401, 200]);
  expect(events).toMatchObject([{ type: 'withdrawal_ready', data: { order_id: order.id } }]);
});

it('checks receipts as printed', async () => {
  const ramp = rampOf(gateway);
  const { best } = await ramp.offers({ pay: '50', currency: 'EUR', by: 'SEPA' });
  const route = await ramp.route(await ramp.buy(best ?? { id: '' }));
  const { problemOf } = (await run(3)).exported as { problemOf: (route: Route) => Promise<string | undefined> };
  expect(await problemOf(route)).toBe(undefined);
  const [first] = route.receipts;
  const [head = '', body = '', signature = ''] = (first?.receipt ?? '').split('.');
  const other = { ...route, receipts: [{ ...first, receipt: [head, body.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')), signature].join('.') }] } as Route;
  expect(await problemOf(other)).toContain('does not verify');
  expect(
    await problemOf({ ...route, receipts: [{ ...first, inclusion: { day: '2026-11-28', index: 0, size: 1, proof: [], root: '', signed_root: '' } }] } as Route),
  ).toBe('the gateway has not signed this root of 2026-11-28');
});
