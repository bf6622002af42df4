/**
 * Shows a purchase (`npm run demo`), sales (`npm run demo sell`) or a purchase of channels (`npm run demo liquidity`) in the terminal. Uses the
 * gateway at GATEWAY_URL (default http://127.0.0.1:8787), and waits if that gateway is still starting. If nothing answers there, starts a sandbox of
 * its own.
 */
import './load-env.ts';
import { join } from 'node:path';
import { StartRefused } from '../src/entry/start-refused.ts';
import { notedSandbox, waitForGateway } from './sandbox/notes.ts';
import { root } from './sandbox/sandbox-file.ts';
import { buy } from './demo/buy.ts';
import { liquidity } from './demo/liquidity.ts';
import { sell } from './demo/sell.ts';
import { say } from './demo/steps.ts';

const demos = { buy, sell, liquidity };
type Demo = (url: string, simulators: Record<string, string>) => Promise<void>;
const url = process.env['GATEWAY_URL'] ?? `http://127.0.0.1:${process.env['PORT'] ?? '8787'}`;
const dataDir = process.env['DATA_DIR'] ?? join(root, '.data');

const dataDirs = [dataDir, join(dataDir, 'worker')];
const sayWaiting = (): void => say(`Waiting for the gateway at ${url} to start.`);

const isSandboxAt = async (gateway: string): Promise<boolean> => (await fetch(`${gateway}/health/live`)).headers.get('x-ramp-mode') === 'sandbox';

const name = process.argv[2] ?? 'buy';
const demo: Demo | undefined = Object.hasOwn(demos, name) ? demos[name as keyof typeof demos] : undefined;
if (!demo) {
  process.stderr.write(`There is no demo "${name}": ${Object.keys(demos).join(', ')}\n`);
  process.exitCode = 1;
} else if (await waitForGateway(url, dataDirs, sayWaiting)) {
  if (await isSandboxAt(url)) await demo(url, notedSandbox(dataDirs, url));
  else {
    process.stderr.write(`The gateway at ${url} is not a sandbox: the demo would place real orders there.\n`);
    process.exitCode = 1;
  }
} else {
  say(`Nothing answers at ${url}: starting a sandbox for this demo.`);
  const { startSandbox } = await import('./sandbox/start-sandbox.ts');
  const sandbox = await startSandbox({ port: 0, quiet: true, temporary: true }).catch((error: unknown) => {
    if (!(error instanceof StartRefused)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
  try {
    if (sandbox) await demo(sandbox.url, Object.fromEntries(sandbox.providers.map((provider) => [provider.id, provider.url])));
  } finally {
    await sandbox?.stop();
  }
}
