/** DFX in the sandbox: prices near the sandbox's market. Customers are identified a moment after they open DFX's page, and money takes seconds. */
import type { Sandbox } from '../kit/kind.sandbox.ts';
import type { SimulatedCurrency, SimulatorOptions } from './dfx.simulator-state.ts';

const money = { min: 1000, buyable: true, sellable: true, instantBuyable: false, allowedIbanCountries: ['CH', 'LI'] };
const currencies: SimulatedCurrency[] = [
  { ...money, id: 1, name: 'CHF', price: 8_560_000, instantSellable: false },
  { ...money, id: 2, name: 'EUR', price: 9_180_000, instantSellable: true, allowedIbanCountries: ['AT', 'CH', 'DE', 'LI'] },
];

export const sandbox = {
  providers: [
    {
      id: 'dfx',
      network: 'regtest',
      currencies,
      wallets: { sandbox: { platformBps: 0, autoTradeApproval: true } },
      autoApproveMs: 300,
      autoPayMs: 1500,
      stepMs: 700,
    },
  ],
  secrets: { DFX_LOGIN_KEY: 'sandbox-login-key-of-dfx-0123456789abcdef' },
  start: async (options) => await (await import('./dfx.simulator.ts')).startDfxSimulator(options),
} satisfies Sandbox<SimulatorOptions>;
