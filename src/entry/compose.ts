/** Makes a gateway from its parts. The entries pass in the parts for their runtime; tests may override some of them. */
import type { Sql } from 'postgres';
import type { GatewayConfig, ProviderConfig } from '../config/providers-config.ts';
import type { Secrets } from '../config/secrets.ts';
import type { Sender } from '../ports/deliveries.ts';
import type { Gateway, InstanceState } from '../ports/gateway.ts';
import type { Log } from '../ports/runtime.ts';
import type { Provider } from '../ports/providers.ts';
import { createFeedReader } from '../feeds/read-feed.ts';
import { noRecord } from '../gateway/pricing/record.ts';
import { noReference } from '../gateway/pricing/reference.ts';
import { modeOf, noSwitches, possibleMode } from '../gateway/switches.ts';
import type { HttpSettings } from '../http/call.ts';
import { readsPerQuote, type KnownApp, type Limits } from '../http/limiter.ts';
import type { Metrics } from '../ports/metric-list.ts';
import { drainDeliveries } from '../outbound/drain.ts';
import { createReceiptSigner } from '../outbound/receipt-signer.ts';
import { createReceivers } from '../outbound/receivers.ts';
import { createSigner } from '../outbound/sign.ts';
import { Cut } from '../domain/cut.ts';
import { checkPublicUrl } from '../domain/url-guard.ts';
import type { Http, HttpRequest, ProviderModule } from '../providers/spec.ts';
import { createGuard } from '../resilience/guard.ts';
import { createNoticeTokens, sha256Hex } from '../seal/hash.ts';
import { createSeal } from '../seal/seal.ts';
import { createStores, type StoreOptions } from '../store/stores.ts';
import { waitAtMost } from './wait-at-most.ts';

export const version = '0.1.0';
/** RFC 9110 10.1.5. Some firewalls refuse a call without a User-Agent. */
const userAgent = { 'user-agent': `ramp-gateway/${version}` };
type Headers = NonNullable<HttpRequest['headers']>;
const namedOnce = new WeakMap<Headers, Headers>();
/** Adds our User-Agent. Adapters freeze the headers that many calls share, so for those the copy with our User-Agent is made only once. */
const named = (headers: Headers = {}): Headers => {
  const known = namedOnce.get(headers);
  if (known) return known;
  const made = { ...userAgent, ...headers };
  if (Object.isFrozen(headers)) namedOnce.set(headers, made);
  return made;
};

export type Parts = {
  config: GatewayConfig;
  secrets: Secrets;
  modules: ReadonlyMap<string, ProviderModule>;
  http: Http;
  /** Calls public addresses only (in a sandbox also loopback). Absent if the runtime cannot reach any other address anyway. */
  guardedHttp?: Http;
  sender: Sender;
  log: Log;
  metrics: Metrics;
  now: () => number;
  random: () => number;
  uuid: () => string;
  /** SHA-256 of UTF-8 text in lower-case hex, if the runtime has a faster implementation than `sha256Hex`. */
  hash?: (text: string) => string;
  randomSecret: (bytes: number) => string;
  sleep: (ms: number) => Promise<void>;
  /** The lower bound of the timeout that is learnt from a provider's response times. Absent: the default. */
  leastTimeoutMs?: number;
  /** How many characters of opened secrets may stay in memory. Absent: the default. */
  mostSecretsKept?: number;
  instance: string;
  /** Whether work may continue after the response was sent. */
  outlivesRequest: boolean;
};

/**
 * Makes the parts that live as long as the instance: providers and their circuit breakers, keys, caches. None holds a database client or a request.
 */
