/** What each provider of the sandbox's providers.config.yaml pretends to be: they differ in what a wallet has to cope with. */
import type { SimulatorOptions as BitrefillOptions } from '../../src/providers/bitrefill/bitrefill.simulator-state.ts';
import type { SimulatorOptions as BringinOptions } from '../../src/providers/bringin/bringin.simulator-state.ts';
import { standardCurrencies, type SimulatedCurrency, type SimulatorOptions } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator-state.ts';
import type { SimulatorOptions as Lsps1Options } from '../../src/providers/lsps1/lsps1.simulator-state.ts';

const hour = 3600;
const limited = (min: number, max: number): SimulatedCurrency[] =>
  standardCurrencies.map((currency) => ({ ...currency, options: currency.options.map((option) => ({ ...option, min, max })) }));
const euroAndFranc: SimulatedCurrency[] = [
  ...limited(25_000, 5_000_000),
  {
    code: 'CHF',
    id: 2,
    price: 8_560_000,
    options: [
      { name: 'Bank transfer', id: 0, feeRate: 0.01, min: 5000, max: 5_000_000, pay: 'details' },
      { name: 'Credit card', id: 6, feeRate: 0.035, min: 5000, max: 200_000, pay: 'url' },
    ],
  },
];

/** So that a demo takes seconds: the money is "seen" this long after the order. */
const autoFillMs = 3000;

/** Keys of the sandbox's sellers: play money, the same on every machine. */
export const sandboxSecrets = {
  BRINGIN_MASTER_KEY: 'sandbox-master-key-of-bringin',
  BRINGIN_API_SECRET: 'sandbox-api-secret-of-bringin',
  BITREFILL_API_KEY: 'sandbox-key-of-bitrefill',
  BITREFILL_API_SECRET: 'sandbox-secret-of-bitrefill',
};

export type SandboxProvider =
  | ({ kind: 'fiat-on-ramp' } & SimulatorOptions)
  | ({ kind: 'bringin' } & BringinOptions)
  | ({ kind: 'lsps1' } & Lsps1Options)
  | ({ kind: 'bitrefill' } & BitrefillOptions);

const fiatOnRamp: Record<string, SimulatorOptions> = {
  alpine: { id: 'alpine', seed: 1, driftBps: 20, quoteTtlS: 72 * hour, latencyMs: [30, 80], autoFillMs },
  borealis: { id: 'borealis', seed: 2, driftBps: 30, spreadBps: 25, feeStyle: 'added', quoteTtlS: 6 * hour, latencyMs: [60, 140], autoFillMs },
  cobalt: { id: 'cobalt', seed: 3, driftBps: 30, spreadBps: 10, estimate: true, fallback: false, latencyMs: [180, 420], autoFillMs },
  dune: { id: 'dune', seed: 4, driftBps: 20, spreadBps: -15, proof: 'demanded', quoteTtlS: 72 * hour, latencyMs: [80, 160], autoFillMs },
  eiger: {
    id: 'eiger',
    seed: 5,
    spreadBps: -40,
    prefix: '/ALJAZ/fiatlink/1.0.0',
    currencies: euroAndFranc,
    deviations: ['amount-btc-only', 'currencies-object', 'float-amounts', 'microsecond-dates'],
    quoteTtlS: 300,
    latencyMs: [100, 250],
    autoFillMs,
  },
};

const { BRINGIN_MASTER_KEY: masterKey, BRINGIN_API_SECRET: apiSecret, BITREFILL_API_KEY: apiKey, BITREFILL_API_SECRET: bitrefillSecret } = sandboxSecrets;
const node = { minSats: 100_000, maxSats: 16_000_000, maxClientSats: 8_000_000, autoPayMs: autoFillMs };

export const sandboxProviders: Record<string, SandboxProvider> = {
  ...Object.fromEntries(Object.entries(fiatOnRamp).map(([id, options]) => [id, { kind: 'fiat-on-ramp' as const, ...options }])),
  bringin: { kind: 'bringin', id: 'bringin', masterKey, apiSecret, autoConnectMs: 1500, linkMs: 800, convertMs: 1500 },
  north: { kind: 'lsps1', id: 'north', baseSats: 1000, ppm: 2000, leasePpm: 2400, ...node },
  south: { kind: 'lsps1', id: 'south', baseSats: 500, ppm: 3200, leasePpm: 2500, latencyMs: 120, ...node },
  west: { kind: 'lsps1', id: 'west', baseSats: 0, ppm: 1500, leasePpm: 1500, connected: 'none', ...node },
  thor: { kind: 'bitrefill', id: 'thor', apiKey, apiSecret: bitrefillSecret, deliver: 1500 },
};
