/** The gateway on Cloudflare Workers: the same app, with a database client per request, and background work under waitUntil and by Cron. */
import type { Context } from 'hono';
import postgres from 'postgres';
import configText from '../../providers.config.yaml';
import journal from '../../migrations/meta/_journal.json';
import { parseConfig, type GatewayConfig } from '../config/providers-config.ts';
import { checkMode, readSecrets, type Secrets } from '../config/secrets.ts';
import { Problem } from '../gateway/problem.ts';
import type { Gateway } from '../ports/gateway.ts';
import { pruneOld, runScheduled } from '../gateway/run-scheduled.ts';
import { createApp } from '../http/app.ts';
import { createLimiter, type Limiter } from '../http/limiter.ts';
import { problemResponse } from '../http/problem.ts';
import { createLog } from '../log/log.ts';
import { noMetrics, renderGauges } from './gauges.ts';
import { refuseMetrics, sendsMetricsToken } from './metrics-access.ts';
import { checkPublicUrl } from '../domain/url-guard.ts';
import { providerModules } from '../providers/registry.gen.ts';
import { composeInstance, httpSettings } from './compose.ts';
import { databaseGauges } from './database-gauges.ts';
import { createFetchHttp } from './http-fetch.ts';
import { migrationState } from './migration-state.ts';
import { createFetchSender } from './fetch-sender.ts';
import { createPages, unchanged, type Page } from './pages.ts';
import { createKeyCheck } from './seal-key.ts';

type RateLimit = { limit: (options: { key: string }) => Promise<{ success: boolean }> };
export type WorkerEnv = {
  HYPERDRIVE?: { connectionString: string };
  ASSETS?: { fetch: (request: Request) => Promise<Response> };
  RATE_LIMIT_VERIFY?: RateLimit;
  RATE_LIMIT_QUOTES?: RateLimit;
  RATE_LIMIT_ORDERS?: RateLimit;
  RATE_LIMIT_QUOTES_NETWORK?: RateLimit;
  RATE_LIMIT_ORDERS_NETWORK?: RateLimit;
  /** Sandbox only (live mode refuses it): the addresses at which the sandbox providers really listen, as JSON by provider id. */
  SANDBOX_URLS?: string;
} & { [name: string]: unknown };
type Ctx = { waitUntil: (work: Promise<unknown>) => void };

const tickBudget = { ms: 25_000, calls: 40 };
const now = (): number => Date.now();
const randomSecret = (bytes: number): string =>
  btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(bytes))))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

/** Builds what lives as long as the isolate, from the environment of the isolate's first request. None of it has timers or connections. */
const build = (env: WorkerEnv) => {
  const variables = Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  const source = { ...variables, ...(env.HYPERDRIVE ? { DATABASE_URL: env.HYPERDRIVE.connectionString } : {}) };
  const baseUrls = env.SANDBOX_URLS === undefined ? undefined : (JSON.parse(env.SANDBOX_URLS) as Record<string, string>);
  const parsed = parseConfig(configText, {
    fileName: 'providers.config.yaml',
    modules: providerModules,
    publicUrl: variables['PUBLIC_URL'],
    ...(baseUrls ? { baseUrls } : {}),
  });
  if (!parsed.ok) return { mistakes: parsed.mistakes };
  const { config } = parsed;
  const read = readSecrets(source, config);
  const mistakes = [...(env.HYPERDRIVE ? [] : ['the binding HYPERDRIVE is missing']), ...checkMode(config, source), ...(read.ok ? [] : read.mistakes)];
  if (mistakes.length > 0 || !read.ok) return { mistakes };
  const { secrets } = read;
  const instance = `worker-${randomSecret(4)}`;
  const rules = { sandbox: config.mode === 'sandbox', allowedPorts: config.webhooks.allowed_ports, ownHosts: [new URL(config.public_url).hostname] };
  const log = createLog({
    level: (variables['LOG_LEVEL'] as 'info' | undefined) ?? 'info',
    instance,
    // eslint-disable-next-line no-console -- on Workers the console is the log
    write: (line) => console.log(line),
    now,
    modules: providerModules,
  });
  const composed = composeInstance({
    config,
    secrets,
    modules: providerModules,
    http: createFetchHttp((url, init) => fetch(url, init)),
    sender: createFetchSender(
      (url, init) => fetch(url, init),
      (url) => checkPublicUrl(url, rules),
    ),
    log,
    metrics: noMetrics,
    now,
    random: () => Math.random(),
    uuid: () => crypto.randomUUID(),
    randomSecret,
    sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
    instance,
    outlivesRequest: false,
  });
  const lostKeyIn = createKeyCheck(secrets.seal, variables['SEAL_KEY_LOST'] === '1', log);
  const gatewayFor = (environment: WorkerEnv, ctx: Ctx): Gateway => {
    const client = postgres(environment.HYPERDRIVE?.connectionString ?? '', {
      max: 1,
      fetch_types: false,
      connection: { application_name: 'ramp-gateway' },
      onnotice: () => undefined,
      // The sandbox's embedded database serves one client at a time. So a request that waits for a provider closes its connection meanwhile.
      ...(config.mode === 'sandbox' ? { idle_timeout: 0.2 } : {}),
    });
    const migrated = async (): Promise<boolean> => {
      const { applied, expected } = await migrationState(client, journal);
      return applied >= expected;
    };
    // The runtime ends the client with its request.
    const background = (work: Promise<unknown>): void => ctx.waitUntil(work.catch(() => undefined));
    return composed.onDatabase(client, { grouped: false, migrated, background, lostKey: async () => await lostKeyIn(client) });
  };
  const pageOf = createPages(config);
  const app = createApp({
    platform: (c: Context) => ({ gateway: gatewayFor(c.env as WorkerEnv, c.executionCtx), ip: () => c.req.header('cf-connecting-ip') }),
    http: httpSettings(config, secrets),
    limiter: limiterOf(env),
    pages: async (request) => await pageFrom(env, pageOf(request), request),
    metrics: async (c) => await showMetrics(c, secrets, (c.env as WorkerEnv).HYPERDRIVE?.connectionString ?? ''),
  });
  return { app, config, gatewayFor, drain: composed.drain };
};

