import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { dialectsOf } from '../../scripts/kinds.ts';
import { checkProvider, type Checked } from '../../scripts/ops/check-provider.ts';
import { parseConfig } from '../../src/config/providers-config.ts';
import { createUndiciHttp } from '../../src/entry/http-undici.ts';
import { startFiatOnRampSimulator, type RunningSimulator, type SimulatorOptions } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { providerModules } from '../../src/providers/registry.gen.ts';
import { runCommand } from './run.ts';

// Every command is a process of its own; on a busy machine that takes seconds.

let simulator: RunningSimulator | undefined;
afterEach(async () => await simulator?.close());

const configOf = (url: string): string =>
  stringify({ mode: 'sandbox', network: 'regtest', providers: { tried: { kind: 'fiat-on-ramp', base_url: url, preference_bps: 5 } } });

const check = async (options: Partial<SimulatorOptions>): Promise<Checked> => {
  simulator = await startFiatOnRampSimulator({ id: 'tried', ...options });
  const parsed = parseConfig(configOf(simulator.url), { fileName: 'test.yaml', modules: providerModules });
  const [config] = parsed.ok ? parsed.config.providers : [];
  const module = providerModules.get('fiat-on-ramp');
  if (!config || !module) throw new Error('no such provider');
  const upstream = createUndiciHttp();
  const checked = await checkProvider({
    module,
    dialects: await dialectsOf('fiat-on-ramp'),
    config,
    network: 'regtest',
    mode: 'sandbox',
    http: upstream.http,
    secret: () => undefined,
    now: () => Date.now(),
    newId: () => crypto.randomUUID(),
  });
  await upstream.close();
  expect(simulator.control.history.orders).toEqual([]);
  return checked;
};

it('finds nothing at a provider that keeps to the standard', async () => {
  const { reached, findings } = await check({});
  expect([reached, findings]).toEqual(['quote', []]);
});

it.each([
  [
    'prefix and amount_btc',
    { prefix: '/ALJAZ/fiatlink/1.0.0', deviations: ['amount-btc-only'] },
    { path_prefix: '/ALJAZ/fiatlink/1.0.0', sats_field: 'amount_btc' },
  ],
  ['fee on top', { feeStyle: 'added' }, { fee_style: 'added' }],
  ['proof', { proof: 'demanded' }, { proof: 'demanded' }],
] as [string, Partial<SimulatorOptions>, object][])('finds the settings for: %s', async (_name, options, settings) => {
  const checked = await check(options);
  expect(checked.reached).toBe('quote');
  expect(checked.settings).toMatchObject(settings);
  expect(checked.findings.map((one) => one.setting ?? '').join(', ')).toContain(Object.keys(settings)[0]);
});

it('says where it stopped when nobody is there', async () => {
  simulator = await startFiatOnRampSimulator({ id: 'tried' });
  const url = simulator.url;
  const folder = mkdtempSync(join(tmpdir(), 'check-'));
  writeFileSync(join(folder, 'config.yaml'), configOf(url));
  const run = async (...args: string[]) => await runCommand('provider-check', args, { CONFIG_FILE: join(folder, 'config.yaml') });
  const good = await run('tried');
  expect([good.code, good.error]).toEqual([0, '']);
  expect(good.out).toContain(`no deviation found\n\nproviders:\n  tried:\n    kind: fiat-on-ramp\n    base_url: ${url}\n    preference_bps: 5\n`);
  await simulator.close();
  simulator = undefined;
  const gone = await run('tried');
  expect([gone.code, gone.out.split('\n')[0]]).toEqual([1, expect.stringMatching(/^stopped: unreachable/)]);
  expect((await run('nobody')).error).toBe('there is no provider "nobody": tried\n');
  rmSync(folder, { recursive: true, force: true });
});
