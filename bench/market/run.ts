/**
 * `npm run bench:market`: does the customer get the best price? Runs seeded markets over real HTTP, in which some providers err or lie. Every
 * customer buys once, and the result is compared with an oracle that knows what each provider would have delivered.
 *
 * `-- --seed 7 --only "refuses" --root <folder of another version> --customers 0.25` (a share of the customers).
 */
import { fork, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { connect } from '../../src/entry/database-node.ts';
import { freePort } from '../../test/setup/local-server.ts';
import { startPostgres } from '../../test/setup/postgres-server.ts';
import { chance, wouldDeliver, type Behaviour } from './behaviour.ts';
import { buy, type Offer, type Outcome, type Reference } from './customer.ts';
import { startMarket } from './providers.ts';
import { scenarios, type Scenario } from './scenarios.ts';

const here = dirname(fileURLToPath(import.meta.url));
const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string', multiple: true, default: ['1', '2', '3'] },
    only: { type: 'string', default: '' },
    root: { type: 'string', default: dirname(dirname(here)) },
    customers: { type: 'string', default: '1' },
  },
});
const root = resolve(flags.root);
const own = process.env['DATABASE_URL'] === undefined ? await startPostgres() : undefined;
const serverUrl = process.env['DATABASE_URL'] ?? own?.url;
if (serverUrl === undefined) throw new Error('no PostgreSQL was found: set DATABASE_URL');
const say = (text = ''): void => void process.stdout.write(`${text}\n`);

/** How many customers buy at a time. All of them see the market at the same moment. */
const together = 8;

type Gateway = { url: string; process: ChildProcess };
const startGateway = async (config: object, database: string): Promise<Gateway> => {
  const port = await freePort();
  const child = fork(join(here, 'gateway.ts'), {
    env: {
      ...process.env,
      ROOT: root,
      PORT: String(port),
      DATABASE_URL: database,
      CONFIG: stringify({ ...config, public_url: `http://127.0.0.1:${port}` }),
    },
    execArgv: ['--no-warnings'],
  });
  const { url } = await new Promise<{ url: string }>((ready, failed) => {
    child.once('message', (message) => ready(message as { url: string }));
    child.once('exit', (code) => failed(new Error(`the gateway ended with code ${code}`)));
  });
  return { url, process: child };
};
const stopGateway = async ({ process: child }: Gateway): Promise<void> => {
  const gone = new Promise((done) => child.once('exit', done));
  child.disconnect();
  await gone;
};

const configOf = (scenario: Scenario, providers: Behaviour[], ids: string[], url: string): object => ({
  mode: 'sandbox',
  network: 'regtest',
  trusted_proxies: ['127.0.0.0/8'],
  // A crowd of new customers must meet the default limits. The other markets do not measure limits.
  ...(scenario.crowdSeconds === undefined
    ? { limits: { verify_per_minute: 100_000, quotes_per_minute: 100_000, orders_per_minute: 100_000 }, sessions: { opens_per_minute: 100_000 } }
    : {}),
  ...(scenario.feeds
    ? { routing: { reference: { EUR: { feeds: ['a', 'b', 'liar'].map((name) => ({ name, url: `${url}/ticker/${name}`, bid: '/bid', ask: '/ask' })) } } } }
    : {}),
  providers: Object.fromEntries(
    providers.map((one, index) => [
      ids[index],
      { kind: 'fiat-on-ramp', base_url: `${url}/${ids[index]}`, fee_style: one.feeStyle, concurrency: { in_flight: 64 }, retry: { attempts: 0 } },
    ]),
  ),
});

const amountOf = (seed: number, customer: number): number => 2000 + Math.floor(chance(seed, 'amount', customer) ** 2 * 198_000);
/** Returns an address in a network of its own for each customer. */
const addressOf = (customer: number): string => `198.${18 + (customer >> 16)}.${(customer >> 8) & 255}.${customer & 255}`;