export const composeInstance = (parts: Parts) => {
  const { config, secrets, now, random } = parts;
  const seal = createSeal(secrets.seal, parts.mostSecretsKept);
  const state: InstanceState = {
    instance: parts.instance,
    version,
    startedOn: now(),
    keysInRotation: [
      { purpose: 'SEAL_KEY', keys: secrets.seal.map(({ id }) => id) },
      { purpose: 'WEBHOOK_SIGNING_KEY', keys: secrets.signing.map(({ kid }) => kid) },
    ].filter(({ keys }) => keys.length > 1),
    seenOn: 0,
    figuresIdleOn: 0,
    recentCalls: { seconds: new Map() },
    listings: new Map(),
    numbers: undefined,
    openBudget: new Map(),
    pollSlots: new Map(),
    judged: new Map(),
    switches: noSwitches(),
    record: noRecord(),
    notRecorded: new Map(),
    reference: noReference(),
    lastPrices: new Map(),
  };
  const sender: Sender = (delivery) => parts.sender({ ...delivery, headers: { ...userAgent, ...delivery.headers } });
  const withName =
    (http: Http): Http =>
    ({ method, url, headers, body, signal, maxBytes }) => {
      if (signal instanceof Cut) signal.sent = true;
      return http({ method, url, headers: named(headers), body, signal, maxBytes });
    };
  const http = withName(parts.http);
  const readFeed = createFeedReader(http);
  const signer = createSigner(secrets.signing, secrets.appWebhooks);
  const receiptSigner = createReceiptSigner(secrets.signing);
  const providers = config.providers.map((provider) => composeProvider(parts, provider, http, state));
  const ownHosts = [new URL(config.public_url).hostname];
  const check = (url: string) => checkPublicUrl(url, { sandbox: config.mode === 'sandbox', allowedPorts: config.webhooks.allowed_ports, ownHosts });
  const notices = createNoticeTokens(secrets.notice);

  /** Makes a gateway on one database client: on Node the client of the process, on Workers that of the request. */
  const onDatabase = (client: Sql, options: StoreOptions & Pick<Gateway, 'background' | 'lostKey'>): Gateway => ({
    settings: config,
    providers,
    stores: createStores(client, options),
    seal,
    ...(options.lostKey ? { lostKey: options.lostKey } : {}),
    now,
    random,
    ids: { uuid: parts.uuid, secret: parts.randomSecret },
    hash: parts.hash ?? sha256Hex,
    log: parts.log,
    count: parts.metrics.count,
    observe: parts.metrics.observe,
    background: options.background,
    outlivesRequest: parts.outlivesRequest,
    sleep: parts.sleep,
    waitAtMost,
    notices,
    checkWebhookUrl: check,
    sender,
    guardedHttp: withName(parts.guardedHttp ?? parts.http),
    signer,
    receiptSigner,
    readFeed,
    state,
    flights: { refreshing: new Map(), opening: new Map(), reading: new Map(), answers: new Map(), working: new Map() },
  });

  const receivers = createReceivers(now);
  const drain = (gateway: Gateway) => async (limit: number) =>
    await drainDeliveries(
      {
        store: gateway.stores.deliveries,
        sender,
        signer: gateway.signer,
        seal: gateway.seal,
        now,
        random,
        owner: `${parts.instance}/${parts.randomSecret(6)}`,
        timeoutMs: config.webhooks.timeout_ms,
        perHost: config.webhooks.in_flight_per_host,
        count: parts.metrics.count,
        log: parts.log,
        receivers,
        behind: gateway,
      },
      limit,
    );
  return { onDatabase, drain, state, providers };
};

const composeProvider = (parts: Parts, configured: ProviderConfig, http: Http, state: InstanceState): Provider => {
  const { config, now, random } = parts;
  const module = parts.modules.get(configured.kind);
  if (!module) throw new Error(`no module for the kind "${configured.kind}"`);
  const pricesOnly = module.pricesOnly?.(configured.settings) ?? false;
  const credentials = credentialsOf(configured, parts.secrets);
  const core = {
    ...configured,
    get mode() {
      return possibleMode(modeOf(state.switches, configured.id, configured.mode, now()), { credentials, pricesOnly });
    },
  };
  const { breaker, concurrency, timeouts } = core;
  const guard = createGuard(
    {
      breaker: {
        volumeThreshold: breaker.volume_threshold,
        errorPercent: breaker.error_percent,
        windowMs: breaker.window_s * 1000,
        resetMs: breaker.reset_s * 1000,
        resetMaxMs: breaker.reset_max_s * 1000,
      },
      // On Workers nothing may wait for another request, so there is no queue.
      bulkhead: { inFlight: parts.outlivesRequest ? concurrency.in_flight : Infinity, queue: concurrency.queue, queueAgeMs: concurrency.queue_age_ms },
      retryAttempts: core.retry.attempts,
      lateGraceMs: parts.outlivesRequest ? config.routing.late_grace_ms : 0,
      ...(parts.leastTimeoutMs === undefined ? {} : { leastTimeoutMs: parts.leastTimeoutMs }),
      timeoutMs: {
        ...(timeouts.quote_ms === undefined ? {} : { quote: timeouts.quote_ms }),
        ...(timeouts.order_ms === undefined ? {} : { order: timeouts.order_ms, claim: timeouts.order_ms }),
        ...(timeouts.status_ms === undefined ? {} : { status: timeouts.status_ms, account: timeouts.status_ms }),
      },
      onCredentials: (state) => {
        if (state === 'refused') parts.metrics.count('provider_credentials_refused_total', { provider: core.id });
        parts.log(state === 'refused' ? 'error' : 'info', `provider_credentials_${state}`, { provider: core.id });
      },
    },
    { now, random },
  );
  const adapter = module.create(
    {
      providerId: core.id,
      http,
      now,
      newId: parts.uuid,
      log: (level, event, fields) => parts.log(level, event, { ...fields, provider: core.id }),
      network: config.network,
      mode: config.mode,
      secret: parts.secrets.provider,
      ...(core.payout_hosts === undefined ? {} : { payoutHosts: core.payout_hosts }),
    },
    core.settings,
  );
  const demandsProof = module.demandsProof?.(core.settings) ?? false;
  const { id, name, mode: configuredMode } = configured;
  return { id, name, ramps: module.ramps, core, configuredMode, credentials, demandsProof, pricesOnly, adapter, guard };
};

const credentialsOf = ({ settings }: ProviderConfig, { provider }: Secrets): Provider['credentials'] => {
  const named = Object.entries(settings ?? {}).flatMap(([name, value]) => (name.endsWith('_env') && typeof value === 'string' ? [value] : []));
  if (named.length === 0) return 'none';
  return named.every((variable) => provider(variable) !== undefined) ? 'set' : 'missing';
};

