/**
 * The markets of the table in bench/README.md. Each has eight providers unless its name says otherwise. Goals are shares: of the oracle's sats, and
 * of the customers.
 */
import { chance, type Behaviour } from './behaviour.ts';

export type Scenario = {
  name: string;
  customers: number;
  providers: (seed: number) => Behaviour[];
  /** The least mean of delivered ÷ oracle, and the least share of customers who have their sats in the end. */
  goal: { mean?: number; completed?: number };
  /** If set: all customers are new and arrive within this many seconds, each from a network of its own, under the gateway's default limits. */
  crowdSeconds?: number;
  /** Whether the gateway has three price feeds, of which one lies by 20 %. Without feeds, it can only compare the offers with each other. */
  feeds?: true;
};

const count = 8;
const honest = (seed: number, index: number): Behaviour => ({
  name: `provider-${index}`,
  spreadBps: 20 + Math.round(chance(seed, 'spread', index) * 12),
  noiseBps: 14,
  feeRate: [0, 0.0025, 0.005, 0.0075][index % 4] ?? 0,
  fixedFee: [0, 30, 0, 15][index % 4] ?? 0,
  feeStyle: index % 3 === 1 ? 'added' : 'included',
  latencyMs: 2,
});
/** Providers with different fees, which their spreads make up for, so that no provider is best for every customer. */
const market = (seed: number, howMany = count): Behaviour[] =>
  Array.from({ length: howMany }, (_, index) => {
    const one = honest(seed, index);
    return { ...one, spreadBps: one.spreadBps + 75 - one.feeRate * 10_000 };
  });
const changed = (all: Behaviour[], which: number[], change: (one: Behaviour, nth: number) => Partial<Behaviour>): Behaviour[] =>
  all.map((one, index) => (which.includes(index) ? { ...one, ...change(one, which.indexOf(index)) } : one));
/** Makes a provider's price so good that it leads for about seven of ten customers. */
const attractive = (one: Behaviour): Partial<Behaviour> => ({ spreadBps: one.spreadBps - 11 });

export const scenarios: Scenario[] = [
  { name: 'all honest, binding, fees mixed', customers: 240, providers: (seed) => market(seed), goal: { mean: 0.999, completed: 0.99 } },
  {
    name: 'all honest, three price feeds of which one lies',
    customers: 240,
    feeds: true,
    providers: (seed) => market(seed),
    goal: { mean: 0.999, completed: 0.99 },
  },
  {
    name: 'half of them estimates with a bias',
    customers: 480,
    providers: (seed) =>
      changed(market(seed), [0, 2, 4, 6], (one, nth) => ({ spreadBps: one.spreadBps - 60, estimate: { biasBps: [-120, -100, -80, -60][nth] ?? 0 } })),
    goal: { mean: 0.999, completed: 0.99 },
  },
  {
    // There is no goal for the mean: an estimate gets no bonus for delivering more than it promises, so the one that would deliver most is never
    // tried.
    name: 'an estimate that promises too little',
    customers: 240,
    providers: (seed) => changed(market(seed), [0, 2, 4, 6], (_, nth) => ({ estimate: { biasBps: [-90, -40, -70, 10][nth] ?? 0 } })),
    goal: { completed: 0.99 },
  },
  {
    name: 'two liars and two flaky ones',
    customers: 240,
    providers: (seed) =>
      changed(
        changed(market(seed), [0, 1], (one) => ({ spreadBps: one.spreadBps - 2, repricesBps: 150 })),
        [2, 3],
        (one) => ({ spreadBps: one.spreadBps - 8, refuses: 0.5, failsQuotes: 0.2 }),
      ),
    goal: { mean: 0.995, completed: 0.99 },
  },
  {
    name: 'the best refuses every order',
    customers: 240,
    providers: (seed) => changed(market(seed), [0], (one) => ({ ...attractive(one), refuses: 1 })),
    goal: { completed: 0.99 },
  },
  {
    name: 'two providers, the best refuses every order',
    customers: 240,
    providers: (seed) => changed(market(seed, 2), [0], (one) => ({ spreadBps: one.spreadBps - 2, refuses: 1 })),
    goal: { completed: 0.99 },
  },
  {
    name: 'the best reprices each order',
    customers: 240,
    providers: (seed) => changed(market(seed), [0], (one) => ({ ...attractive(one), repricesBps: 200 })),
    goal: { completed: 0.99 },
  },
  {
    name: 'the best fills with one sat less',
    customers: 240,
    providers: (seed) => changed(market(seed), [0], (one) => ({ ...attractive(one), fillsOther: { sats: -1, bps: 0 } })),
    goal: { mean: 0.995, completed: 0.99 },
  },
  {
    name: 'the best fills with 12 bps more',
    customers: 240,
    providers: (seed) => changed(market(seed), [0], (one) => ({ ...attractive(one), fillsOther: { sats: 0, bps: 12 } })),
    goal: { mean: 0.995, completed: 0.99 },
  },
  {
    name: "the best one's link pays 1 % less",
    customers: 480,
    providers: (seed) => changed(market(seed), [0], (one) => ({ ...attractive(one), linkShortBps: 100 })),
    goal: { mean: 0.999, completed: 0.99 },
  },
  {
    name: 'two agree on a price 17 % too good',
    customers: 240,
    providers: (seed) => changed(market(seed), [0, 1], (one) => ({ spreadBps: one.spreadBps - 1700, linkShortBps: 2150 })),
    goal: { mean: 0.995, completed: 0.99 },
  },
  { name: '200 new customers in 17 s', customers: 200, crowdSeconds: 17, providers: (seed) => market(seed), goal: { mean: 0.999, completed: 1 } },
  {
    name: 'the best one takes 700 ms',
    customers: 80,
    providers: (seed) => changed(market(seed), [0], (one) => ({ spreadBps: one.spreadBps - 40, latencyMs: 700 })),
    goal: { mean: 0.9995, completed: 0.99 },
  },
];
