import { isMap, LineCounter, parseDocument } from 'yaml';
import * as z from 'zod';
import { readCountry } from '../domain/country.ts';
import { parseRange } from '../domain/ip-address.ts';
import { linkHost } from '../domain/links.ts';
import { mayReturnTo } from '../domain/return-address.ts';
import type { ProviderModule } from '../providers/spec.ts';
import { explain } from './explain.ts';
import { publicUrl } from './public-url.ts';
import { currencyCode, reference, resolveReferences, type References } from './reference-config.ts';
import { tickerKey } from './ticker-key.ts';

const seconds = (fallback: number) => z.int().min(1).default(fallback);
const ms = (fallback: number, min = 1) => z.int().min(min).default(fallback);
const count = (fallback: number) => z.int().min(1).default(fallback);
const bps = (fallback: number) => z.int().min(0).max(10_000).default(fallback);
const envName = z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'must be the name of an environment variable, in capitals');
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex (keys rotate prints it)');
const method = z.enum(['instant', 'card', 'bank_transfer']);
/** Returns whether a range is larger than every private network (10.0.0.0/8, fc00::/7). No network of proxies is as large as that. */
const isTooLarge = (text: string): boolean => {
  const range = parseRange(text);
  return range !== undefined && range.bits < (range.address.version === 4 ? 8 : 7);
};
const addresses = z
  .string()
  .refine((text) => parseRange(text) !== undefined, 'must be an IP address or a range like 10.0.0.0/8 or fd00::/8, not a host name or a dotted mask')
  .refine((text) => !isTooLarge(text), 'is too large: everybody in the range could claim any address, so the largest are /8 and, for IPv6, /7');
const hosts = z.array(z.string().regex(linkHost.form, linkHost.says));
const filled = <S extends z.ZodObject>(schema: S) => schema.prefault({} as never);

const app = z.strictObject({
  key_hashes: z
    .array(sha256)
    .default([])
    .describe('SHA-256 of each secret key of the app; several during a rotation. A secret key is for a backend, never for a browser'),
  publishable_keys: z
    .array(z.string().regex(/^[\w.~+/=-]{16,256}$/, 'must have 16 to 256 letters, digits or . ~ + / = _ -'))
    .default([])
    .describe(
      'Keys that may be used in a browser. A request with one is labelled with the app and has its limits, for each network separately; it gets no other rights',
    ),
  cors_origins: z.array(z.url()).default([]),
  return_to: z
    .array(z.url().refine((text) => !URL.canParse(text) || mayReturnTo(text), 'must be a web address or the address of an app'))
    .default([])
    .describe("Where /buy may send the customer back to, like https://wallet.example/bought or an app's mywallet://bought; any query may follow"),
  allow: z.array(z.enum(['pay_with_balance', 'customer_ip'])).default([]),
  quotes_per_minute: z.int().min(1).optional().describe('Replaces quotes_per_minute_app. With a publishable key, each network has this limit to itself'),
  orders_per_minute: z.int().min(1).optional().describe('Replaces orders_per_minute_app. With a publishable key, each network has this limit to itself'),
  in_flight: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Replaces in_flight_network for requests with a publishable key of the app. Default: a sixth of the quotes_per_minute of the app, at least 4; or in_flight_network if the app has no quotes_per_minute',
    ),
  webhook_secret_env: envName.optional(),
});

const defaultMethods = {
  'sepa instant': 'instant',
  'instant sepa': 'instant',
  sepa: 'bank_transfer',
  'bank transfer': 'bank_transfer',
  'credit card': 'card',
  'debit card': 'card',
  card: 'card',
  revolut: 'instant',
  twint: 'instant',
  'apple pay': 'card',
  'google pay': 'card',
  'card balance': 'card',
} as const;