const quotesOfNetworkIn = (limits: GatewayConfig['limits']): number => limits.quotes_per_minute_network ?? limits.quotes_per_minute * 5;

/** Returns the limits. Those without a setting of their own are derived from other limits. */
const limitsOf = (limits: GatewayConfig['limits']): Limits => {
  const ofNetwork = limits.orders_per_minute_network ?? limits.orders_per_minute * 5;
  const ofApp = limits.orders_per_minute_app ?? limits.orders_per_minute * 10;
  const orders = { session: limits.orders_per_minute, network: ofNetwork, app: ofApp };
  return {
    verify: { network: limits.verify_per_minute, app: limits.quotes_per_minute_app },
    // A repeated POST /session costs nothing, because the same body gives the same session. So its limits are four times those of `verify`.
    sessions: { network: limits.verify_per_minute * 4, app: limits.quotes_per_minute_app * 4 },
    quotes: { session: limits.quotes_per_minute, network: quotesOfNetworkIn(limits), app: limits.quotes_per_minute_app },
    orders,
    // The first request for a route signs a receipt, which is kept for good, so routes are limited like orders.
    routes: orders,
    // As many as orders, but counted separately: signing up takes several steps, and people mistype.
    'account-steps': orders,
    // A read may need a call to the provider. A wallet that polls a connection may read as often as it may ask for prices.
    'account-reads': { session: limits.quotes_per_minute, network: quotesOfNetworkIn(limits), app: limits.quotes_per_minute_app },
    // Reading an order counts only if the order is unpaid and its provider has to be asked. Beyond the limit, a wallet gets the stored state.
    'order-reads': {
      session: limits.quotes_per_minute * readsPerQuote,
      network: quotesOfNetworkIn(limits) * readsPerQuote,
      app: limits.quotes_per_minute_app * readsPerQuote,
    },
    // A wallet repeats a claim with an unknown outcome every five seconds.
    withdrawals: { session: orders.session * 3, network: ofNetwork * 3, app: ofApp * 3 },
    'webhook-tests': orders,
    mails: { network: limits.mails_per_hour_network ?? limits.orders_per_minute * 2, app: ofApp * 10 },
    'operator-guesses': { network: limits.operator_guesses_per_minute },
    'forged-notices': { network: limits.forged_notices_per_minute },
  };
};

/**
 * Returns the app's limit on requests in progress, or else what its limit on quotes allows in ten seconds, but at least 4. Undefined if it has
 * neither.
 */
const inFlightOf = ({ in_flight, quotes_per_minute }: { in_flight?: number | undefined; quotes_per_minute?: number | undefined }): number | undefined =>
  in_flight ?? (quotes_per_minute === undefined ? undefined : Math.max(4, Math.ceil(quotes_per_minute / 6)));

/** Returns the apps by the SHA-256 of their keys. A key in both lists counts as public. */
const knownApps = (config: GatewayConfig): Map<string, KnownApp> => {
  const apps = Object.entries(config.apps).map(([id, app]) => ({
    app,
    known: { id, allow: app.allow, quotesPerMinute: app.quotes_per_minute, ordersPerMinute: app.orders_per_minute, inFlight: inFlightOf(app) },
  }));
  return new Map<string, KnownApp>([
    ...apps.flatMap(({ app, known }) => app.key_hashes.map((hash) => [hash, { ...known, isPublic: false }] as const)),
    ...apps.flatMap(({ app, known }) => app.publishable_keys.map((key) => [sha256Hex(key), { ...known, allow: [], isPublic: true }] as const)),
  ]);
};

/** Returns an origin as browsers write it. */
const originOf = (url: string): string => {
  const { origin } = new URL(url);
  return origin === 'null' ? url.replace(/\/+$/, '') : origin;
};

const corsOrigins = (config: GatewayConfig): HttpSettings['corsOrigins'] => {
  const apps = Object.values(config.apps);
  const origins = new Map<string, { mayShowKey: boolean }>();
  for (const url of config.cors_origins) origins.set(originOf(url), { mayShowKey: apps.some((app) => app.publishable_keys.length > 0) });
  for (const app of apps)
    for (const url of app.cors_origins)
      origins.set(originOf(url), { mayShowKey: app.publishable_keys.length > 0 || origins.get(originOf(url))?.mayShowKey === true });
  return origins;
};

export const httpSettings = (config: GatewayConfig, secrets: Secrets): HttpSettings => ({
  mode: config.mode,
  bodyBytes: config.limits.body_bytes,
  inFlight: config.limits.in_flight,
  inFlightOfNetwork: config.limits.in_flight_network ?? Math.max(4, Math.ceil(quotesOfNetworkIn(config.limits) / 6)),
  limits: limitsOf(config.limits),
  corsOrigins: corsOrigins(config),
  apps: knownApps(config),
  operatorTokenHashes: config.operator.token_hashes,
  consoleHost: config.pages.console_host,
  metricsToken: secrets.metricsToken,
});
