/**
 * Calls one real provider as the gateway would, up to its prices; orders nothing. If a step fails, tries the kind's dialects (settings for known
 * differences between providers), alone and in pairs, and keeps those that get furthest. Returns the deviations found and the settings to use.
 */
import type { ProviderConfig } from '../../src/config/providers-config.ts';
import { stepsOf, type Dialect, type Dialects, type Exchange, type Step } from '../../src/providers/kit/kind.dialects.ts';
import type { Http, HttpRequest, ProviderModule } from '../../src/providers/spec.ts';
import { faultText, lastAnswer, newWalk, toldAnswer, walkProvider, type Walk } from './walk-provider.ts';

export type Finding = { setting?: string; what: string };
export type Checked = {
  reached: Step;
  findings: Finding[];
  /** Why the gateway cannot use the provider yet. With a price and no blocker, the provider works. */
  blockers: string[];
  settings: Record<string, unknown>;
  steps: string[];
};

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
  /** 32 random bytes in hex. */
  newKey: () => string;
  /** How long the gateway waits for a price. */
  quoteMs: number;
  /** How long this check waits for any answer. Default 15 s. */
  stepMs?: number;
};

export const hasPrice = ({ reached }: Pick<Checked, 'reached'>): boolean => reached === 'price' || reached === 'both';
/** Returns whether the gateway can use the provider with these settings. */
export const isUsable = (checked: Checked): boolean => hasPrice(checked) && checked.blockers.length === 0;

const asSetting = (change: Dialect['change']): string =>
  Object.entries(change)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
const asRecord = (value: unknown): Record<string, unknown> => (typeof value === 'object' && value !== null ? { ...value } : {});
/** Returns a number that ranks walks: first by the step that the gateway would reach, then by the last step that the walk saw beyond it. */
const height = ({ reached, saw }: Walk): number => stepsOf.indexOf(reached) * stepsOf.length + stepsOf.indexOf(saw);

export const checkProvider = async (parts: CheckParts): Promise<Checked> => {
  let settings = asRecord(parts.config.settings);
  const findings: Finding[] = [];
  const keep = ({ change, what }: Dialect): void => {
    settings = { ...settings, ...change };
    findings.push({ setting: asSetting(change), what });
  };
  let best = await attempt(parts, settings, false);
  for (let found = await furthest(parts, settings, best); found; found = await furthest(parts, settings, best)) {
    best = found.walk;
    for (const dialect of found.by) keep(dialect);
  }
  // Some settings can be read from a provider's answers, but the walks so far asked for few prices. So the first round ends with a thorough walk,
  // which asks for many. If its answers show more settings, the second round repeats that walk, because a setting may change the requests.
  for (const round of ['searched', 'all']) {
    const learnt = parts.dialects?.learnt(best.exchanges, settings) ?? [];
    for (const dialect of learnt) keep(dialect);
    if (stepsOf.indexOf(best.saw) > stepsOf.indexOf('answered') && (round === 'searched' || learnt.length > 0)) best = await attempt(parts, settings, true);
  }
  const slow = slowPrices(best.exchanges, parts.quoteMs);
  for (const what of [...(parts.dialects?.remarks(best.exchanges) ?? []), ...best.findings, ...slow.map((one) => one.what)]) findings.push({ what });
  const blockers = [...best.blockers, ...(slow.some((one) => one.isAll) ? ['every price arrives too late for the gateway'] : [])];
  const stopped = best.stopped === undefined ? [] : [`stopped: ${best.stopped}`];
  return { reached: best.reached, findings, blockers, settings, steps: [...best.steps, ...stopped] };
};

/**
 * Returns the dialect whose walk gets furthest. Tries pairs of dialects only if no single one gets further than `best`. Returns undefined if no pair
 * does either. If several get equally far, the first in the list is taken.
 */