const routing = z.strictObject({
  quote_deadline_ms: ms(2500, 300),
  verify_deadline_ms: ms(1000, 100),
  order_deadline_ms: ms(15_000, 500),
  status_deadline_ms: ms(8000, 300),
  late_grace_ms: z.int().min(0).default(2000),
  answer_early: z
    .strictObject({ after_ms: z.int().min(0), offers: z.int().min(1) })
    .optional()
    .describe('Answer once this time has passed and this many good offers are in. A slower provider might have made a better offer'),
  outlier_bps: bps(1000),
  tolerance_bps: bps(200),
  indicative_haircut_bps: bps(100).describe('How much lower an estimate ranks until its provider has a record; slippage_bps is used instead if it is larger'),
  route_version: z
    .literal([1, 2, 'auto'])
    .default('auto')
    .describe(
      'The version by which routes are written and ranked. auto: 2, or 1 while an instance of the previous release, which reads only 1, still makes quotes',
    ),
  learning: z
    .enum(['off', 'shown', 'ranked'])
    .default('ranked')
    .describe('How the record of what providers delivered is used. ranked: offers are ranked by it; shown: offers only show it; off: it is not used'),
  slippage_bps: bps(100),
  quote_ttl_s: seconds(300),
  accept_margin_s: seconds(120),
  expiry_margin_s: z.int().min(0).default(15),
  shortest_life_s: z.int().min(0).default(30).describe('A binding offer that expires sooner than this is excluded'),
  reference: reference
    .optional()
    .describe('The market price of a bitcoin, by currency. cost_bps is measured against it, and offers that are too far from it can be excluded'),
  arrival_seconds: filled(z.strictObject({ instant: seconds(60), card: seconds(300), bank_transfer: seconds(86_400) })),
  option_methods: z.record(z.string(), method).default(() => ({ ...defaultMethods })),
});

export const providerCore = z.object({
  kind: z.string().min(1).describe('The kind of provider: a folder of src/providers'),
  mode: z
    .enum(['on', 'shadow', 'off'])
    .default('on')
    .describe(
      'on: it makes offers and takes orders. shadow: it is asked and its offers are recorded, but never shown. off: it makes no offers and takes no orders, but the orders that it has are still followed',
    ),
  name: z.string().min(1).max(64).optional(),
  base_url: z.url(),
  sandbox: z.boolean().optional(),
  display: filled(
    z.strictObject({
      name: z.string().max(64).optional(),
      terms_url: z.url().optional(),
      support_url: z.url().optional(),
      kyc: z.enum(['none', 'light', 'full']).optional(),
      countries: z
        .array(
          z
            .string()
            .regex(/^[A-Z]{2}$/)
            .refine((code) => readCountry(code) !== undefined, 'must be a country code of ISO 3166')
            .overwrite((code) => readCountry(code) ?? code),
        )
        .default([]),
    }),
  ),
  preference_bps: z.int().min(-1000).max(1000).default(0).describe('Declared preference in basis points; offers and routes show it'),
  haircut_bps: z
    .int()
    .min(0)
    .max(5000)
    .optional()
    .describe('Fixes how much lower the estimates of the provider rank, whatever its record says; shown with every offer'),
  repost: z
    .enum(['same', 'rejects', 'duplicates', 'unknown'])
    .default('unknown')
    .describe('What a second POST of the same order does. State only what was tested'),
  late_commit_max_s: z.int().min(0).default(0),
  status_by_session: z.boolean().default(true),
  timeouts: filled(z.strictObject({ quote_ms: z.int().min(100).optional(), order_ms: z.int().min(100).optional(), status_ms: z.int().min(100).optional() })),
  breaker: filled(
    z.strictObject({
      volume_threshold: count(5),
      error_percent: z.int().min(1).max(99).default(50),
      window_s: seconds(30),
      reset_s: z.number().min(0.05).default(10),
      reset_max_s: seconds(300),
    }),
  ),
  retry: filled(z.strictObject({ attempts: z.int().min(0).max(2).default(1) })),
  concurrency: filled(z.strictObject({ in_flight: count(8), queue: z.int().min(0).default(16), queue_age_ms: ms(200) })),
  payment_hosts: hosts
    .optional()
    .describe('Where payment pages and other pages for customers may lead: these hosts and their subdomains. Default: the host of base_url'),
  payout_hosts: hosts
    .optional()
    .describe('Where links that pay out or redeem an order may lead: these hosts and their subdomains. Default: the host of base_url'),
  link_check: z.enum(['on', 'off']).default('on').describe('Whether the gateway reads the amount of a withdrawal link once before it hands the link out'),
  option_aliases: z.record(z.string(), z.string()).default(() => ({})),
  option_methods: z.record(z.string(), method).default(() => ({})),
  arrival_seconds: z.strictObject({ instant: z.int().optional(), card: z.int().optional(), bank_transfer: z.int().optional() }).optional(),
  opens_per_minute: z.int().min(1).optional(),
  quotes_per_node_per_day: count(3).describe('Liquidity: how many firm prices one node key may get per day. Each firm price is an order at the seller'),
  orders_per_day: count(200).describe('Liquidity: how many orders per day the gateway makes at this seller for firm prices'),
  max_in_flight_sats: z
    .int()
    .min(1)
    .optional()
    .describe(
      'How many sats may be in unfilled orders at this provider that are paid or can still be paid. Beyond that, the provider gets no new orders, and makes no offers. No limit unless set',
    ),
});
const shared = new Set(['base_url']);

