/** The parts about POST /quote on Node: against the floor at each number of providers, with a provider that hangs, the memory, and full tables. */
import { createWallet } from '../scripts/demo/wallet.ts';
import { alternate, measure, start, stop, usage, type Child, type Figures } from './children.ts';
import { operatorToken } from './gateway-config.ts';
import { measureSteady } from './steady.ts';
import { asking, manyCustomers, memoryQuotes, openSessions, perRound, price, rounds, storedRoutes, withDatabase, withProviders } from './world.ts';
import type { Part, World } from './world.ts';

const few = 16;
const loads = { few: `${few} sessions`, many: `${manyCustomers} customers` };
type Side = 'floor' | keyof typeof loads;

const quotes =
  (target: Child, body: () => string, requests = perRound) =>
  async (): Promise<Figures> =>
    await measure(target, { path: '/quote', body, requests });

/** Compares the gateway with the floor at one number of providers. */
const compare = async ({ databaseUrl, report }: World, count: number): Promise<Record<Side, Figures>> => {
  let figures: Record<Side, Figures> | undefined;
  await withDatabase(
    databaseUrl,
    async (url) =>
      await withProviders(count, async (_, environment) => {
        const floor = await start('floor.ts', { ...environment, DATABASE_URL: url });
        const gateway = await start('gateway.ts', { ...environment, DATABASE_URL: url });
        const sessions = await openSessions(gateway.url, manyCustomers);
        const body = { few: asking(sessions.slice(0, few)), many: asking(sessions) };
        const sides = {
          floor: async () => await measure(floor, { path: '/', body: body.few, requests: perRound }),
          few: quotes(gateway, body.few),
          many: quotes(gateway, body.many),
        };
        // Warms up first, so that code is compiled before it is measured.
        for (const side of Object.values(sides)) await side();
        figures = await alternate(rounds, sides);
        await stop(floor, gateway);
      }),
  );
  if (!figures) throw new Error('nothing was measured');
  const providers = `${count} provider${count === 1 ? '' : 's'}`;
  report.row(`bare floor, ${providers}`, figures.floor);
  for (const load of ['few', 'many'] as const) {
    const { floor, [load]: ours } = figures;
    const against = [ours.perSecond / floor.perSecond, ours.p99 / floor.p99, ours.cpuUs / floor.cpuUs].map((value) => value.toFixed(2));
    report.row(`${providers}, ${loads[load]}`, ours, `÷ floor: throughput ${against[0]}, p99 ${against[1]}, cpu ${against[2]}`);
  }
  return figures;
};

const goalsOfFive = ({ report }: World, five: Record<Side, Figures>): void => {
  report.atLeast(`5 providers, ${loads.few}: throughput ÷ floor`, five.few.perSecond / five.floor.perSecond, 0.75);
  report.atMost(`5 providers, ${loads.few}: p99 ÷ floor`, five.few.p99 / five.floor.p99, 1.4);
  report.atLeast(`5 providers, ${loads.many}: throughput ÷ floor`, five.many.perSecond / five.floor.perSecond, 0.7);
};

/** Only five providers: the quickest comparison. */
export const floor: Part = async (world) => {
  goalsOfFive(world, await compare(world, 5));
};

const counts = [1, 5, 10, 20] as const;

export const providers: Part = async (world) => {
  const { report } = world;
  const at = new Map<number, Record<Side, Figures>>();
  for (const count of counts) at.set(count, await compare(world, count));
  const [five, twenty] = [at.get(5), at.get(20)];
  if (!five || !twenty) return;
  /** The CPU of each further provider from one number of providers to another, in µs. */
  const slope = (side: Side, from: number, to: number): number => ((at.get(to)?.[side].cpuUs ?? 0) - (at.get(from)?.[side].cpuUs ?? 0)) / (to - from);
  report.say('\nCPU of each further provider');
  for (const [from, to] of [
    [1, 5],
    [5, 10],
    [10, 20],
  ] as const) {
    const bare = slope('floor', from, to);
    const ours = (['few', 'many'] as const).map(
      (load) => `${loads[load]} ${slope(load, from, to).toFixed(0).padStart(4)} µs, ÷ floor ${(slope(load, from, to) / bare).toFixed(2)}`,
    );
    report.say(`${`${from} → ${to} providers`.padEnd(18)} floor ${bare.toFixed(0).padStart(4)} µs   ${ours.join('   ')}`);
  }
  report.say();
  goalsOfFive(world, five);
  report.atLeast(`20 providers, ${loads.many}: throughput ÷ floor`, twenty.many.perSecond / twenty.floor.perSecond, 0.6);
  for (const load of ['few', 'many'] as const) {
    report.atMost(`a further provider, 5 → 20, ${loads[load]}: CPU ÷ floor`, slope(load, 5, 20) / slope('floor', 5, 20), 2);
    // Two runs may differ by a tenth without any reason in the code.
    report.atMost(`the same, ${loads[load]}: 10 → 20 ÷ 5 → 10`, slope(load, 10, 20) / slope(load, 5, 10), 1.1);
  }
  for (const [count, { many }] of at)
    if (count >= 5)
      report.sizing(
        `POST /quote with ${count} providers and ${manyCustomers} customers: ${many.perSecond.toFixed(0)} a second, ${(many.cpuUs / 1000).toFixed(1)} ms of CPU each, p99 ${many.p99.toFixed(0)} ms. The load, the providers and the database shared the cores with the gateway.`,
      );
};