const furthest = async (parts: CheckParts, settings: Record<string, unknown>, best: Walk): Promise<{ by: Dialect[]; walk: Walk } | undefined> => {
  const all = parts.dialects?.known ?? [];
  const stuck = all.filter((one) => one.after === best.reached);
  // Either there is nothing left to find, or the server does not answer, and no setting changes that.
  if (best.reached === 'both' || best.exchanges.every((one) => one.status === 0)) return undefined;
  const later = all.filter((one) => stepsOf.indexOf(one.after) > stepsOf.indexOf(best.reached));
  const pairs = stuck.flatMap((one, at) => [...stuck.slice(at + 1), ...later].map((other) => [one, other]));
  for (const round of [stuck.map((one) => [one]), pairs]) {
    let found: { by: Dialect[]; walk: Walk } | undefined;
    for (const by of round) {
      const change = Object.assign({}, ...by.map((one) => one.change)) as Record<string, unknown>;
      if (Object.entries(change).every(([name, value]) => JSON.stringify(settings[name]) === JSON.stringify(value))) continue;
      const walk = await attempt(parts, { ...settings, ...change }, false);
      if (height(walk) > height(found?.walk ?? best)) found = { by, walk };
    }
    if (found) return found;
  }
  return undefined;
};

const defaultStepMs = 15_000;

const attempt = async (parts: CheckParts, settings: Record<string, unknown>, thorough: boolean): Promise<Walk> => {
  const walk = newWalk();
  const read = parts.module.settings.safeParse(settings);
  if (!read.success) return { ...walk, stopped: read.error.message };
  const adapter = parts.module.create(
    {
      providerId: parts.config.id,
      http: recording(parts.http, walk.exchanges, parts.now),
      now: parts.now,
      newId: parts.newId,
      log: (_level, event, fields) => void walk.steps.push(`log: ${event} ${JSON.stringify(fields ?? {})}`),
      network: parts.network,
      mode: parts.mode,
      secret: parts.secret,
    },
    read.data,
  );
  try {
    await walkProvider(adapter, walk, { now: parts.now, newKey: parts.newKey, stepMs: parts.stepMs ?? defaultStepMs, thorough });
  } catch (fault) {
    walk.stopped = `${faultText(fault)}; ${lastAnswer(walk)}`;
  }
  return walk;
};

/** Returns the origin and path of a redirect's target, without its query, which may hold a secret. */
const goalOf = (location: string | undefined, from: string): string | undefined => {
  if (location === undefined) return undefined;
  const goal = URL.parse(location, from);
  return goal === null ? 'nowhere' : `${goal.origin}${goal.pathname}`;
};

const recording =
  (http: Http, exchanges: Exchange[], now: () => number): Http =>
  async (request: HttpRequest) => {
    const began = now();
    const exchange: Exchange = {
      method: request.method,
      path: new URL(request.url).pathname,
      ...(request.body === undefined ? {} : { sent: request.body }),
      status: 0,
      text: '',
      ms: 0,
    };
    exchanges.push(exchange);
    try {
      const answer = await http(request);
      const type = answer.headers['content-type'];
      const location = goalOf(answer.headers['location'], request.url);
      Object.assign(
        exchange,
        { status: answer.status, text: new TextDecoder().decode(answer.body) },
        type === undefined ? {} : { type },
        location === undefined ? {} : { location },
      );
      return answer;
    } finally {
      exchange.ms = now() - began;
    }
  };

/** Returns a finding if prices arrive later than the gateway waits, because such prices are never offered. */
const slowPrices = (exchanges: readonly Exchange[], quoteMs: number): { what: string; isAll: boolean }[] => {
  const prices = exchanges.filter((one) => one.path.endsWith('/quote'));
  const slow = prices.filter((one) => one.ms > quoteMs);
  const slowest = slow.toSorted((a, b) => b.ms - a.ms)[0];
  if (slowest === undefined) return [];
  const isAll = slow.length === prices.length;
  return [{ what: `too slow: ${toldAnswer(slowest)} after ${slowest.ms} ms, and the gateway waits ${quoteMs} ms for a price`, isAll }];
};
