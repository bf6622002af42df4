/** The gateway as a Node process: wires everything specific to Node, starts it and stops it. */
import { hash, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import type { Context } from 'hono';
import { readEnv, type Env } from '../config/env.ts';
import { parseConfig, type GatewayConfig } from '../config/providers-config.ts';
import { checkMode, readSecrets, type Secrets } from '../config/secrets.ts';
import { pruneOld, runPart, scheduledParts } from '../gateway/run-scheduled.ts';
import { refreshSwitches } from '../gateway/switches.ts';
import type { Gateway } from '../ports/gateway.ts';
import type { Log } from '../ports/runtime.ts';
import { createApp } from '../http/app.ts';
import { createLimiter } from '../http/limiter.ts';
import { createLog } from '../log/log.ts';
import { prettyLine } from '../log/pretty.ts';
import { refuseMetrics, sendsMetricsToken } from './metrics-access.ts';
import { createMetrics, type Known } from './metrics.ts';
import { renderGauges } from './gauges.ts';
import { errorText } from '../domain/error-text.ts';
import { instanceGauges } from './instance-gauges.ts';
import { endpoints } from '../http/endpoints.ts';
import type { ProviderModule } from '../providers/spec.ts';
import { checkPublicUrl } from '../domain/url-guard.ts';
import { clientIp } from './client-ip.ts';
import { composeInstance, httpSettings, type Parts } from './compose.ts';
import { databaseGauges } from './database-gauges.ts';
import { watchConnections } from './connection-watch.ts';
import { openDatabase, type NodeDatabase } from './database-node.ts';
import { databaseRefusal, refuseByStatement } from './database-refusal.ts';
import type { EmbeddedDatabase } from './embedded-database.ts';
import { createGuardedSender } from './guarded-sender.ts';
import { createUndiciHttp } from './http-undici.ts';
import { listen } from './listen.ts';
import { oneAtATime, pauseMs, startLoops } from './loop.ts';
import { migrate } from './migrate.ts';
import { migrationState, type Journal } from './migration-state.ts';
import { pagesFrom } from './page-files.ts';
import { createPages } from './pages.ts';
import { readConfigFile } from './read-config-file.ts';
import { createBackground } from './shutdown.ts';
import { checkSealKey } from './seal-key.ts';
import { StartRefused } from './start-refused.ts';
import { waitAtMost } from './wait-at-most.ts';

export { StartRefused } from './start-refused.ts';

export type ServerOptions = {
  environment: Record<string, string | undefined>;
  modules: ReadonlyMap<string, ProviderModule>;
  /** The folder with migrations/ and dist/site. */
  root: string;
  /** The addresses at which sandbox providers really listen, by provider id. */
  baseUrls?: Record<string, string>;
  configText?: string;
  /**
   * An embedded database that is already running. The server closes the database when the server stops. If the start is refused before the server has
   * opened the database, the caller must close it.
   */
  embedded?: Promise<EmbeddedDatabase> | undefined;
  writeLog?: (line: string) => void;
  /**
   * Parts that replace the process's own. A test passes a clock that it can move. Leases always follow the database's clock. `pauseMs` is how long
   * the background work pauses after each run: a test calls `tick` instead of waiting for it.
   */
  overrides?: Partial<Pick<Parts, 'now' | 'random' | 'sleep' | 'leastTimeoutMs'> & { pauseMs: number }>;
};
export type RunningServer = {
  url: string;
  gateway: Gateway;
  config: GatewayConfig;
  secrets: Secrets;
  database: { kind: string; url: string };
  log: Log;
  /** Runs every part of the scheduled work once. If a part is already running, waits for that run first. */
  tick: () => Promise<void>;
  /** Waits for the work that continues after its response was sent. Returns false if that takes longer than a stop would wait. */
  idle: () => Promise<boolean>;
  /** Makes the instance report that it is not ready, and close each connection with its next answer. It still serves. */
  leave: () => void;
  stop: () => Promise<void>;
};

/** Opened secrets may take up 1/40 of the heap. In the image that is 15 MB, enough for the sessions of 1,500 customers at 20 providers. */
const partForSecrets = 40;
/** How long a stop waits for running work to finish. */
const idleLimitMs = 8_000;
/**
 * The limits of one run of a part of the background work, after which it pauses for a second. `ms`: how long it may go on starting new work. `calls`:
 * how many provider calls and deliveries it may make.
 */
const partBudget = { ms: 25_000, calls: 200 };
/** Up to 10,000 webhooks go out in one run: with a pause after every 200, a backlog went out at only 177 a second on an idle machine. */
const deliveriesBudget = { ...partBudget, calls: 10_000 };
/** How long a stop waits for connections to close cleanly. */
const closeLimitMs = 1_000;
const ownParts = {
  now: (): number => Date.now(),
  random: (): number => Math.random(),
  sleep: async (ms: number): Promise<void> => await new Promise((done) => setTimeout(done, ms)),
};

export const startServer = async (options: ServerOptions): Promise<RunningServer> => {
  const env = readOrRefuse(readEnv(options.environment), (good) => good.env);
  const config = readConfig(env, options);
  const unfit = checkMode(config, options.environment);
  if (unfit.length > 0) throw new StartRefused(unfit.join('\n'));
  const secrets = readOrRefuse(readSecrets(options.environment, config), (good) => good.secrets);
  const log = createLog({
    level: env.LOG_LEVEL,
    instance: instanceOf(env),
    write: options.writeLog ?? ((line) => process.stdout.write(`${env.LOG_FORMAT === 'pretty' ? prettyLine(line) : line}\n`)),
    now: options.overrides?.now ?? ownParts.now,
    modules: options.modules,
  });
  const database = await openOrRefuse(env, config, log, options.embedded);
  // If anything fails from here on, the data folder and the connections are released.
  const opened: (() => Promise<unknown>)[] = [database.close];
  try {
    await prepareDatabase(database, options, secrets, log);
    return await serveOn({ options, env, config, secrets, log, database }, opened);
  } catch (error) {
    await Promise.allSettled(opened.map((close) => close()));
    throw error;
  }
};

const instanceOf = (env: Env): string => env.INSTANCE ?? `${hostname().slice(0, 20)}-${process.pid}`;

/**
 * Migrates the database and checks that our keys open its sealed values. Throws StartRefused if one of the two fails; SEAL_KEY_LOST=1 allows a start
 * without the right key.
 */
const prepareDatabase = async (database: NodeDatabase, { root, environment }: ServerOptions, secrets: Secrets, log: Log): Promise<void> => {
  const lost = await (async () => {
    try {
      if (database.pooled) await database.sql.begin(async (tx) => await tx`select 1`).catch(refuseByStatement);
      await migrate(database, join(root, 'migrations'), () => log('info', 'database.waits', { reason: 'another instance is migrating the database' }));
      return await checkSealKey(database.sql, secrets.seal);
    } catch (error) {
      throw error instanceof StartRefused ? error : new StartRefused(databaseRefusal(error));
    }
  })();
  if (lost === undefined) return;
  if ((environment['SEAL_KEY_LOST'] ?? '') !== '1') throw new StartRefused(lost);
  log('error', 'seal_key_lost', { reason: lost });
};

type Setup = { options: ServerOptions; env: Env; config: GatewayConfig; secrets: Secrets; log: Log; database: NodeDatabase };

const serveOn = async ({ options, env, config, secrets, log, database }: Setup, opened: (() => Promise<unknown>)[]): Promise<RunningServer> => {
  const { now, random, sleep, leastTimeoutMs } = { ...ownParts, ...options.overrides };
  const metrics = createMetrics({ providers: config.providers.map(({ id }) => id), routes: endpoints.map(({ path }) => path), feeds: feedsOf(config) });
  const journal = JSON.parse(readFileSync(join(options.root, 'migrations/meta/_journal.json'), 'utf8')) as Journal;
  let migrated = false;
  const upstream = createUndiciHttp();
  const guarded = createUndiciHttp({ connections: 8, guard: { sandbox: config.mode === 'sandbox' } });
  const rules = { sandbox: config.mode === 'sandbox', allowedPorts: config.webhooks.allowed_ports, ownHosts: [new URL(config.public_url).hostname] };
  const sender = createGuardedSender({ check: (url) => checkPublicUrl(url, rules), sandbox: rules.sandbox });
  opened.unshift(upstream.close, guarded.close, sender.close);
  const background = createBackground();
  const watch = watchConnections(database, env.DATABASE_POOL, log);
  const composed = composeInstance({
    config,
    secrets,
    modules: options.modules,
    http: upstream.http,
    guardedHttp: guarded.http,
    sender: sender.send,
    log,
    metrics,
    now,
    random,
    uuid: () => randomUUID(),
    hash: (text) => hash('sha256', text),
    randomSecret: (bytes) => randomBytes(bytes).toString('base64url'),
    sleep,
    ...(leastTimeoutMs === undefined ? {} : { leastTimeoutMs }),
    mostSecretsKept: getHeapStatistics().heap_size_limit / partForSecrets,
    instance: instanceOf(env),
    outlivesRequest: true,
  });
  const gateway = composed.onDatabase(database.sql, {
    grouped: true,
    background: background.add,
    migrated: async () => {
      if (!migrated) {
        const { applied, expected } = await migrationState(database.sql, journal);
        migrated = applied >= expected;
      }
      if (!watch.trusted()) throw new Error('a pooler was put in front of the database after the start: its answers cannot be trusted');
      return migrated;
    },
  });
  const app = createApp({
    platform: (c) => ({ gateway, ip: () => clientIp(remoteOf(c), c.req.header('x-forwarded-for'), config.trusted_proxies, c.req.header('forwarded')) }),
    http: httpSettings(config, secrets),
    limiter: createLimiter(now),
    pages: pagesFrom(join(options.root, 'dist/site'), createPages(config)),
    metrics: async (c) =>
      await showMetrics(c, secrets, async () => {
        // Without the database, the process still shows its own figures.
        const stored = await databaseGauges(database.sql).catch((error: unknown) => {
          log('warn', 'database.figures_missing', { error: errorText(error) });
          return undefined;
        });
        const figures = { background: background.size(), poolSize: env.DATABASE_POOL, isDatabaseUp: stored !== undefined };
        return (await metrics.render()) + renderGauges([...instanceGauges(gateway, figures), ...(stored ?? [])]);
      }),
  });
  const server = await listen(app.fetch, env);
  // Errors are ignored here: the work that needs the database reports that the database is unreachable.
  const look = oneAtATime(async () => await watch.look().catch(() => undefined));
  const parts = scheduledParts(gateway, composed.drain(gateway)).map((part) =>
    oneAtATime(async () => {
      const { ms, calls } = part.name === 'deliveries' ? deliveriesBudget : partBudget;
      const n = await runPart(gateway, part, ms, { own: calls, spare: { calls: 0 } });
      metrics.count('scheduled_total', { part: part.name }, n);
    }),
  );
  const tick = async (): Promise<void> => {
    await refreshSwitches(gateway);
    await Promise.all(parts.map((run) => run()));
  };
  const loop = startLoops({
    works: [look, ...parts],
    prune: async () => void (await pruneOld(gateway, config.retention)),
    log,
    now,
    pauseMs: options.overrides?.pauseMs ?? pauseMs,
  });
  const idle = async (): Promise<boolean> => await background.idle(idleLimitMs);
  const { port } = server.address() as AddressInfo;
  const leave = (): void => {
    if (gateway.state.leaving === true) return;
    gateway.state.leaving = true;
    // `close` does not close a busy connection, so the next answer on it says that it is the last.
    server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => void response.setHeader('connection', 'close'));
  };
  const stop = async (): Promise<void> => {
    leave();
    const until = performance.now() + idleLimitMs;
    const answered = new Promise<void>((done) => {
      server.close(() => done());
      if ('closeIdleConnections' in server) server.closeIdleConnections();
    });
    await waitAtMost(Promise.all([answered, loop.stop()]), idleLimitMs);
    if ('closeAllConnections' in server) server.closeAllConnections();
    if (!(await background.idle(Math.max(closeLimitMs, until - performance.now())))) log('warn', 'shutdown_cut', { count: background.size() });
    await waitAtMost(Promise.all([upstream.close(), guarded.close(), sender.close()]), closeLimitMs);
    await database.close();
  };
  return { url: `http://${env.HOST.includes(':') ? `[${env.HOST}]` : env.HOST}:${port}`, gateway, config, secrets, database, log, tick, idle, leave, stop };
};