/** Waits until the gateway leaves the last provider out because its circuit is open. */
const circuitOpens = async (gateway: Child, body: () => string): Promise<void> => {
  let networks = 0;
  // The window of 30 seconds is still full of good answers. The circuit opens when bad ones outweigh them.
  for (const until = Date.now() + 180_000; Date.now() < until;) {
    await measure(gateway, { path: '/quote', body, requests: 64 });
    const other = createWallet(gateway.url, undefined, { 'x-forwarded-for': `198.51.100.${(networks += 1) % 250}` });
    const { sessionId } = await other.open();
    const { body: told } = await other.call('/offers', { session_id: sessionId, ...price, max_wait_ms: 300 });
    if ((told['failed'] as { reason: string }[]).some((one) => one.reason === 'circuit-open')) return;
  }
  throw new Error('the circuit did not open within three minutes');
};

/** Compares two gateways with twenty providers each. At the first, all answer. At the second, one has stopped and its circuit is open. */
export const hang: Part = async ({ databaseUrl, report }) => {
  const count = 20;
  // Half a round is enough for p99, and quotes from twenty providers take a long time.
  const requests = Math.ceil(perRound / 2);
  const well = async (work: (gateway: Child, body: () => string, providersOf: Child) => Promise<void>): Promise<void> =>
    await withDatabase(
      databaseUrl,
      async (url) =>
        await withProviders(count, async (providersOf, environment) => {
          const gateway = await start('gateway.ts', { ...environment, DATABASE_URL: url });
          const body = asking(await openSessions(gateway.url, few));
          await quotes(gateway, body, requests)();
          await work(gateway, body, providersOf);
          await stop(gateway);
        }),
    );
  await well(
    async (healthy, healthyBody) =>
      await well(async (gateway, body, providersOf) => {
        providersOf.process.send({ hang: count - 1 });
        report.row('one of 20 hangs, circuit still closed', await measure(gateway, { path: '/quote', body, requests: 192 }));
        await circuitOpens(gateway, body);
        const figures = await alternate(rounds, { healthy: quotes(healthy, healthyBody, requests), open: quotes(gateway, body, requests) });
        report.row('all 20 answer', figures.healthy);
        report.row('one of 20 hangs, circuit open', figures.open);
        report.atMost('one of 20 hangs, circuit open: p99 ÷ all answer', figures.open.p99 / figures.healthy.p99, 1.1);
      }),
  );
};

/** Measures the resident memory after many customers have asked for quotes. */
export const memory: Part = async ({ databaseUrl, report }) => {
  const people = Math.ceil(memoryQuotes / 5);
  await withDatabase(
    databaseUrl,
    async (url) =>
      await withProviders(5, async (_, environment) => {
        const gateway = await start('gateway.ts', { ...environment, DATABASE_URL: url });
        const started = (await usage(gateway)).rssMb;
        const sessions = await openSessions(gateway.url, people);
        const opened = (await usage(gateway)).rssMb;
        const body = asking(sessions);
        report.say(`resident after the start ${started.toFixed(0)} MB, after ${people} sessions with a quote each ${opened.toFixed(0)} MB`);
        for (let done = people; done < memoryQuotes; done += people) {
          const got = await measure(gateway, { path: '/quote', body, requests: people });
          report.row(`${people} more quotes`, got, `resident ${(await usage(gateway)).rssMb.toFixed(0)} MB`);
        }
        const { rssMb } = await usage(gateway);
        report.atMost(`resident MB after ${memoryQuotes} quotes of ${people} customers`, rssMb, 250);
        report.sizing(`Memory of one process after ${memoryQuotes} quotes of ${people} customers: ${rssMb.toFixed(0)} MB resident.`);
        await stop(gateway);
      }),
  );
};

const hoursOfRoutes = 144;
/**
 * The rate at which `rows` measures what the console costs a quote. The gateway's own limits and its cleaning up are made for such a rate. At
 * the highest rate that the machine can do, every bit of work makes all quotes slower, because they wait for the processors.
 */
const usualRate = 100;
const wait = async (ms: number): Promise<void> => await new Promise((done) => setTimeout(done, ms));
/** Repeats `beside` as long as `work` runs. */
const during = async <T>(work: () => Promise<T>, beside: () => Promise<void>): Promise<T> => {
  let isOver = false;
  const repeating = (async (): Promise<void> => {
    while (!isOver) await beside();
  })();
  try {
    return await work();
  } finally {
    isOver = true;
    await repeating;
  }
};
const overview = async ({ url }: Child): Promise<void> => {
  const answer = await fetch(`${url}/operator/overview`, { headers: { authorization: `Bearer ${operatorToken}` } });
  if (!answer.ok) throw new Error(`the overview: ${answer.status} ${await answer.text()}`);
  await answer.text();
};

