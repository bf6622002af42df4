/** Starts a complete gateway over real sockets for a test: simulators, a database of its own, the Node server. */
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { startServer, type RunningServer } from '../../src/entry/node-server.ts';
import { startFiatOnRampSimulator, type RunningSimulator, type SimulatorOptions } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import type { ProviderModule } from '../../src/providers/spec.ts';
import { providerModules } from '../../src/providers/registry.gen.ts';
import { movableClock, type Clock } from './clock.ts';
import { testDatabase, type TestDatabase } from './postgres.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export type TestProvider = { simulator: Omit<SimulatorOptions, 'id'>; block?: Record<string, unknown> };
export type TestGateway = {
  url: string;
  server: RunningServer;
  simulators: Record<string, RunningSimulator>;
  database: TestDatabase;
  logs: string[];
  /** The clock of the gateway and its simulators. */
  clock: Clock;
  /** Moves the clock by `ms`, and does everything due by then. */
  pass: (ms: number) => Promise<void>;
  /** Moves the clock in steps of `stepMs`, for at most `limitMs`, until `read` returns a value. For results of the gateway's own work. */
  passUntil: <T>(what: string, read: () => Promise<T | undefined>, limits?: { stepMs?: number; limitMs?: number }) => Promise<T>;
  /** Stops following all orders and accounts. Each step of the clock would also read those of earlier tests, which was most of some files' cost. */
  forget: () => Promise<void>;
  restart: () => Promise<void>;
  close: () => Promise<void>;
};
export type TestGatewayOptions = {
  config?: Record<string, unknown>;
  environment?: Record<string, string>;
  database?: TestDatabase;
  /** For a test that starts its own simulators on the same clock. */
  clock?: Clock;
  /**
   * How long the background work pauses after each run: five seconds, because `pass` does that work, and because idle gateways would otherwise use a
   * twentieth of the processor time of all tests. A test that waits for that work without `pass` sets a second, as in production.
   */
  pauseMs?: number;
  /** How the gateway sleeps between two steps of its background work. By default, really. */
  sleep?: (ms: number) => Promise<void>;
  /**
   * Whether `pass` also counts the console's figures. Only a test about them needs it: after the clock was moved by hours, counting them is two thirds
   * of what the database has to do.
   */
  counts?: boolean;
  /** Blocks for providers of other kinds, whose simulators the test starts itself. */
  blocks?: Record<string, Record<string, unknown>>;
  /** Provider modules in addition to the product's. */
  modules?: [string, ProviderModule][];
};

/** Defaults of every provider's block: no retries and a short breaker pause for short tests, and a queue that is patient on a busy machine. */
const quick = { retry: { attempts: 0 }, breaker: { reset_s: 0.3 }, concurrency: { queue_age_ms: 20_000 } };
/** On a busy machine a sound simulator may take seconds. A test of a deadline sets that deadline itself. */
const patient = { quote_deadline_ms: 20_000, verify_deadline_ms: 20_000, order_deadline_ms: 20_000, status_deadline_ms: 20_000 };
const leastTimeoutMs = 15_000;

export const startTestGateway = async (providers: Record<string, TestProvider>, options: TestGatewayOptions = {}): Promise<TestGateway> => {
  const database = options.database ?? (await testDatabase());
  const clock = options.clock ?? movableClock();
  const simulators = Object.fromEntries(
    await Promise.all(
      Object.entries(providers).map(async ([id, { simulator }]) => [id, await startFiatOnRampSimulator({ id, now: clock.now, ...simulator })] as const),
    ),
  );
  const blocks = Object.fromEntries(
    Object.entries(providers).map(([id, { block }]) => [id, { kind: 'fiat-on-ramp', base_url: simulators[id]?.url, ...quick, ...block }]),
  );
  const others = Object.fromEntries(Object.entries(options.blocks ?? {}).map(([id, block]) => [id, { ...quick, ...block }]));
  const modules = new Map([...providerModules, ...(options.modules ?? [])]);
  const limits = { verify_per_minute: 10_000, quotes_per_minute: 10_000, orders_per_minute: 10_000, operator_guesses_per_minute: 10_000 };
  const routing = { ...patient, ...(options.config?.['routing'] as object | undefined) };
  const configText = stringify({ mode: 'sandbox', network: 'regtest', limits, ...options.config, routing, providers: { ...blocks, ...others } });
  const logs: string[] = [];
  const environment = {
    ...freshSecrets(randomBytes),
    PORT: '0',
    DATABASE_URL: options.database?.url ?? database.socketUrl ?? database.url,
    DATABASE_POOL: database.kind === 'pglite' ? '1' : '3',
    LOG_LEVEL: 'debug',
    ...options.environment,
  };
  const start = async (port: string): Promise<RunningServer> =>
    await startServer({
      environment: { ...environment, PORT: port },
      modules,
      root,
      configText,
      writeLog: (line) => logs.push(line),
      overrides: { now: clock.now, leastTimeoutMs, pauseMs: options.pauseMs ?? 5_000, ...(options.sleep ? { sleep: options.sleep } : {}) },
    });
  const closeSimulators = async (): Promise<unknown> => await Promise.all(Object.values(simulators).map((simulator) => simulator.close()));
  const first = await start('0').catch(async (error: unknown) => {
    await closeSimulators();
    throw error;
  });
  const gateway: TestGateway = {
    url: first.url,
    server: first,
    simulators,
    database,
    logs,
    clock,
    pass: async (ms) => {
      clock.move(ms);
      if (options.counts !== true) gateway.server.gateway.state.figuresIdleOn = clock.now();
      await gateway.server.idle();
      await gateway.server.tick();
      await gateway.server.idle();
    },
    passUntil: async (what, read, { stepMs = 500, limitMs = 15_000 } = {}) => {
      for (let passedMs = 0; ; passedMs += stepMs) {
        const value = await read();
        if (value !== undefined) return value;
        if (passedMs >= limitMs) throw new Error(`${limitMs} ms passed in vain: ${what}`);
        await gateway.pass(stepMs);
      }
    },
    forget: async () => {
      await database.sql`update orders set final = true, next_check_on = null`;
      await database.sql`update accounts set next_check_on = null`;
    },
    restart: async () => {
      await gateway.server.stop();
      gateway.server = await start(new URL(first.url).port);
    },
    close: async () => {
      await gateway.server.stop();
      await closeSimulators();
      if (!options.database) await database.close();
    },
  };
  // Providers must call back to the port that this gateway really listens on.
  gateway.server.config.public_url = first.url;
  return gateway;
};

/** Makes a wallet that calls from the address `ip` through a trusted proxy. The gateway needs `config: { trusted_proxies: ['127.0.0.1'] }`. */
export const walletFrom = (url: string, ip: string): Wallet => createWallet(url, undefined, { 'x-forwarded-for': ip });

/**
 * Polls until `read` returns a value, with a limit far above a busy machine's needs. It is for other processes and sockets: what depends on the
 * gateway's clock needs `passUntil`.
 */
export const until = async <T>(what: string, read: () => Promise<T | undefined>, limitMs = 40_000): Promise<T> => {
  const began = Date.now();
  while (Date.now() < began + limitMs) {
    const value = await read();
    if (value !== undefined) return value;
    // Poll slow conditions less often: polling was most of the cost of long tests.
    const soon = Date.now() < began + 1000;
    await new Promise((done) => setTimeout(done, soon ? 30 : 100));
  }
  throw new Error(`waited ${limitMs} ms in vain: ${what}`);
};
