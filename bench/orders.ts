/** The parts about orders and webhooks. Each has a floor of its own, and reports what limits it. */
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Sql } from 'postgres';
import { drizzle } from 'drizzle-orm/postgres-js';
import { parseConfig } from '../src/config/providers-config.ts';
import { freshSecrets, readSecrets } from '../src/config/secrets.ts';
import type { NewDelivery } from '../src/ports/deliveries.ts';
import { providerModules } from '../src/providers/registry.gen.ts';
import { createSeal } from '../src/seal/seal.ts';
import * as schema from '../src/store/schema.ts';
import { connect } from '../src/entry/database-node.ts';
import { alternate, during, measure, start, stop, type Child, type Figures } from './children.ts';
import { configFor } from './gateway-config.ts';
import type { Report } from './report.ts';
import { inParallel, openSessions, perRound, price, rounds, withDatabase, withProviders, type Part } from './world.ts';

const wait = async (ms: number): Promise<void> => await new Promise((done) => setTimeout(done, ms));

/** `commits`: durable transactions a second; `syncs`: how often PostgreSQL's log was synced to the disk for them, per second. */
type Disk = { commits: number; syncs: number };
const syncsOf = async (sql: Sql): Promise<number> => {
  // The server's processes report what they have done only about once a second.
  await wait(1100);
  return Number((await sql<{ n: string }[]>`select wal_sync as n from pg_stat_wal`)[0]?.n);
};
/** Measures the most that the disk can do for the ten connections of a gateway, each of which writes small rows one after another. */
const measureDisk = async (url: string): Promise<Disk> => {
  const sql = connect(url, 10);
  await sql`create table bench_syncs (n int)`;
  const before = await syncsOf(sql);
  const ms = 3000;
  const until = performance.now() + ms;
  let commits = 0;
  const writer = async (): Promise<void> => {
    for (; performance.now() < until; commits += 1) await sql`insert into bench_syncs values (1)`;
  };
  await Promise.all(Array.from({ length: 10 }, writer));
  const syncs = (await syncsOf(sql)) - before;
  await sql.end();
  return { commits: (commits * 1000) / ms, syncs: (syncs * 1000) / ms };
};
type Side = 'gateway' | 'floor';
/** Counts the syncs per second while a side is measured. `syncs`: of each side's last round. */
const countSyncs = (sql: Sql) => {
  const syncs = { gateway: 0, floor: 0 };
  const counted = async (side: Side, work: () => Promise<Figures>): Promise<Figures> => {
    const before = await syncsOf(sql);
    const began = performance.now();
    const figures = await work();
    const seconds = (performance.now() - began) / 1000;
    syncs[side] = ((await syncsOf(sql)) - before) / seconds;
    return figures;
  };
  return { syncs, counted };
};

/**
 * Says what is used most: the process's core, all cores of the machine, or the disk. If none of them is used by half, the work waits for something
 * else.
 */
const boundBy = (one: Figures, syncs: number, possible: Disk): string => {
  const shares = { 'its core': one.core, 'all cores': one.machine, 'syncs of the disk': syncs / possible.syncs };
  const said = Object.entries(shares).map(([name, share]) => `${name} ${(share * 100).toFixed(0)} %`);
  const [[name, most] = ['', 0]] = Object.entries(shares).toSorted(([, a], [, b]) => b - a);
  return `${most < 0.5 ? 'bound by waiting' : `bound by ${name}`} (${said.join(', ')})`;
};

const sayDisk = ({ say }: Report, { commits, syncs }: Disk): void =>
  say(`ten writers alone: ${commits.toFixed(0)} durable commits a second, in ${syncs.toFixed(0)} syncs`);