const more = (one: Figures, than: Figures): string => (one.p99 - than.p99).toFixed(1);

/**
 * Compares two gateways, one with an empty table of routes and one with a full one, at a usual rate and at the highest one. The full one is also
 * measured while its background work counts the console's figures over all routes, and while an operator watches the console's overview, which is
 * requested every second. Hours are marked as counted, or as due, before each round.
 */
export const rows: Part = async ({ databaseUrl, report }) => {
  await withDatabase(
    databaseUrl,
    async (emptyUrl) =>
      await withDatabase(
        databaseUrl,
        async (fullUrl, sql) =>
          await withProviders(5, async (_, environment) => {
            const [empty, full] = [
              await start('gateway.ts', { ...environment, DATABASE_URL: emptyUrl }),
              await start('gateway.ts', { ...environment, DATABASE_URL: fullUrl }),
            ];
            const [emptyBody, fullBody] = [asking(await openSessions(empty.url, few)), asking(await openSessions(full.url, few))];
            // The routes are as wide as real ones, and as old as decisions become before they are deleted.
            await sql.unsafe(`
              insert into routes (id, customer_id, session_hash, ramp, request_id, created_on, route, reads)
              select gen_random_uuid(), gen_random_uuid(), md5(n::text), 'buy', 'req_' || n, now() - (${storedRoutes} - n) * interval '${hoursOfRoutes} hours' / ${storedRoutes}, r.route, r.reads
              from (select route, reads from routes limit 1) r, generate_series(1, ${storedRoutes}) n order by n`);
            await sql`vacuum analyze routes`;
            await sql`checkpoint`;
            /** Marks all hours as due or as counted, and waits for what is being counted. */
            const mark = async (due: boolean): Promise<void> => {
              await sql`
                insert into counted_hours (hour, source, check_on)
                select h, s, h from generate_series(date_trunc('hour', now()) - make_interval(hours => ${hoursOfRoutes}), date_trunc('hour', now()), interval '1 hour') h,
                  unnest(array['decisions', 'stages', 'fills']) s on conflict do nothing`;
              await sql.unsafe(
                `update counted_hours set mark = 'changed', part_mark = null, part_to = null, check_on = ${due ? `case source when 'decisions' then hour end` : 'null'}`,
              );
            };
            const isCounting = async (): Promise<boolean> => {
              // Counting consists of steps of a few milliseconds, with pauses. So it is under way if some of the work is done and some is left.
              const found = await sql`
                select 1 from counted_hours where source = 'decisions'
                having bool_or(mark = 'changed' and check_on <= now()) and bool_or(mark <> 'changed' or part_to is not null)`;
              return found.length > 0;
            };
            const counted: number[] = [];
            const sides = (ofFull: () => Promise<Figures>) => ({
              full: async () => {
                await mark(false);
                return await ofFull();
              },
              counting: async () => {
                await mark(true);
                // Background work looks for due hours once a second. Once it has begun, it is busy for the whole round.
                for (const until = Date.now() + 30_000; Date.now() < until && !(await isCounting());) await wait(100);
                const seen: boolean[] = [];
                const figures = await during(ofFull, async () => {
                  seen.push(await isCounting());
                  await wait(100);
                });
                counted.push(seen.filter(Boolean).length / seen.length);
                return figures;
              },
              console: async () => {
                await mark(false);
                return await during(ofFull, async () => {
                  await overview(full);
                  await wait(1000);
                });
              },
            });
            const most = { empty: quotes(empty, emptyBody), ...sides(quotes(full, fullBody)) };
            const usual = sides(async () => await measureSteady(full, { path: '/quote', body: fullBody, requests: usualRate * 10 }, usualRate));
            for (const side of Object.values(most)) await side();
            counted.length = 0;
            const figures = await alternate(rounds, most);
            report.row('no stored route', figures.empty);
            report.row(`${storedRoutes} stored routes`, figures.full);
            const shares = (): string =>
              `counting for ${counted
                .splice(0)
                .map((share) => `${(share * 100).toFixed(0)} %`)
                .join(', ')} of the rounds`;
            report.row('the same while figures are counted', figures.counting, shares());
            report.row('the same while the console is watched', figures.console);
            const steady = await alternate(rounds, usual);
            report.say();
            report.row(`${usualRate} quotes a second`, steady.full);
            report.row('the same while figures are counted', steady.counting, shares());
            report.row('the same while the console is watched', steady.console);
            report.say();
            report.atMost(`${storedRoutes} stored routes: p99 ÷ none`, figures.full.p99 / figures.empty.p99, 1.1);
            report.atMost(`counting figures, ${usualRate} quotes a second: p99, ms more than without`, steady.counting.p99 - steady.full.p99, 5);
            report.atMost(`a console that shows the overview, the same rate: p99, ms more`, steady.console.p99 - steady.full.p99, 5);
            report.say(
              `at the highest rate: ${more(figures.counting, figures.full)} ms more while counting, ${more(figures.console, figures.full)} ms while watched`,
            );
            await stop(empty, full);
          }),
      ),
  );
};
