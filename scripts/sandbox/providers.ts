/** What the sandbox knows of every kind of provider, from the kinds' own folders. */
import { tickerKey } from '../../src/config/providers-config.ts';
import { kinds, sandboxOf } from '../kinds.ts';

/** Two simulated price feeds, under their keys in the configuration. Their prices are the simulated providers' before fees. */
export const sandboxTicker = { kind: 'ticker', options: { id: tickerKey, prices: { EUR: 9_180_000, CHF: 8_560_000 }, moves: 300 } };

/** A simulated provider. `options` are for its simulator, and reach its process as JSON. */
export type SandboxProvider = { kind: string; options: { id: string } };

const found = await Promise.all(kinds.map(async (kind) => ({ kind, sandbox: await sandboxOf(kind) })));

export const sandboxProviders: readonly SandboxProvider[] = found.flatMap(({ kind, sandbox }) =>
  (sandbox?.providers ?? []).map((options) => ({ kind, options })),
);
/** Keys of the simulated providers: play money, the same on every machine. */
export const sandboxSecrets: Record<string, string> = Object.assign({}, ...found.map(({ sandbox }) => sandbox?.secrets));
