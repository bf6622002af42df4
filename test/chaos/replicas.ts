/** Gateways on one database, some in this process, some as child processes that die at a named point, with providers of every re-POST profile. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { stringify } from 'yaml';
import { freshSecrets } from '../../src/config/secrets.ts';
import { startServer, type RunningServer } from '../../src/entry/node-server.ts';
import { startFiatOnRampSimulator, type RunningSimulator, type SimulatorOptions } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { providerModules } from '../../src/providers/registry.gen.ts';
import { childPath } from '../setup/children.ts';
import { movableClock, type Clock } from '../support/clock.ts';
import { testDatabase, type TestDatabase } from '../support/postgres.ts';
import { quotedSql, violations, type Habits, type Kept, type Made, type Told } from './checker.ts';
import { most, unlimited } from './unlimited.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const crashPoints = ['C0', 'C1', 'C2', 'C3', 'C4', 'C5', 'C6', 'C7', 'C8', 'C9', 'C10', 'C11', 'C13'] as const;
export type CrashPoint = (typeof crashPoints)[number];
/**
 * M0 to M2 are points before, during and after the commit of a move to the next rank. At M3 to M6, the order that is placed at that rank is at C3,
 * C5, C6 and C8.
 */
export const movePoints = ['M0', 'M1', 'M2', 'M3', 'M4', 'M5', 'M6'] as const;
export type MovePoint = (typeof movePoints)[number];
type Point = CrashPoint | MovePoint | 'none';

/** The re-POST profiles: what a provider does with a second POST of the same quote. */
export const profiles = ['same', 'rejects', 'duplicates', 'unknown'] as const;
export type Profile = (typeof profiles)[number];
const behaviour: Record<Profile, NonNullable<SimulatorOptions['repost']>> = {
  same: 'same',
  rejects: 'rejects',
  duplicates: 'duplicates',
  unknown: 'string200',
};

const quoteLifeS = 6;

export type Child = {
  url: string;
  process: ChildProcess;
  reached: (n: number) => Promise<void>;
  /** Lets the child continue after C13. */ goOn: () => Promise<void>;
  kill: () => Promise<void>;
};
export type Fleet = {
  simulators: Record<Profile, RunningSimulator>;
  database: TestDatabase;
  /** The clock of the simulators and of the recovering instances; a child uses the machine's clock. */
  clock: Clock;
  /** Two instances that recover, and compete for all work that the children left unfinished. */
  recoverers: RunningServer[];
  child: (point: Point) => Promise<Child>;
  told: Told[];
  order: (url: string, session: string, quoteId: string, more?: object, ramp?: '' | '/sell' | '/liquidity') => Promise<Told>;
  /** Lets the leases of a crashed child expire, by changing them instead of waiting. */
  expireLeases: (point: Point) => Promise<void>;
  check: () => Promise<string[]>;
  kept: () => Promise<Kept[]>;
  orders: () => Promise<{ id: string; stage: string; upstreamOrderId: string }[]>;
  close: () => Promise<void>;
};

/** Starts a gateway process that freezes at a named point. Its leases are owned by `child-<point>/…`. */
export const startChild = async (point: Point, environment: Record<string, string>, configText: string): Promise<Child> => {
  const process_ = spawn(process.execPath, ['--no-warnings', childPath(inject('children'), fileURLToPath(new URL('./crash-child.ts', import.meta.url)))], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      CHAOS_CHILD: JSON.stringify({ environment: { ...environment, INSTANCE: `child-${point}` }, configText, root, point }),
    },
  });
  let count = 0;
  const waiting: { n: number; go: () => void }[] = [];
  const gone = new Promise<void>((done) => process_.once('exit', () => done()));
  const url = await new Promise<string>((ready, failed) => {
    process_.once('exit', () => failed(new Error(`the child for ${point} ended before it began`)));
    createInterface({ input: process_.stdout }).on('line', (line) => {
      if (line.startsWith('url ')) ready(line.slice(4));
      if (line !== 'reached') return;
      count += 1;
      for (const one of waiting) if (count >= one.n) one.go();
    });
  });
  return {
    url,
    process: process_,
    reached: async (n) =>
      await new Promise<void>((go, failed) => {
        if (count >= n) return go();
        waiting.push({ n, go });
        setTimeout(() => failed(new Error(`${point} was reached ${count} times of ${n}`)), 80_000).unref();
      }),
    goOn: async () => await new Promise((written) => process_.stdin.write('\n', () => written())),
    kill: async () => {
      process_.kill('SIGKILL');
      await gone;
    },
  };
};

/** Further providers of a fleet: their blocks, the environment variables that the blocks name, and their orders. */
export type More = {
  blocks: { [provider: string]: object };
  environment: { [variable: string]: string };
  made: (kept: readonly Kept[]) => Made[];
  habits: { [provider: string]: Habits };
};
const noMore: More = { blocks: {}, environment: {}, made: () => [], habits: {} };

