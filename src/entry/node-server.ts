/** The gateway as a Node process: wires everything specific to Node, and starts and stops it in order. */
import { errorText } from '../domain/error-text.ts';
import { hash, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { serve, type ServerType } from '@hono/node-server';
import type { Context } from 'hono';
import { readEnv, type Env } from '../config/env.ts';
import { parseConfig, type GatewayConfig } from '../config/providers-config.ts';
import { checkLive, readSecrets, type Secrets } from '../config/secrets.ts';
import { pruneOld, runScheduled } from '../gateway/run-scheduled.ts';
import type { Gateway } from '../ports/gateway.ts';
import type { Log } from '../ports/runtime.ts';
import { createApp } from '../http/app.ts';
import { createLimiter } from '../http/limiter.ts';
import { createLog } from '../log/log.ts';
import { createMetrics } from '../metrics/metrics.ts';
import type { ProviderModule } from '../providers/spec.ts';
import { constantTimeEqual } from '../seal/hash.ts';
import { checkWebhookUrl } from '../outbound/url-guard.ts';
import { clientIp } from './client-ip.ts';
import { composeInstance, httpSettings, type Parts } from './compose.ts';
import { databaseGauges } from './database-gauges.ts';
import { openDatabase } from './database-node.ts';
import { docsFrom } from './docs-files.ts';
import { createGuardedSender } from './guarded-sender.ts';
import { createUndiciHttp } from './http-undici.ts';
import { migrate } from './migrate.ts';
import { migrationState, type Journal } from './migration-state.ts';
import { createBackground } from './shutdown.ts';

/** Why the gateway did not start, one line per reason. */
export class StartRefused extends Error {}

export type ServerOptions = {
  environment: Record<string, string | undefined>;
  modules: ReadonlyMap<string, ProviderModule>;
  /** The folder with migrations/ and docs/site. */
  root: string;
  /** Where sandbox providers really listen. */
  baseUrls?: Record<string, string>;
  configText?: string;
  writeLog?: (line: string) => void;
  /** Default: the process's clock. A test passes one that it can move. Leases follow the database's clock, whatever this one says. */
  overrides?: Partial<Pick<Parts, 'now' | 'random' | 'sleep' | 'leastTimeoutMs'>>;
};
export type RunningServer = {
  url: string;
  gateway: Gateway;
  config: GatewayConfig;
  secrets: Secrets;
  database: { kind: string; url: string };
  log: Log;
  /** Runs one round of the scheduled work, begun after this call. */
  tick: () => Promise<void>;
  /** Waits for work that continues after its answer; false when that takes longer than a stop would wait. */
  idle: () => Promise<boolean>;
  /** Reports not ready, and closes each connection with its next answer. Still serves. */
  leave: () => void;
  stop: () => Promise<void>;
};

const idleLimitMs = 8_000;
const tickMs = 1_000;
const pruneMs = 600_000;
const ownParts = {
  now: (): number => Date.now(),
  random: (): number => Math.random(),
  sleep: async (ms: number): Promise<void> => await new Promise((done) => setTimeout(done, ms)),
};

export const startServer = async (options: ServerOptions): Promise<RunningServer> => {
  const env = readOrRefuse(readEnv(options.environment), (good) => good.env);
  const config = readConfig(env, options);
  const live = checkLive(config, options.environment);
  if (live.length > 0) throw new StartRefused(live.join('\n'));
  const secrets = readOrRefuse(readSecrets(options.environment, config), (good) => good.secrets);
  const { now, random, sleep, leastTimeoutMs } = { ...ownParts, ...options.overrides };
  const instance = env.INSTANCE ?? `${hostname().slice(0, 20)}-${process.pid}`;
  const log = createLog({
    level: env.LOG_LEVEL,
    instance,
    write: options.writeLog ?? ((line) => process.stdout.write(`${line}\n`)),
    now,
    modules: options.modules,
  });
  const metrics = createMetrics();
  const database = await openOrRefuse(env, config, log);
  const migrations = join(options.root, 'migrations');
  const journal = JSON.parse(readFileSync(join(migrations, 'meta/_journal.json'), 'utf8')) as Journal;
  try {
    await migrate(database, migrations);
  } catch (error) {
    await database.close();
    throw new StartRefused(
      `the database does not answer or could not be migrated: ${error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : 'unknown'}`,
    );
  }
  let migrated = false;
  const upstream = createUndiciHttp();
  const guarded = createUndiciHttp({ connections: 8, guard: { sandbox: config.mode === 'sandbox' } });
  const rules = { sandbox: config.mode === 'sandbox', allowedPorts: config.webhooks.allowed_ports, ownHosts: [new URL(config.public_url).hostname] };
  const sender = createGuardedSender({ check: (url) => checkWebhookUrl(url, rules), sandbox: rules.sandbox });
  const background = createBackground();
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
    instance,
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
      return migrated;
    },
  });
  const app = createApp({
    platform: (c) => ({ gateway, ip: () => clientIp(remoteOf(c), c.req.header('x-forwarded-for'), config.trusted_proxies, c.req.header('forwarded')) }),
    http: httpSettings(config, secrets),
    limiter: createLimiter(now),
    docs: docsFrom(join(options.root, 'docs/site')),
    metrics: async (c) =>
      await showMetrics(c, secrets, async () => {
        // Show the process's own figures even without the database.
        const stored = await databaseGauges(database.sql).catch(() => []);
        return metrics.render([{ name: 'background_work', help: 'Work that continues after its answer', value: background.size() }, ...stored]);
      }),
  });
  const server = await listen(app.fetch, env);
  const drain = composed.drain(gateway);
  const tick = oneAtATime(async () => {
    const done = await runScheduled(gateway, drain, { ms: 25_000, calls: 200 });
    for (const [part, n] of Object.entries(done)) for (let i = 0; i < n; i += 1) metrics.count('scheduled_total', { part });
  });
  const loop = startLoop({ tick, prune: async () => void (await pruneOld(gateway, config.retention)), log, now });
  const idle = async (): Promise<boolean> => await background.idle(idleLimitMs);
  const { port } = server.address() as AddressInfo;
  const leave = (): void => {
    if (gateway.state.leaving === true) return;
    gateway.state.leaving = true;
    // `close` does not close a busy connection, so its next answer says that it is the last.
    server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => void response.setHeader('connection', 'close'));
  };
  const stop = async (): Promise<void> => {
    leave();
    await new Promise<void>((done) => {
      server.close(() => done());
      if ('closeIdleConnections' in server) server.closeIdleConnections();
    });
    await loop.stop();
    if (!(await idle())) log('warn', 'shutdown_cut', { count: background.size() });
    await Promise.all([upstream.close(), guarded.close(), sender.close()]);
    await database.close();
  };
  return { url: `http://${env.HOST.includes(':') ? `[${env.HOST}]` : env.HOST}:${port}`, gateway, config, secrets, database, log, tick, idle, leave, stop };
};