type Sale = Outcome & { oracle: number; share: number; wrongFigures: number };
type Run = { sales: Sale[]; misreplayed: number; choices: (string | undefined)[] };

const runScenario = async (scenario: Scenario, seed: number, named: (index: number, count: number) => string, share: number): Promise<Run> => {
  const providers = scenario.providers(seed);
  const ids = providers.map((_, index) => named(index, providers.length));
  const nameOf = new Map(ids.map((id, index) => [id, providers[index]?.name]));
  const market = await startMarket(providers, ids, seed);
  const database = await freshDatabase();
  const listed = [...ids.keys()].toSorted((a, b) => ((ids[a] ?? '') < (ids[b] ?? '') ? -1 : 1));
  const gateway = await startGateway(
    configOf(
      scenario,
      listed.map((i) => providers[i] as Behaviour),
      listed.map((i) => ids[i] ?? ''),
      market.url,
    ),
    database.url,
  );
  const customers = Math.ceil(scenario.customers * share);
  const sales: Sale[] = [];
  const one = async (customer: number, moment: number): Promise<void> => {
    const amountFiat = amountOf(seed, customer);
    const outcome = await buy({ url: gateway.url, amountFiat, address: addressOf(customer) });
    const oracle = Math.max(...providers.map((provider) => wouldDeliver(provider, seed, moment, amountFiat)));
    const wrongFigures = outcome.firstOffers.filter((offer) => isWrong(offer) || (scenario.feeds && isWrongCost(offer, outcome.reference, market.told))).length;
    sales[customer] = { ...outcome, oracle, share: outcome.delivered / oracle, wrongFigures };
  };
  try {
    if (scenario.crowdSeconds === undefined) {
      for (let first = 0; first < customers; first += together) {
        const moment = first / together;
        market.setMoment(moment);
        await Promise.all(Array.from({ length: Math.min(together, customers - first) }, (_, nth) => one(first + nth, moment)));
      }
    } else {
      const pause = (scenario.crowdSeconds * 1000) / scenario.customers;
      const all: Promise<void>[] = [];
      for (let customer = 0; customer < customers; customer += 1) {
        all.push(one(customer, 0));
        await new Promise((done) => setTimeout(done, pause));
      }
      await Promise.all(all);
    }
    const misreplayed = await replayAll(database.url);
    return { sales, misreplayed, choices: sales.map(({ firstOffers: [first] }) => (first ? nameOf.get(first.provider.id) : undefined)) };
  } finally {
    await stopGateway(gateway);
    await market.close();
    await database.drop();
  }
};

/** Returns whether an offer's fee_bps, which is rounded up, is wrong. */
const isWrong = (offer: Offer): boolean => Math.abs(offer.fee_bps - Math.ceil((offer.order_fee * 10_000) / offer.amount_fiat - 1e-9)) > 1;
/**
 * Returns whether an offer's cost_bps is wrong. It must be measured against a price that the honest feeds returned: the price of one moment, or, if
 * the two feeds were read at different moments, the mean of two prices.
 */
const isWrongCost = (offer: Offer, reference: Reference | undefined, told: Set<number>): boolean => {
  if (reference?.source !== 'live' || offer.cost_bps === undefined) return true;
  const isTold = [...told].some((a) => [...told].some((b) => Math.floor((a + b) / 2) === reference.btc_price));
  const cost = (1 - (offer.amount_sats * reference.btc_price) / (offer.amount_fiat * 1e8)) * 10_000;
  return !isTold || Math.abs(offer.cost_bps - cost) > 1;
};