/** The member that the settings of every provider have. The kind decides which other members they may have. */
const block = z.looseObject({ kind: z.string() });
type Block = z.output<typeof block>;

export const topLevel = z.strictObject({
  mode: z.enum(['sandbox', 'live']),
  network: z.enum(['main', 'test', 'signet', 'regtest']),
  public_url: publicUrl.default('http://127.0.0.1:8787').describe('The public address of this gateway; callback URLs are made from it'),
  trusted_proxies: z
    .array(addresses)
    .default([])
    .describe('Addresses, or ranges of addresses, of the proxies whose X-Forwarded-For or Forwarded header is trusted'),
  cors_origins: z.array(z.url()).default([]),
  currencies: z.array(currencyCode).optional().describe('The only currencies that are listed, even if providers offer others. Default: all'),
  traceparent: z.boolean().default(false),
  proof_of_ownership: z.enum(['never', 'offered', 'required']).default('offered'),
  proof_templates: z
    .array(
      z
        .string()
        .includes('TOKEN')
        .refine((text) => !/ramp-gateway:/i.test(text), 'must not contain ramp-gateway:, because the tokens of gateways begin with it'),
    )
    .default(['I confirm my bitcoin wallet. [TOKEN]']),
  pages: filled(
    z.strictObject({
      buy: z.boolean().optional().describe('Whether /buy, a page to buy on, is served. Default: in the sandbox, not in live mode'),
      frame_ancestors: z
        .array(z.url().refine((text) => /^https?:\/\/[^/;,\s'*]+\/?$/.test(text), 'must be an origin, like https://wallet.example, without wildcards'))
        .default([])
        .describe('Origins that may show /buy in a frame, and hear its events by postMessage'),
      console_host: z
        .string()
        .regex(/^[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d{1,5})?$/, 'must be a host name in lower case, like console.ramp.example')
        .optional()
        .describe("The host of the operator's console, which serves nothing else. Without it, live mode has no console"),
    }),
  ),
  operator: filled(z.strictObject({ token_hashes: z.array(sha256).default([]) })),
  apps: z.record(z.string(), app).default(() => ({})),
  routing: filled(routing),
  sessions: filled(
    z.strictObject({ ttl_s: seconds(86_400), verify_ttl_s: seconds(300), token_ttl_s: seconds(300), owner_days: count(90), opens_per_minute: count(600) }),
  ),
  orders: filled(z.strictObject({ max_open: count(5), follow_days: count(30) })),
  liquidity: filled(
    z.strictObject({
      balance_daily_sats: z.int().min(0).default(0).describe("How much of the operator's money pay_with: balance may spend per day; 0 turns it off"),
    }),
  ),
  webhooks: filled(
    z.strictObject({
      timeout_ms: ms(15_000),
      in_flight_per_host: count(4),
      allowed_ports: z.array(z.int().min(1).max(65_535)).default([443]),
      batch: count(50),
    }),
  ),
  limits: filled(
    z.strictObject({
      verify_per_minute: count(30).describe(
        'New sessions from one network: an IPv4 address or an IPv6 /64. In every limit per network, an IPv6 /48 has up to 16 times the budget',
      ),
      quotes_per_minute: count(60).describe(
        'Price requests of one session. Reads of accounts are counted separately, with the same limit. Reads of unpaid orders at their providers have twice the limit',
      ),
      quotes_per_minute_network: z.int().min(1).optional().describe('Default: 5 times quotes_per_minute'),
      quotes_per_minute_app: count(600),
      orders_per_minute: count(10).describe('New orders of one session. Routes, account steps and webhook tests are counted separately, with the same limit'),
      orders_per_minute_network: z.int().min(1).optional().describe('Default: 5 times orders_per_minute'),
      orders_per_minute_app: z.int().min(1).optional().describe('Default: 10 times orders_per_minute'),
      mails_per_hour_network: z
        .int()
        .min(1)
        .optional()
        .describe(
          'Calls from one network for which a provider may send the customer an e-mail or a text message: accounts started, and codes sent. Default: 2 times orders_per_minute',
        ),
      operator_guesses_per_minute: count(10).describe(
        'Wrong operator tokens from one network. Beyond that, wrong tokens from the network get 429 for the rest of the minute; a right token still works',
      ),
      forged_notices_per_minute: count(60).describe('How many forged notices from one network are logged; all of them are counted'),
      in_flight: count(512).describe('How many requests may be in progress at a time. Price requests may use two thirds of them'),
      in_flight_network: z
        .int()
        .min(1)
        .optional()
        .describe('Requests in progress from one network. Default: a sixth of quotes_per_minute_network (the requests for prices of ten seconds), at least 4'),
      body_bytes: count(16_384),
    }),
  ),
  catalogue: filled(z.strictObject({ fresh_s: seconds(60), stale_s: seconds(600) })),
  retention: filled(
    z.strictObject({
      quotes_days: count(7),
      sessions_days: count(2),
      people_days: count(180),
      notices_days: count(30),
      deliveries_days: count(30),
      idempotency_hours: count(24),
      operator_log_days: count(365),
      fills_days: count(730).describe('How long the figures of what was delivered for each order are kept. The sums that rank offers fade by themselves'),
      figures_days: count(730).describe('How long the hourly figures that the console shows are kept'),
    }),
  ),
  providers: z
    .record(z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be a short lower-case name'), block)
    // `tokens.gateway` is the gateway's own token: a provider of that name would get the signature over it.
    .refine((all) => !Object.hasOwn(all, 'gateway'), { path: ['gateway'], message: 'this name is the gateway itself: call the provider something else' }),
});

type Top = z.output<typeof topLevel>;
export type ProviderConfig = Omit<z.output<typeof providerCore>, 'name' | 'sandbox'> & { id: string; name: string; sandbox: boolean; settings: unknown };
export type GatewayConfig = Omit<Top, 'providers' | 'routing'> & {
  routing: Omit<Top['routing'], 'reference'> & { reference?: References | undefined };
  providers: ProviderConfig[];
};
export type Parsed = { ok: true; config: GatewayConfig } | { ok: false; mistakes: string[] };
export type ParseOptions = {
  fileName: string;
  modules: ReadonlyMap<string, ProviderModule>;
  /** The address at which each sandbox provider really listens, by provider id. Replaces base_url. */ baseUrls?: Record<string, string>;
  /** PUBLIC_URL as it is in the environment. Replaces public_url. */
  publicUrl?: string | undefined;
};

/** Reads the whole file, or returns the mistakes in it. Most say the line, the path, what was found and what is allowed. */
export const parseConfig = (text: string, options: ParseOptions): Parsed => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const syntax = document.errors.map((error) => `${options.fileName}:${lines.linePos(error.pos[0]).line}: ${error.message.split('\n')[0]}`);
  if (syntax.length > 0) return { ok: false, mistakes: syntax };
  const place = { document, lines, fileName: options.fileName };
  const empty = document.contents === null || document.toJS() === null;
  if (empty) return { ok: false, mistakes: [`${options.fileName}: the file is empty: it needs mode, network and providers`] };
  if (!isMap(document.contents)) return { ok: false, mistakes: [`${options.fileName}: the file holds no settings: it needs mode, network and providers`] };
  const given: unknown = document.toJS();
  const top = topLevel.safeParse(given);
  // The providers are checked even if another setting is wrong, so that one reading finds more of the mistakes.
  const mistakes = (top.error?.issues ?? []).flatMap((issue) => explain(place, [], issue, topLevel));
  const blocks = top.success ? top.data.providers : blocksIn(given);
  const providers = Object.entries(blocks).flatMap(([id, block]): ProviderConfig[] => {
    const module = options.modules.get(block.kind);
    if (!module) {
      const message = `allowed: ${[...options.modules.keys()].join(', ')}`;
      mistakes.push(...explain(place, ['providers', id], { code: 'custom', path: ['kind'], message, input: block.kind }, topLevel));
      return [];
    }
    const settings: Record<string, unknown> = { ...block, ...(options.baseUrls?.[id] === undefined ? {} : { base_url: options.baseUrls[id] }) };
    const ours = providerCore.safeParse(settings);
    const theirs = module.settings.safeParse(
      Object.fromEntries(Object.entries(settings).filter(([name]) => !(name in providerCore.shape) || shared.has(name))),
    );
    for (const issue of [...(ours.error?.issues ?? []), ...(theirs.error?.issues ?? [])])
      mistakes.push(...explain(place, ['providers', id], issue, { shape: { ...providerCore.shape, ...shapeOf(module.settings) } }));
    if (ours.data?.mode === 'on' && theirs.success && module.pricesOnly?.(theirs.data) === true)
      mistakes.push(...explain(place, ['providers', id], { code: 'custom', path: ['mode'], message: onlyPrices, input: block['mode'] }, topLevel));
    if (!top.success || !ours.success || !theirs.success) return [];
    return [
      {
        ...ours.data,
        id,
        name: ours.data.name ?? ours.data.display.name ?? id,
        sandbox: ours.data.sandbox ?? top.data.mode === 'sandbox',
        settings: theirs.data,
      },
    ];
  });
  const replaced = publicUrl.optional().safeParse(options.publicUrl?.trim() || undefined);
  // The value is not shown, because it may contain a password.
  for (const { message } of replaced.error?.issues ?? []) mistakes.push({ line: 0, text: `environment: PUBLIC_URL ${message}` });
  if (!top.success || mistakes.length > 0) return { ok: false, mistakes: [...new Set(mistakes.toSorted((a, b) => a.line - b.line).map(({ text }) => text))] };
  const routing = { ...top.data.routing, reference: resolveReferences(top.data.routing.reference, options.baseUrls?.[tickerKey]) };
  return { ok: true, config: { ...top.data, routing, public_url: (replaced.data ?? top.data.public_url).replace(/\/$/, ''), providers } };
};

const onlyPrices = 'allowed: shadow, off; with these settings the provider gives prices, but takes no orders, so it is not offered';

/** Returns the providers' settings that can be read although the file has mistakes elsewhere. */
const blocksIn = (given: unknown): Record<string, Block> => {
  const { data } = z.looseObject({ providers: z.record(z.string(), z.unknown()) }).safeParse(given);
  return Object.fromEntries(Object.entries(data?.providers ?? {}).flatMap(([id, one]) => (block.safeParse(one).success ? [[id, one as Block]] : [])));
};

const shapeOf = (schema: z.ZodType): Record<string, unknown> => (schema instanceof z.ZodObject ? schema.shape : {});