const readOrRefuse = <G extends { ok: true }, T>(result: G | { ok: false; mistakes: string[] }, of: (good: G) => T): T => {
  if (!result.ok) throw new StartRefused(result.mistakes.join('\n'));
  return of(result);
};

const readConfig = (env: Env, options: ServerOptions): GatewayConfig => {
  if (options.configText === undefined && !existsSync(env.CONFIG_FILE))
    throw new StartRefused(`${env.CONFIG_FILE}: there is no such file (CONFIG_FILE names it)`);
  const text = options.configText ?? readFileSync(env.CONFIG_FILE, 'utf8');
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

const openOrRefuse = async (env: Env, config: GatewayConfig, log: Log) => {
  try {
    return await openDatabase({ url: env.DATABASE_URL, dataDir: env.DATA_DIR, log, poolSize: env.DATABASE_POOL });
  } catch (error) {
    throw new StartRefused(`${config.mode === 'live' ? 'DATABASE_URL: ' : ''}${error instanceof Error ? error.message : 'the database could not be opened'}`);
  }
};

const remoteOf = (c: Context): string | undefined => (c.env as { incoming?: IncomingMessage } | undefined)?.incoming?.socket.remoteAddress;

/** Allows loopback, and whoever shows the token. */
const showMetrics = async (c: Context, secrets: Secrets, render: () => Promise<string>): Promise<Response> => {
  const token = /^Bearer (.+)$/.exec(c.req.header('authorization') ?? '')?.[1];
  const known = token !== undefined && secrets.metricsToken !== undefined && constantTimeEqual(token, secrets.metricsToken);
  const forwarded = c.req.header('x-forwarded-for') ?? c.req.header('forwarded');
  const local = forwarded === undefined && /^(?:::ffff:)?127\.|^::1$/.test(remoteOf(c) ?? '');
  if (!known && (!local || secrets.metricsToken !== undefined))
    return c.text(`metrics ${secrets.metricsToken === undefined ? 'are for loopback, or ' : ''}need METRICS_TOKEN\n`, 403);
  return c.text(await render(), 200, { 'content-type': 'text/plain; version=0.0.4' });
};

const listen = async (fetch: (request: Request) => Response | Promise<Response>, env: Env): Promise<ServerType> =>
  await new Promise((listening, failed) => {
    const server = serve(
      {
        fetch,
        port: env.PORT,
        hostname: env.HOST,
        serverOptions: { headersTimeout: 10_000, requestTimeout: 13_000, keepAliveTimeout: 5_000, connectionsCheckingInterval: 1_000, maxHeaderSize: 16_384 },
      },
      () => listening(server),
    );
    if ('maxConnections' in server) server.maxConnections = 10_000;
    server.once('error', (error: NodeJS.ErrnoException) =>
      failed(
        error.code === 'EADDRINUSE' ? new StartRefused(`port ${env.PORT} on ${env.HOST} is in use: stop the process that listens there, or set PORT`) : error,
      ),
    );
  });

/** Runs calls one after the other, however the earlier one ended. */
const oneAtATime = (work: () => Promise<void>): (() => Promise<void>) => {
  let last: Promise<void> = Promise.resolve();
  return async () => {
    last = last.then(work, work);
    await last;
  };
};

/** Logs a tick that fails. The next one tries again. */
const startLoop = ({ tick, prune, log, now }: { tick: () => Promise<void>; prune: () => Promise<void>; log: Log; now: () => number }) => {
  let stopped = false;
  let wake: () => void = () => undefined;
  let prunedOn = now();
  let pruning: Promise<void> | undefined;
  const loop = (async () => {
    while (!stopped) {
      await tick().catch((error: unknown) => log('error', 'tick_failed', { error: errorText(error) }));
      if (!pruning && Math.abs(now() - prunedOn) > pruneMs) {
        prunedOn = now();
        // Runs beside the ticks: after a busy day it takes a while, and orders must not wait for it.
        pruning = prune()
          .catch((error: unknown) => log('error', 'prune_failed', { error: errorText(error) }))
          .finally(() => (pruning = undefined));
      }
      await new Promise<void>((done) => {
        const timer = setTimeout(done, tickMs);
        wake = () => {
          clearTimeout(timer);
          done();
        };
      });
    }
  })();
  return {
    stop: async (): Promise<void> => {
      stopped = true;
      wake();
      await loop;
      await pruning;
    },
  };
};