/**
 * Returns the limiter. If there is a Cloudflare binding for a limit, the limiter uses it: a binding counts per location, and only approximately.
 * Otherwise it counts within this isolate. A binding has one fixed limit, so requests that have another limit are counted in the isolate, too.
 */
const limiterOf = (env: WorkerEnv): Limiter => {
  const own = createLimiter(now);
  const bindings: { [counter: string]: RateLimit | undefined } = {
    'verify network': env.RATE_LIMIT_VERIFY,
    'quotes session': env.RATE_LIMIT_QUOTES,
    'orders session': env.RATE_LIMIT_ORDERS,
    'routes session': env.RATE_LIMIT_ORDERS,
    'account-steps session': env.RATE_LIMIT_ORDERS,
    'account-reads session': env.RATE_LIMIT_QUOTES,
    'quotes network': env.RATE_LIMIT_QUOTES_NETWORK,
    'account-reads network': env.RATE_LIMIT_QUOTES_NETWORK,
    'orders network': env.RATE_LIMIT_ORDERS_NETWORK,
    'routes network': env.RATE_LIMIT_ORDERS_NETWORK,
    'account-steps network': env.RATE_LIMIT_ORDERS_NETWORK,
  };
  return async (counter) => {
    const { name, scope, key, isUsual } = counter;
    const binding = isUsual ? bindings[`${name} ${scope}`] : undefined;
    return binding ? { allowed: (await binding.limit({ key: `${name} ${key}` })).success, resetSeconds: 60 } : await own(counter);
  };
};

const pageFrom = async (env: WorkerEnv, page: Page | undefined, request: Request): Promise<Response | undefined> => {
  if (!page || !env.ASSETS) return undefined;
  const known = request.headers.get('if-none-match');
  const asset = await env.ASSETS.fetch(new Request(`https://assets.local/${page.file}`, { headers: known === null ? {} : { 'if-none-match': known } }));
  if (asset.status !== 200 && asset.status !== 304) return undefined;
  const etag = asset.headers.get('etag') ?? '';
  if (asset.status === 304) return unchanged(page, etag);
  const headers = { ...page.headers, etag };
  if (!page.isPacked) return new Response(asset.body, { headers });
  // `manual`: the body is compressed already.
  return new Response(asset.body, { headers: { ...headers, 'content-encoding': 'gzip' }, encodeBody: 'manual' });
};

/** Shows only the gauges from the database, because the counters of a single isolate say little. */
const showMetrics = async (c: Context, secrets: Secrets, url: string): Promise<Response> => {
  if (!sendsMetricsToken(c, secrets)) return refuseMetrics(c, secrets, 'Metrics are not shown, because METRICS_TOKEN is not set.');
  const client = postgres(url, { max: 1, fetch_types: false });
  return c.text(renderGauges(await databaseGauges(client)));
};

type Built = ReturnType<typeof build>;
let built: Built | undefined;

/** Returns a 503. Except for /health/ready, it names the mistakes, but never the value of a variable. */
const misconfigured = (mistakes: string[], path: string): Response =>
  path === '/health/ready'
    ? Response.json(
        { status: 'not-ready', database: false, migrations: false, configuration: false },
        { status: 503, headers: { 'cache-control': 'no-store' } },
      )
    : problemResponse(new Problem('misconfigured', mistakes.join('; ')), `req_${randomSecret(12)}`, { 'cache-control': 'no-store' });

export default {
  fetch: async (request: Request, env: WorkerEnv, ctx: Ctx & { passThroughOnException: () => void; props: unknown }): Promise<Response> => {
    built ??= build(env);
    if ('mistakes' in built) return misconfigured(built.mistakes, new URL(request.url).pathname);
    return await built.app.fetch(request, env, ctx);
  },
  scheduled: async (event: { scheduledTime: number }, env: WorkerEnv, ctx: Ctx): Promise<void> => {
    built ??= build(env);
    if ('mistakes' in built) throw new Error(built.mistakes.join('; '));
    const gateway = built.gatewayFor(env, ctx);
    const { config }: { config: GatewayConfig } = built;
    await runScheduled(gateway, built.drain(gateway), tickBudget);
    if (Math.floor(event.scheduledTime / 60_000) % 10 === 0) await pruneOld(gateway, config.retention);
  },
};
