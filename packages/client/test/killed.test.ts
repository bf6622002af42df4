/** Kills a wallet's process at each step of a purchase and starts it again. There must be one order, and it must be carried out completely. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { childPath } from '../../../test/setup/children.ts';
import { startTestGateway, type TestGateway } from '../../../test/support/gateway.ts';
import { purchase } from './purchase.ts';

const script = childPath(inject('children'), fileURLToPath(new URL('purchase-child.ts', import.meta.url)));
let gateway: TestGateway;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ramp-killed-'));
  // The wallets' processes have clocks that the test cannot move. So the provider fills orders by itself, and its notices tell the gateway.
  gateway = await startTestGateway({ alpine: { simulator: { quoteTtlS: 3600, autoFillMs: 0, repost: 'same' } } });
});
afterAll(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true });
});

type Ran = { signal: string | null; order?: string; steps: string[] };
type Wallet = { folder: string; key: string };
/** Runs a wallet's process that is killed at its step `killAt`. */
const run = async ({ folder: store, key }: Wallet, buy: string, killAt: number): Promise<Ran> =>
  await new Promise((done, fail) => {
    const env = { ...process.env, GATEWAY: gateway.url, STORE: store, NODE_KEY: key, BUY: buy, KILL_AT: String(killAt) };
    execFile(process.execPath, ['--no-warnings', script], { env }, (error, stdout, stderr) => {
      if (stdout !== '') return done({ signal: null, ...(JSON.parse(stdout) as Omit<Ran, 'signal'>) });
      if (error?.signal === 'SIGKILL') return done({ signal: 'SIGKILL', steps: [] });
      return fail(new Error(`the wallet's process failed: ${stderr}`));
    });
  });

it('makes one order, and finishes it, wherever it was killed', async () => {
  const orders = gateway.simulators['alpine']?.control.orders;
  /** Buys once. Each wallet pays a different amount, so that its orders at the provider can be told apart. */
  const buy = async (nth: number) => {
    const [wallet, cents] = [{ folder: join(folder, String(nth)), key: randomBytes(32).toString('hex') }, 5000 + nth];
    const first = await run(wallet, (cents / 100).toFixed(2), nth);
    // This process starts the wallet again: it has nothing of the killed one but the files.
    const again = await purchase({ ...wallet, url: gateway.url, atStep: () => undefined });
    return { first, again, made: [...(orders?.values() ?? [])].flatMap(({ status, quote }) => (quote.amountFiat === cents ? [status] : [])) };
  };
  const { first, again, made } = await buy(0);
  expect([first.signal, made, again.order]).toEqual([null, ['finished'], undefined]);
  const { steps } = first;
  expect([...new Set(steps.map((step) => step.replace(/^(before|after) /, '')))]).toEqual(
    expect.arrayContaining(['/verify', '/session', 'store', '/payment-options', '/offers', '/order', '/order-status', '/withdrawal', 'the withdrawal']),
  );
  /** From this step on, the store holds the request for the order, so a wallet that is started again sends it. */
  const wanted = steps.indexOf('after store', steps.indexOf('after /offers')) + 1;
  const left = steps.map((_, index) => index + 1);
  const work = async (): Promise<void> => {
    for (let nth = left.shift(); nth !== undefined; nth = left.shift()) {
      const killed = await buy(nth);
      const told = { step: steps[nth - 1], signal: killed.first.signal, made: killed.made, resumed: killed.again.order !== undefined };
      expect(told).toEqual({ step: steps[nth - 1], signal: 'SIGKILL', made: nth < wanted ? [] : ['finished'], resumed: nth >= wanted });
    }
  };
  await Promise.all([work(), work(), work(), work()]);
});
