/** The FLS01 providers of the sandbox. Each shows a wallet a different case. */
import type { Sandbox } from '../kit/kind.sandbox.ts';
import { standardCurrencies, type SimulatedCurrency, type SimulatorOptions } from './fiat-on-ramp.simulator-state.ts';

const hour = 3600;
/** How long after the order the provider "sees" the money: short, so that a demo takes seconds. */
const autoFillMs = 3000;

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

export const sandbox = {
  providers: [
    { id: 'alpine', seed: 1, driftBps: 20, quoteTtlS: 72 * hour, latencyMs: [30, 80], autoFillMs, magic: true },
    { id: 'borealis', seed: 2, driftBps: 30, spreadBps: 25, feeStyle: 'added', quoteTtlS: 6 * hour, latencyMs: [60, 140], autoFillMs },
    { id: 'cobalt', seed: 3, driftBps: 30, spreadBps: 10, estimate: true, fallback: false, latencyMs: [180, 420], autoFillMs },
    { id: 'dune', seed: 4, driftBps: 20, spreadBps: -15, proof: 'demanded', quoteTtlS: 72 * hour, latencyMs: [80, 160], autoFillMs },
    {
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
  ],
  secrets: {},
  start: async (options) => await (await import('./fiat-on-ramp.simulator.ts')).startFiatOnRampSimulator(options),
} satisfies Sandbox<SimulatorOptions>;
