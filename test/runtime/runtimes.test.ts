import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rows, runList, type Told } from './requests.ts';
import { runtimeNames, startRuntime, type Runtime, type RuntimeName } from './runtimes.ts';
import { createWorld } from './world.ts';

const told = new Map<RuntimeName, Map<string, Told>>();
const runtimes = new Map<RuntimeName, Runtime>();
const exits = new Map<RuntimeName, number | undefined>();
beforeAll(async () => {
  await Promise.all(
    runtimeNames.map(async (name) => {
      const runtime = await startRuntime[name]();
      runtimes.set(name, runtime);
      const world = await createWorld(runtime);
      told.set(name, await runList(world));
      await world.close();
    }),
  );
});
afterAll(async () => {
  await Promise.all([...runtimes].map(async ([name, runtime]) => (exits.has(name) ? undefined : await runtime.close())));
});

const of = (runtime: RuntimeName, row: string): Told | undefined => told.get(runtime)?.get(row);

it('is a list of at least 25 requests, each named once', () => {
  expect(rows.length).toBeGreaterThanOrEqual(25);
  expect(new Set(rows.map((row) => row.name)).size).toBe(rows.length);
});

describe.each(runtimeNames)('%s', (runtime) => {
  it.each(rows.map((row) => [row.name, row.expected] as const))('%s', (name, expected) => {
    expect(of(runtime, name)?.expected).toEqual(expected);
  });
});

describe.each(runtimeNames.filter((name) => name !== 'node'))('%s answers as Node does', (runtime) => {
  const same = rows.filter((row) => runtime !== 'worker' || row.workerDiffers !== true);
  it.each(same.map((row) => row.name))('%s', (name) => {
    expect(of(runtime, name)?.compared).toEqual(of('node', name)?.compared);
  });
});

it('what cannot be the same on Workers does differ, and differences.md says why', () => {
  const page = readFileSync(new URL('differences.md', import.meta.url), 'utf8');
  const differing = rows.filter((row) => row.workerDiffers === true).map((row) => row.name);
  expect(differing.filter((name) => JSON.stringify(of('worker', name)?.compared) === JSON.stringify(of('node', name)?.compared))).toEqual([]);
  expect([...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name)).toEqual(differing);
});

it('values that are only right if they are exactly these', () => {
  const also = (name: string) => (of('worker', name)?.compared as { also: unknown } | undefined)?.also;
  expect(also('POST /order of the same quote: the same bytes')).toBe(true);
  expect(also('the webhook to the wallet, signed')).toEqual({ ids: 1, signed: true, attempt: '1' });
  expect(also('POST /order aborted in mid-flight and repeated: one payable order')).toBe('1');
  expect(also('a provider that fails opens its circuit')).toBe('open');
  expect(also('and time closes it again')).toBe('closed');
});

it("SIGTERM ends the image's process with code 0", async () => {
  exits.set('container', await runtimes.get('container')?.close());
  expect(exits.get('container')).toBe(0);
});