/** Measures orders from customers who already have quotes, then reads of those orders' status. For each read, the gateway asks the provider. */
export const orders: Part = async ({ databaseUrl, report }) => {
  await withDatabase(
    databaseUrl,
    async (url, sql) =>
      await withProviders(
        5,
        async (_, environment) => {
          const possible = await measureDisk(url);
          const gateway = await start('gateway.ts', { ...environment, DATABASE_URL: url });
          const floor = await start('order-floor.ts', { ...environment, DATABASE_URL: url });
          const sessions = await openSessions(gateway.url, 320);
          const requests = Math.min(1000, perRound);
          const all = requests * (rounds + 1);
          const quotes: { session: string; quote: string }[] = [];
          await inParallel(all, async (index) => {
            const session = sessions[index % sessions.length] ?? '';
            const { quote_id: quote } = await post(gateway, '/quote', { session_id: session, ...price });
            quotes[index] = { session, quote: String(quote) };
          });
          await sql`insert into floor_quotes select (q->>'quote')::uuid, (select route from routes limit 1) from json_array_elements(${JSON.stringify(quotes)}::text::json) q`;
          const next = { gateway: 0, floor: 0 };
          const { syncs, counted } = countSyncs(sql);
          const place = (side: Side, target: Child) => async (): Promise<Figures> => {
            const body = (): string => {
              const { session, quote } = quotes[(next[side] += 1) - 1] ?? { session: '', quote: '' };
              return JSON.stringify({ session_id: session, quote_id: quote });
            };
            return await counted(side, async () => await measure(target, { path: '/order', body, requests }));
          };
          const placing = { floor: place('floor', floor), gateway: place('gateway', gateway) };
          for (const side of Object.values(placing)) await side();
          const placed = await alternate(rounds, placing);
          sayDisk(report, possible);
          report.row('bare floor, an order', placed.floor, boundBy(placed.floor, syncs.floor, possible));
          report.row('POST /order', placed.gateway, boundBy(placed.gateway, syncs.gateway, possible));
          report.say(ratios(placed.gateway, placed.floor));
          report.sizing(
            `POST /order, each step on disk before the next: ${placed.gateway.perSecond.toFixed(0)} a second, ${boundBy(placed.gateway, syncs.gateway, possible)}.`,
          );

          const ofFloor = await sql<{ id: string }[]>`select id from floor_orders`;
          const owners = new Map(quotes.map(({ session, quote }) => [quote, session]));
          const known = await sql<{ id: string; quote: string }[]>`select id, quote_id as quote from orders`;
          // An order that was read within the last five seconds is not read again, so the orders take turns.
          const bodies = {
            gateway: known.map(({ id, quote }) => ({ session_id: owners.get(quote), order_id: id })),
            floor: ofFloor.map(({ id }) => ({ order_id: id })),
          };
          const read = (side: Side, target: Child) => async (): Promise<Figures> => {
            let index = 0;
            if (side === 'gateway') await wait(5_500);
            const list = bodies[side].slice(0, requests);
            const body = (): string => JSON.stringify(list[(index += 1) % list.length]);
            return await counted(side, async () => await measure(target, { path: '/order-status', body, requests }));
          };
          const reading = { floor: read('floor', floor), gateway: read('gateway', gateway) };
          for (const side of Object.values(reading)) await side();
          const got = await alternate(rounds, reading);
          report.say();
          report.row('bare floor, a status', got.floor, boundBy(got.floor, syncs.floor, possible));
          report.row('POST /order-status, read at provider', got.gateway, boundBy(got.gateway, syncs.gateway, possible));
          report.say(ratios(got.gateway, got.floor));
          await stop(gateway, floor);
        },
        'order-providers.ts',
      ),
  );
};

const post = async ({ url }: Child, path: string, body: object): Promise<Record<string, unknown>> => {
  const answer = await fetch(`${url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Record<string, unknown>;
};
const ratios = (ours: Figures, floor: Figures): string =>
  `÷ floor: throughput ${(ours.perSecond / floor.perSecond).toFixed(2)}, p99 ${(ours.p99 / floor.p99).toFixed(2)}, cpu ${(ours.cpuUs / floor.cpuUs).toFixed(2)}`;

const receivers = 20;

/** Starts loopback receivers, each a host of its own, that answer 200 at once. `expect` waits for a number of webhooks. */
const startReceivers = async () => {
  const accepted: number[] = [];
  let wanted = { count: Number.POSITIVE_INFINITY, done: (): void => undefined };
  const servers: Server[] = [];
  const urls: string[] = [];
  for (let n = 0; n < receivers; n += 1) {
    const server = createServer((request, response) => {
      request.resume().on('end', () => {
        response.end();
        accepted.push(performance.now());
        if (accepted.length === wanted.count) wanted.done();
      });
    });
    server.keepAliveTimeout = 60_000;
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    servers.push(server);
    urls.push(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`);
  }
  return {
    urls,
    expect: (count: number) => {
      accepted.length = 0;
      const all = new Promise<void>((done) => (wanted = { count, done }));
      return async (): Promise<number> => {
        await all;
        return (accepted.at(-1) ?? 0) - (accepted[0] ?? 0);
      };
    },
    close: () => servers.forEach((server) => server.close().closeAllConnections()),
  };
};

