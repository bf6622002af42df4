/** DFX in the sandbox: prices near the sandbox's market. It is asked in shadow, so no customer sees it. */
import type { Sandbox } from '../kit/kind.sandbox.ts';
import type { SimulatedCurrency, SimulatorOptions } from './dfx.simulator-state.ts';

const money = { min: 1000, buyable: true, sellable: true, instantBuyable: false, allowedIbanCountries: ['CH', 'LI'] };
const currencies: SimulatedCurrency[] = [
  { ...money, id: 1, name: 'CHF', price: 8_560_000, instantSellable: false },
  { ...money, id: 2, name: 'EUR', price: 9_180_000, instantSellable: true, allowedIbanCountries: ['AT', 'CH', 'DE', 'LI'] },
];

export const sandbox = {
  providers: [{ id: 'dfx', currencies }],
  secrets: {},
  start: async (options) => await (await import('./dfx.simulator.ts')).startDfxSimulator(options),
} satisfies Sandbox<SimulatorOptions>;