/** `more` starts further providers on the fleet's clock. */
export const startFleet = async (
  simulation: Partial<SimulatorOptions> = {},
  routing: Record<string, number> = {},
  more: (clock: Clock) => Promise<More> = async () => await Promise.resolve(noMore),
): Promise<Fleet> => {
  const database = await testDatabase();
  const clock = movableClock();
  const others = await more(clock);
  const started = await Promise.all(
    profiles.map(
      async (id) => [id, await startFiatOnRampSimulator({ id, now: clock.now, quoteTtlS: quoteLifeS, repost: behaviour[id], ...simulation })] as const,
    ),
  );
  const simulators = Object.fromEntries(started) as Record<Profile, RunningSimulator>;
  const config = (publicUrl: string): string =>
    stringify({
      mode: 'sandbox',
      network: 'regtest',
      public_url: publicUrl,
      ...unlimited,
      routing: { shortest_life_s: 0, expiry_margin_s: 0, order_deadline_ms: 1500, status_deadline_ms: 1500, ...routing },
      providers: Object.fromEntries(
        Object.entries({
          ...Object.fromEntries(
            profiles.map((id) => [id, { kind: 'fiat-on-ramp', base_url: simulators[id].url, repost: id, late_commit_max_s: 1, opens_per_minute: most }]),
          ),
          ...others.blocks,
        }).map(([id, block]) => [id, { ...block, ...patient }]),
      ),
    });
  const patient = {
    retry: { attempts: 0 },
    breaker: { volume_threshold: most, reset_s: 0.3 },
    concurrency: { in_flight: 64, queue: 256, queue_age_ms: 5000 },
  };
  const environment = {
    ...others.environment,
    ...freshSecrets(randomBytes),
    PORT: '0',
    DATABASE_URL: database.url,
    DATABASE_POOL: '6',
    LOG_LEVEL: 'error',
  };
  const start = async (name: string, publicUrl: string): Promise<RunningServer> =>
    await startServer({
      environment: { ...environment, INSTANCE: name },
      modules: providerModules,
      root,
      configText: config(publicUrl),
      writeLog: () => undefined,
      overrides: { now: clock.now },
    });
  const first = await start('recoverer-1', 'http://127.0.0.1:1');
  first.config.public_url = first.url;
  const recoverers = [first, await start('recoverer-2', first.url)];
  const children: Child[] = [];
  const told: Told[] = [];

  const child: Fleet['child'] = async (point) => {
    // At M1 each request is held in its commit and keeps its connection, so the child needs more connections.
    const running = await startChild(point, { ...environment, DATABASE_POOL: point === 'M1' ? '12' : '5' }, config(first.url));
    children.push(running);
    return running;
  };

  const order: Fleet['order'] = async (url, session_id, quote_id, body = {}, ramp = '') => {
    let one: Told;
    try {
      const response = await fetch(`${url}${ramp}/order`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': `key-${quote_id}` },
        body: JSON.stringify({ session_id, quote_id, ...body }),
      });
      const text = await response.text();
      const { code, instance: _, ...rest } = JSON.parse(text) as Record<string, unknown>;
      // A 200 must be equal byte for byte; a problem names its own request, so it is compared without that id.
      one = {
        quoteId: quote_id,
        at: clock.now(),
        status: response.status,
        code: code as string | undefined,
        essence: response.status === 200 ? text : JSON.stringify({ code, ...rest }),
      };
    } catch {
      one = { quoteId: quote_id, at: clock.now(), status: 0, code: 'lost', essence: '' };
    }
    told.push(one);
    return one;
  };

  const kept: Fleet['kept'] = async () =>
    await database.sql<
      Kept[]
    >`select ${database.sql.unsafe(quotedSql)} as quoted, i.id as "intentId", i.quote_id as "quoteId", i.provider_id as provider, i.state, i.upstream_order_id as "upstreamOrderId", i.moved_to as "movedTo",
      (select count(*) from orders o where o.intent_id = i.id)::int as orders from intents i`;
  const made = (): Made[] =>
    profiles.flatMap((provider) =>
      [...simulators[provider].control.orders.values()].map((one) => ({
        provider,
        orderId: one.id,
        status: one.status,
        intentId: /\/order\/([\w-]+)\//.exec(one.webhookUrl ?? '')?.[1] ?? 'none',
      })),
    );
  return {
    simulators,
    database,
    clock,
    recoverers,
    child,
    told,
    order,
    expireLeases: async (point) => {
      for (const table of ['intents', 'deliveries', 'orders'])
        await database.sql.unsafe(`update ${table} set lease_until = now() - interval '1 second' where lease_owner like 'child-${point}/%'`);
    },
    kept,
    orders: async () => await database.sql`select id, stage, upstream_order_id as "upstreamOrderId" from orders`,
    check: async () => {
      const rows = await kept();
      return violations(told, [...made(), ...others.made(rows)], rows, others.habits);
    },
    close: async () => {
      for (const one of children) await one.kill();
      await Promise.all(recoverers.map((one) => one.stop()));
      await Promise.all(Object.values(simulators).map((one) => one.close()));
      await database.close();
    },
  };
};