/** Measures how fast due webhooks are delivered to 20 receivers, from the first arrival to the last. */
export const deliveries: Part = async ({ databaseUrl, report }) => {
  const secrets = freshSecrets(randomBytes);
  const parsed = parseConfig(configFor(5, 'http://127.0.0.1:9'), { fileName: 'bench.yaml', modules: providerModules });
  const keys = parsed.ok ? readSecrets(secrets, parsed.config) : parsed;
  if (!keys.ok) throw new Error(keys.mistakes.join('; '));
  const seal = createSeal(keys.secrets.seal);
  const hosts = await startReceivers();
  await withDatabase(
    databaseUrl,
    async (url, sql) =>
      await withProviders(5, async (_, environment) => {
        const possible = await measureDisk(url);
        const gateway = await start('gateway.ts', { ...environment, DATABASE_URL: url, SECRETS: JSON.stringify(secrets) });
        const floor = await start('order-floor.ts', { ...environment, DATABASE_URL: url });
        const count = Math.min(2000, perRound);
        const db = drizzle(sql, { schema });
        const { syncs, counted } = countSyncs(sql);
        const sent = async (side: Side, target: Child, write: () => Promise<void>, begin: () => Promise<unknown>): Promise<Figures> => {
          const arrived = hosts.expect(count);
          return await counted(
            side,
            async () =>
              await during(target, count, async () => {
                await write();
                const [, ms] = await Promise.all([begin(), arrived()]);
                return { perSecond: (count * 1000) / ms, p50: Number.NaN, p99: Number.NaN, failed: 0, ms };
              }),
          );
        };
        const body = JSON.stringify({ type: 'order_status_changed', data: { order_id: randomUUID(), order_status: 'filled' } });
        const ofGateway = async (): Promise<void> => {
          const now = Date.now();
          const rows = await Promise.all(
            Array.from({ length: count }, async (__, n): Promise<NewDelivery & { state: 'due' }> => {
              const id = `msg_${randomUUID().replaceAll('-', '')}`;
              const target = hosts.urls[n % receivers] ?? '';
              const sealed = await seal.seal(target, { table: 'deliveries', row: id, field: 'url' });
              const { host } = new URL(target);
              return {
                id,
                subjectId: randomUUID(),
                type: 'order_status_changed',
                sequence: 1,
                body,
                url: sealed,
                host,
                createdOn: now,
                dueOn: now,
                state: 'due',
              };
            }),
          );
          await db.insert(schema.deliveries).values(rows);
        };
        const ofFloor = async (): Promise<void> => {
          const rows = Array.from({ length: count }, (__, n) => ({ id: randomUUID(), url: hosts.urls[n % receivers] }));
          await sql`insert into floor_deliveries (id, url, body, state)
            select (d->>'id')::uuid, d->>'url', ${body}, 'due' from json_array_elements(${JSON.stringify(rows)}::text::json) d`;
        };
        const sides = {
          floor: async () => await sent('floor', floor, ofFloor, async () => await post(floor, '/deliver', {})),
          gateway: async () => await sent('gateway', gateway, ofGateway, async () => await Promise.resolve()),
        };
        for (const side of Object.values(sides)) await side();
        const got = await alternate(rounds, sides);
        sayDisk(report, possible);
        const line = (name: string, one: Figures, which: Side): void =>
          report.say(
            `${name.padEnd(24)} ${one.perSecond.toFixed(0).padStart(6)}/s  cpu ${one.cpuUs.toFixed(0).padStart(5)} µs  ${boundBy(one, syncs[which], possible)}`,
          );
        line('bare floor, webhooks', got.floor, 'floor');
        line('webhooks', got.gateway, 'gateway');
        report.say(`÷ floor: throughput ${(got.gateway.perSecond / got.floor.perSecond).toFixed(2)}, cpu ${(got.gateway.cpuUs / got.floor.cpuUs).toFixed(2)}`);
        report.sizing(`Webhooks to ${receivers} receivers: ${got.gateway.perSecond.toFixed(0)} a second, ${boundBy(got.gateway, syncs.gateway, possible)}.`);
        await stop(gateway, floor);
      }),
  );
  hosts.close();
};