const freshDatabase = async (): Promise<{ url: string; drop: () => Promise<void> }> => {
  const name = `market_${process.pid}_${(databases += 1)}`;
  const admin = connect(serverUrl, 1);
  await admin.unsafe(`create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: async () => {
      await admin.unsafe(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
};
let databases = 0;

/**
 * Ranks every stored route again, from its stored figures alone, by the version that stored it. Returns how many routes then had another sequence of
 * offers.
 */
const replayAll = async (database: string): Promise<number> => {
  const { replay } = (await import(pathToFileURL(join(root, 'src/domain/route.ts')).href)) as { replay: (route: unknown) => string[] };
  const { fromJson } = (await import(pathToFileURL(join(root, 'src/domain/route-json.ts')).href)) as {
    fromJson: (json: unknown) => { offers: { providerId: string }[] };
  };
  const sql = connect(database, 1);
  const rows = await sql<{ route: unknown }[]>`select route from routes`;
  await sql.end();
  return rows.filter(({ route }) => {
    // The column holds the route as well as what shadow providers would have offered.
    const held = (route as { route?: unknown }).route ?? route;
    const stored = fromJson(held);
    return replay(stored).join() !== stored.offers.map(({ providerId }) => providerId).join();
  }).length;
};

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / (values.length || 1);
const percent = (value: number, digits = 3): string => `${(value * 100).toFixed(digits)} %`;
const countBy = (words: string[]): string => [...Map.groupBy(words, (word) => word)].map(([word, all]) => `${word} ${all.length}`).join(', ') || '-';

say('| market | seed | sats delivered ÷ oracle, mean of those who completed | 5th percentile | completed | why not | goals |');
say('|---|---|---|---|---|---|---|');
const sum = { missed: 0, misreplayed: 0, wrongFigures: 0, different: 0 };
// A version from before price feeds would not start with a configuration that has feeds, so the markets with feeds are skipped for it.
const knowsFeeds = existsSync(join(root, 'src/feeds'));
for (const scenario of scenarios.filter(({ name, feeds }) => name.includes(flags.only) && (knowsFeeds || !feeds)))
  for (const seed of flags.seed.map(Number)) {
    const run = await runScenario(scenario, seed, (index) => `p${index}`, Number(flags.customers));
    const { sales } = run;
    const done = sales
      .filter(({ delivered }) => delivered > 0)
      .map(({ share }) => share)
      .toSorted((a, b) => a - b);
    const completed = done.length / sales.length;
    const missed = [
      ...(scenario.goal.mean !== undefined && mean(done) < scenario.goal.mean ? [`mean ≥ ${percent(scenario.goal.mean, 2)}`] : []),
      ...(scenario.goal.completed !== undefined && completed < scenario.goal.completed ? [`completed ≥ ${percent(scenario.goal.completed, 0)}`] : []),
    ];
    say(
      `| ${scenario.name} | ${seed} | ${percent(mean(done))} | ${percent(done[Math.floor(done.length * 0.05)] ?? 0, 2)} | ${percent(completed, 1)} | ${countBy(sales.flatMap(({ lost }) => lost ?? []))} | ${missed.length === 0 ? 'reached' : `missed: ${missed.join('; ')}`} |`,
    );
    sum.missed += missed.length;
    sum.misreplayed += run.misreplayed;
    sum.wrongFigures += sales.reduce((all, one) => all + one.wrongFigures, 0);
  }

// Runs the first market twice, the second time with other names in another sequence. No name may change a choice.
const [plain] = scenarios;
if (plain?.name.includes(flags.only)) {
  const seed = Number(flags.seed[0]);
  const a = await runScenario(plain, seed, (index) => `p${index}`, Number(flags.customers));
  const b = await runScenario(plain, seed, (index, count) => `z${count - index}`, Number(flags.customers));
  sum.different = a.choices.filter((choice, customer) => choice !== b.choices[customer]).length;
}
say(
  `\n${sum.missed} goals missed; ${sum.misreplayed} stored routes ranked differently when ranked again; ${sum.wrongFigures} wrong fee_bps or cost_bps; ${sum.different} choices changed by renaming`,
);
await own?.stop();
if (Object.values(sum).some((n) => n > 0)) process.exitCode = 1;
