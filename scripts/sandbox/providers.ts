/** The simulated providers of the sandbox, as the folders of the kinds describe them, and its two price feeds. */
import { kinds, sandboxOf } from '../kinds.ts';
import { isOnThisMachine, type readSandboxFile } from './sandbox-file.ts';

/** A simulated provider, or the price feeds. `options` are for its simulator, and are passed to its process as JSON. */
export type SandboxProvider = { kind: string; options: { id: string } };

/**
 * Two simulated price feeds in one process. They move around the price from which the simulated providers start, before each provider's spread, drift
 * and fees.
 */
export const sandboxTicker = { kind: 'ticker', options: { id: 'ticker', prices: { EUR: 9_180_000, CHF: 8_560_000 }, moves: 300 } };

/** Starts a simulated provider, or the price feeds, on its own socket in this process. */
export const startSimulator = async ({ kind, options }: SandboxProvider): Promise<{ url: string }> => {
  if (kind === sandboxTicker.kind) return await (await import('../../src/feeds/ticker.simulator.ts')).startTicker(sandboxTicker.options);
  const sandbox = await sandboxOf(kind);
  if (!sandbox) throw new Error(`there is no kind "${kind}" with a sandbox`);
  return await sandbox.start(options);
};

const found = await Promise.all(kinds.map(async (kind) => ({ kind, sandbox: await sandboxOf(kind) })));

export const sandboxProviders: readonly SandboxProvider[] = found.flatMap(({ kind, sandbox }) =>
  (sandbox?.providers ?? []).map((options) => ({ kind, options })),
);
/**
 * Returns the credentials of the simulated providers, by variable. Leaves out a variable that the block of a provider at a real host names: its value
 * would be sent to that host, and the gateway's operator would not learn that the real credential is missing.
 */
export const playSecrets = (file: ReturnType<typeof readSandboxFile>): Record<string, string> => {
  const real = Object.values(file?.providers ?? {}).filter((block) => block !== null && block.mode !== 'off' && !isOnThisMachine(block));
  const named = new Set(real.flatMap((block) => Object.entries(block ?? {}).flatMap(([name, value]) => (name.endsWith('_env') ? [value] : []))));
  return Object.fromEntries(Object.entries(sandboxSecrets).filter(([name]) => !named.has(name)));
};
/** The credentials of the simulated providers. They protect no real money, and are the same on every machine. */
export const sandboxSecrets: Record<string, string> = Object.assign({}, ...found.map(({ sandbox }) => sandbox?.secrets));