const readOrRefuse = <G extends { ok: true }, T>(result: G | { ok: false; mistakes: string[] }, of: (good: G) => T): T => {
  if (!result.ok) throw new StartRefused(result.mistakes.join('\n'));
  return of(result);
};

const readConfig = (env: Env, options: ServerOptions): GatewayConfig => {
  const text = options.configText ?? readConfigFile(env.CONFIG_FILE);
  return readOrRefuse(
    parseConfig(text, {
      fileName: env.CONFIG_FILE,
      modules: options.modules,
      publicUrl: env.PUBLIC_URL,
      ...(options.baseUrls ? { baseUrls: options.baseUrls } : {}),
    }),
    (good) => good.config,
  );
};

const openOrRefuse = async (env: Env, config: GatewayConfig, log: Log, embedded: ServerOptions['embedded']) => {
  try {
    return await openDatabase({ url: env.DATABASE_URL, dataDir: env.DATA_DIR, embedded, log, poolSize: env.DATABASE_POOL });
  } catch (error) {
    throw new StartRefused(`${config.mode === 'live' ? 'DATABASE_URL: ' : ''}${error instanceof Error ? error.message : 'the database could not be opened'}`);
  }
};

const feedsOf = ({ routing }: GatewayConfig): Known['feeds'] =>
  Object.entries(routing.reference ?? {}).flatMap(([currency, { feeds = [] }]) => feeds.map(({ name }) => ({ currency, feed: name })));

const remoteOf = (c: Context): string | undefined => (c.env as { incoming?: IncomingMessage } | undefined)?.incoming?.socket.remoteAddress;

/** Shows metrics to callers that send METRICS_TOKEN or, while no token is set, to callers on loopback. */
const showMetrics = async (c: Context, secrets: Secrets, render: () => Promise<string>): Promise<Response> => {
  const forwarded = c.req.header('x-forwarded-for') ?? c.req.header('forwarded');
  const local = forwarded === undefined && /^(?:::ffff:)?127\.|^::1$/.test(remoteOf(c) ?? '');
  if (!sendsMetricsToken(c, secrets) && (!local || secrets.metricsToken !== undefined))
    return refuseMetrics(c, secrets, 'Metrics are shown to loopback only, because METRICS_TOKEN is not set.');
  return c.text(await render(), 200, { 'content-type': 'text/plain; version=0.0.4' });
};
