/** What the console's first page shows: what needs a person, how the providers are doing, and which instances are running. */
import type { Gateway } from '../../ports/gateway.ts';
import type { CallFigures, Instance, MissingFigure } from '../../ports/figures.ts';
import type { Switch } from '../../ports/operator.ts';
import type { Provider } from '../../ports/providers.ts';
import { showHealth } from '../catalogue/report-providers.ts';
import { sharedAnswer } from '../shared-answer.ts';
import { deliveriesSwitch, isInForce, ordersSwitch, possibleMode, providerModes, providerSwitch, type ProviderMode } from '../switches.ts';
import { waitingOf } from './actions.ts';
import { logAction, type Operator } from './log-action.ts';
import { showSwitch, versionOf } from './switch-provider.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
/** An instance that has not been seen for this long has stopped, or cannot reach the database. */
const seenWithinMs = 2 * minute;
/**
 * Calls to providers are counted from many rows, so all operators who ask the same instance share one count for this long. The lists of what needs a
 * person are read for each request.
 */
const figuresMs = 5_000;
const time = (ms: number): string => new Date(ms).toISOString();

export const readOverview = async (gateway: Gateway, operator: Operator) => {
  await logAction(gateway, operator, 'overview.read', 'all');
  const { stores, state, settings } = gateway;
  const now = gateway.now();
  const lists = await waitingOf(gateway);
  const switches = await stores.operator.switches();
  const inForce = switches.filter((one) => isInForce(one, now));
  const held = (name: string) => inForce.filter((one) => one.name === name).map(showSwitch)[0];
  const instances = await stores.figures.instances(seenWithinMs);
  const figures = await sharedAnswer(gateway, 'overview figures', async () => await figuresOf(gateway), figuresMs);
  const { missing, countedOn } = await stores.figures.progress(now - day, now);
  const [orders, deliveries] = [held(ordersSwitch), held(deliveriesSwitch)];
  const counts = Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, list.length])) as { [name in keyof typeof lists]: number };
  return {
    answered_on: time(now),
    instance: state.instance,
    version: state.version,
    mode: settings.mode,
    network: settings.network,
    holds: { ...(orders ? { orders } : {}), ...(deliveries ? { deliveries } : {}) },
    waiting: { ...counts, switches: inForce.length, more: Object.values(lists).some((list) => list.length >= 100) },
    providers: gateway.providers.map((provider) => {
      const set = switches.find(({ name }) => name === providerSwitch(provider.id));
      return showProvider(provider, { set, isInForce: set !== undefined && inForce.includes(set), figures, instances, gateway });
    }),
    instances: instances.map((one) => showInstance(one, state.instance)),
    ...(countedOn === undefined ? {} : { figures_on: time(countedOn) }),
    hours_to_count: missing,
  };
};

type Figures = { recent: Map<string, CallFigures>; daily: Map<string, CallFigures>; missing: MissingFigure[]; open: Map<string, number> };
/**
 * The most decisions to read for one answer. They take about 0.2 s of PostgreSQL's time. Because of the pauses, that is about a tenth of the time
 * that the answer takes.
 */
const mostDecisions = 2_000;
const pauseShare = 9;
const longestPauseMs = 500;
const figuresOf = async ({ stores, state, now, sleep }: Gateway): Promise<Figures> => {
  state.recentCalls.askedOn = now();
  return {
    recent: byProvider(
      await stores.figures.recentCalls(now() - 15 * minute, {
        known: state.recentCalls,
        most: mostDecisions,
        pause: async (tookMs) => await sleep(Math.min(longestPauseMs, pauseShare * tookMs)),
        now,
      }),
    ),
    daily: byProvider(await stores.figures.callsByHour(now() - day)),
    missing: await stores.figures.missing(now() - day),
    open: new Map((await stores.figures.openOrders()).map(({ providerId, n }) => [providerId, n])),
  };
};

type About = { set: Switch | undefined; isInForce: boolean; figures: Figures; instances: Instance[]; gateway: Gateway };

const byProvider = (rows: CallFigures[]): Map<string, CallFigures> => new Map(rows.map((row) => [row.providerId, row]));

const isMode = (text: string): text is ProviderMode => providerModes.some((one) => one === text);

const showProvider = (provider: Provider, { set, isInForce, figures, instances, gateway }: About) => {
  const { id, core, guard } = provider;
  const health = guard.health();
  const { circuits, ...last } = showHealth(provider);
  return {
    provider: id,
    name: provider.name,
    ramps: [...provider.ramps],
    sandbox: core.sandbox,
    mode: set && isInForce && isMode(set.mode) ? possibleMode(set.mode, provider) : core.mode,
    configured_mode: provider.configuredMode,
    ...(set ? { switch: showSwitch(set) } : {}),
    switch_version: versionOf(set),
    credentials: health.credentialsRefused ? ('refused' as const) : provider.credentials,
    ...(health.refusedSince === undefined ? {} : { credentials_refused_on: time(health.refusedSince) }),
    open_circuits: [
      ...health.opened.map(({ operation, on, fault }) => ({
        instance: gateway.state.instance,
        operation,
        state: circuits[operation],
        since: time(on),
        reason: fault,
      })),
      ...instances
        .filter(({ name }) => name !== gateway.state.instance)
        .flatMap(({ name, circuits: opened }) =>
          opened
            .filter((one) => one.provider === id)
            .map(({ operation, on, fault }) => ({ instance: name, operation, state: 'open' as const, since: time(on), reason: fault })),
        ),
    ],
    ...last,
    last_15_minutes: showCalls(figures.recent.get(id)),
    last_24_hours: showCalls(figures.daily.get(id)),
    missing_24_hours: figures.missing.filter(({ providerId }) => providerId === id).map(({ what, reason, n }) => ({ kind: what, reason, count: n })),
    open_orders: figures.open.get(id) ?? 0,
  };
};

const showCalls = ({ answered = 0, failed = 0, p95Ms }: Partial<CallFigures> = {}) => ({
  answered,
  failed,
  answered_ppm: answered + failed === 0 ? null : Math.round((answered * 1_000_000) / (answered + failed)),
  p95_ms: p95Ms ?? null,
});

const showInstance = ({ name, version, startedOn, seenOn, clock }: Instance, own: string) => ({
  instance: name,
  version,
  started_on: time(startedOn),
  seen_on: time(seenOn),
  clock_ahead_ms: clock - seenOn,
  answers: name === own,
});
