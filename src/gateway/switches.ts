/**
 * The operator's switches as this instance knows them. They are read again when they are older than two seconds, so every instance obeys within
 * seconds, at the cost of a small read now and then. If the database does not answer, the last known switches stay in force.
 */
import type { Switch, SwitchState } from '../ports/operator.ts';
import { Problem } from './problem.ts';
import type { Gateway } from '../ports/gateway.ts';
import type { Provider } from '../ports/providers.ts';
import { isRecent } from '../domain/is-recent.ts';

/**
 * The modes of a provider. In every mode, its existing orders are followed.
 * - `on`: it is asked for prices, and its offers are shown.
 * - `shadow`: it is asked and its offers are recorded, but not shown. Quotes given earlier can still be ordered.
 * - `drain`: it is not asked, but quotes given earlier can still be ordered.
 * - `off`: it is not asked, and none of its quotes can be ordered, whether the operator's switch or the configuration says so.
 */
export const providerModes = ['on', 'shadow', 'drain', 'off'] as const;
export type ProviderMode = (typeof providerModes)[number];
export const providerSwitch = (providerId: string): string => `provider/${providerId}`;
/** The switches of the whole gateway. If one is set, its mode is `held`. */
export const ordersSwitch = 'orders';
export const deliveriesSwitch = 'deliveries';

export const noSwitches = (): SwitchState => ({ readOn: 0, byName: new Map() });

const freshMs = 2_000;

export const refreshSwitches = async (gateway: Gateway): Promise<void> => {
  const state = gateway.state.switches;
  const now = gateway.now();
  if (isRecent(state.readOn, now, freshMs)) return;
  const before = state.readOn;
  // Only one request at a time waits for this read. Before the first read has succeeded, every request waits.
  if (before > 0) state.readOn = now;
  try {
    const rows = await gateway.stores.operator.switches();
    state.byName = new Map(rows.map((row) => [row.name, row]));
    state.readOn = now;
  } catch (error) {
    state.readOn = before;
    if (before === 0) throw error;
    gateway.log('warn', 'switches_not_read', { error: error instanceof Error ? error.name : 'unknown' });
  }
};

/** Returns the mode of the switch that is in force, if there is one. */
export const switched = (state: SwitchState, name: string, now: number): string | undefined => {
  const found = state.byName.get(name);
  return found && isInForce(found, now) ? found.mode : undefined;
};

/** A switch that has ended stays stored until it is set again or removed. */
export const isInForce = ({ untilOn }: Pick<Switch, 'untilOn'>, now: number): boolean => untilOn === undefined || now < untilOn;

/** Returns a provider's mode for new offers: the operator's switch, or else the configured mode. */
export const modeOf = (state: SwitchState, providerId: string, configured: 'on' | 'shadow' | 'off', now: number): 'on' | 'shadow' | 'off' => {
  if (state.byName.size === 0) return configured;
  const said = switched(state, providerSwitch(providerId), now);
  return said === 'drain' || said === 'off' ? 'off' : said === 'on' || said === 'shadow' ? said : configured;
};

/**
 * Returns the mode that a provider really has. The switch may date from a time when the provider's settings, the environment or an older release
 * allowed more. Without its credentials, a provider is not asked. Offers that cannot be ordered are not shown.
 */
export const possibleMode = <M extends ProviderMode>(
  mode: M,
  { credentials, pricesOnly }: Pick<Provider, 'credentials' | 'pricesOnly'>,
): M | 'shadow' | 'off' => {
  if (credentials === 'missing' && (mode === 'on' || mode === 'shadow')) return 'off';
  return mode === 'on' && pricesOnly ? 'shadow' : mode;
};

/**
 * Returns whether no new order may be sent to this provider, because it is off or because all orders are held. Existing orders are still followed.
 */
export const ordersHeld = (gateway: Gateway, providerId: string): boolean => {
  const { switches } = gateway.state;
  const now = gateway.now();
  if (switched(switches, ordersSwitch, now) !== undefined) return true;
  const mode = switched(switches, providerSwitch(providerId), now) ?? gateway.providers.find(({ id }) => id === providerId)?.configuredMode;
  return mode === 'off';
};

/** Throws if no new order may be sent for this quote. With failover, the request can go on to another provider, unless all orders are held. */
export const refuseHeldOrders = (gateway: Gateway, providerId: string, failover: boolean): void => {
  if (failover ? switched(gateway.state.switches, ordersSwitch, gateway.now()) !== undefined : ordersHeld(gateway, providerId))
    throw new Problem('provider-unavailable', 'The operator has stopped new orders at this provider, or at all providers. Nothing was ordered.', {
      retryAfterMs: 30_000,
    });
};
