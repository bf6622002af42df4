/**
 * Tries one real provider up to a price, and orders nothing. If a step fails, tries the dialects of its kind one at a time, and keeps those that get
 * further. Returns what it learnt as deviations and as the settings to use.
 */
import type { ProviderConfig } from '../../src/config/providers-config.ts';
import type { Dialect, Dialects, Exchange } from '../../src/providers/kit/kind.dialects.ts';
import type { CatalogueOption, Http, HttpRequest, ProviderAdapter, ProviderModule } from '../../src/providers/spec.ts';

export type Finding = { setting?: string; what: string };
export type Checked = { reached: Step; findings: Finding[]; settings: Record<string, unknown>; steps: string[] };
const order = ['nothing', 'session', 'listing', 'quote'] as const;
export type Step = (typeof order)[number];

export type CheckParts = {
  module: ProviderModule;
  /** How providers of this kind differ from one another, if the kind says so. */
  dialects: Dialects | undefined;
  config: Pick<ProviderConfig, 'id' | 'base_url' | 'settings'>;
  network: 'main' | 'test' | 'signet' | 'regtest';
  mode: 'sandbox' | 'live';
  http: Http;
  secret: (name: string) => string | undefined;
  now: () => number;
  newId: () => string;
};
type Tried = { reached: Step; steps: string[]; exchanges: Exchange[]; failed?: string };

const asSetting = (change: Dialect['change']): string =>
  Object.entries(change)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');

export const checkProvider = async (parts: CheckParts): Promise<Checked> => {
  let settings = asRecord(parts.config.settings);
  let best = await attempt(parts, settings);
  const findings: Finding[] = [];
  const keep = ({ change, what }: Dialect): void => {
    settings = { ...settings, ...change };
    findings.push({ setting: asSetting(change), what });
  };
  for (let again = true; again && best.reached !== 'quote';) {
    again = false;
    for (const dialect of parts.dialects?.known ?? []) {
      const tried = await attempt(parts, { ...settings, ...dialect.change });
      if (order.indexOf(tried.reached) <= order.indexOf(best.reached)) continue;
      best = tried;
      keep(dialect);
      again = true;
      break;
    }
  }
  for (const what of parts.dialects?.remarks(best.exchanges) ?? []) findings.push({ what });
  for (const dialect of parts.dialects?.learnt(best.exchanges, settings) ?? []) keep(dialect);
  return { reached: best.reached, findings, settings, steps: [...best.steps, ...(best.failed === undefined ? [] : [`stopped: ${best.failed}`])] };
};

const asRecord = (value: unknown): Record<string, unknown> => (typeof value === 'object' && value !== null ? { ...value } : {});
const stepMs = 15_000;

const attempt = async (parts: CheckParts, settings: Record<string, unknown>): Promise<Tried> => {
  const tried: Tried = { reached: 'nothing', steps: [], exchanges: [] };
  const read = parts.module.settings.safeParse(settings);
  if (!read.success) return { ...tried, failed: read.error.message };
  const adapter = parts.module.create(
    {
      providerId: parts.config.id,
      http: recording(parts.http, tried.exchanges),
      now: parts.now,
      newId: parts.newId,
      log: (_level, event, fields) => void tried.steps.push(`log: ${event} ${JSON.stringify(fields ?? {})}`),
      network: parts.network,
      mode: parts.mode,
      secret: parts.secret,
    },
    read.data,
  );
  try {
    await walk(adapter, tried);
  } catch (fault) {
    tried.failed = fault instanceof Error ? `${'kind' in fault ? `${String(fault.kind)}: ` : ''}${fault.message}` : 'unknown';
  }
  return tried;
};

const recording =
  (http: Http, exchanges: Exchange[]): Http =>
  async (request: HttpRequest) => {
    const answer = await http(request);
    exchanges.push({ path: new URL(request.url).pathname, status: answer.status, text: new TextDecoder().decode(answer.body) });
    return answer;
  };

const walk = async (adapter: ProviderAdapter, tried: Tried): Promise<void> => {
  const call = (customer?: string) => ({ signal: AbortSignal.timeout(stepMs), requestId: 'provider-check', ...(customer === undefined ? {} : { customer }) });
  const done = (step: Step, what: string): void => {
    tried.reached = step;
    tried.steps.push(`${step}: ${what}`);
  };
  const refuse = (what: string): void => void (tried.failed = what);
  if (adapter.buy) {
    const { buy } = adapter;
    const begun = await buy.beginSession(call());
    if (!begun.ok) return refuse(`GET /verify: ${begun.refusal.reason}${begun.refusal.note === undefined ? '' : ` (${begun.refusal.note})`}`);
    const opened = await buy.openSession(call(begun.customer ?? ''));
    if (!opened.ok) return refuse(`the session: ${opened.refusal.reason}`);
    const customer = opened.customer ?? begun.customer ?? '';
    done('session', `opened, until ${new Date(opened.value.expiresOn).toISOString()}`);
    const listing = await buy.catalogue(call(customer));
    if (!listing.ok || listing.value.options.length === 0) return refuse(`the listing: ${listing.ok ? 'it is empty' : listing.refusal.reason}`);
    done('listing', listing.value.options.map((option) => `${option.currency} ${option.name}`).join(', '));
    const [option] = listing.value.options;
    if (!option) return;
    if (begun.value.token !== undefined) return done('quote', 'not asked for: prices need a proof by the customer');
    const quote = await buy.quote(call(customer), { ramp: 'buy', fixed: 'pay', amount: amountFor(option), option });
    if (!quote.ok) return refuse(`the price: ${quote.refusal.reason}`);
    return done(
      'quote',
      `${option.currency} ${String(quote.value.pay)} buys ${String(quote.value.receive)} sats, fee ${String(quote.value.fee)}, ${quote.value.binding ? 'binding' : 'an estimate'}`,
    );
  }
  if (adapter.sell) {
    const listing = await adapter.sell.catalogue(call());
    const option = listing.ok ? listing.value.options[0] : undefined;
    if (!option) return refuse('the listing is empty or was refused');
    done('listing', option.name);
    const quote = await adapter.sell.quote(call(), { ramp: 'sell', fixed: 'pay', amount: 100_000n, option, network: 'lightning' });
    if (!quote.ok && quote.refusal.reason !== 'account-required') return refuse(`the price: ${quote.refusal.reason}`);
    return done('quote', quote.ok ? `100000 sats bring ${option.currency} ${String(quote.value.receive)}` : 'prices need an account of the customer');
  }
  const listing = await adapter.liquidity?.catalogue(call());
  const product = listing?.ok ? listing.value[0] : undefined;
  if (!adapter.liquidity || !product) return refuse('the listing is empty or was refused');
  done('listing', listing?.ok ? listing.value.map((one) => `${one.product} ${String(one.minSats)}–${String(one.maxSats)} sats`).join(', ') : '');
  const quote = await adapter.liquidity.quote(call(), {
    ramp: 'liquidity',
    product: product.product,
    amountSats: product.minSats,
    payWith: product.payWith[0] ?? 'lightning',
    announce: false,
    firm: false,
  });
  if (!quote.ok) return refuse(`the price: ${quote.refusal.reason}`);
  done('quote', `${String(product.minSats)} sats cost ${String(quote.value.pay)}`);
};

/** 100.00, or what its limits allow. */
const amountFor = ({ minFiat, maxFiat }: CatalogueOption): bigint => {
  const wanted = 10_000n;
  if (minFiat !== undefined && wanted < minFiat) return minFiat;
  return maxFiat !== undefined && wanted > maxFiat ? maxFiat : wanted;
};
