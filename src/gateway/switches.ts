/**
 * The operator's switches, as this instance knows them. Read again when older than `freshMs`, so that every instance obeys within seconds, and a
 * request makes one small read now and then. If the database does not answer, the last known switches stay in force.
 */
import type { SwitchState } from '../ports/operator.ts';
import { Problem } from './problem.ts';
import type { Gateway } from '../ports/gateway.ts';

/** Of a provider. `drain`: no new offers, but its quotes can still be ordered. `off`: nothing new at all. Its orders are always followed. */
export const providerModes = ['on', 'shadow', 'drain', 'off'] as const;
export type ProviderMode = (typeof providerModes)[number];
export const providerSwitch = (providerId: string): string => `provider/${providerId}`;
/** Of the whole gateway, both with the mode `held`. */
export const ordersSwitch = 'orders';
export const deliveriesSwitch = 'deliveries';

export const noSwitches = (): SwitchState => ({ readOn: 0, byName: new Map() });

const freshMs = 2_000;

export const refreshSwitches = async (gateway: Gateway): Promise<void> => {
  const state = gateway.state.switches;
  const now = gateway.now();
  if (now - state.readOn < freshMs) return;
  const before = state.readOn;
  // Only one request at a time waits for the read. Before the first answer, every request waits.
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

/** The mode of the switch in force, if any. */
export const switched = (state: SwitchState, name: string, now: number): string | undefined => {
  const found = state.byName.get(name);
  return found && (found.untilOn === undefined || now < found.untilOn) ? found.mode : undefined;
};

/** A provider's mode for new offers: what the operator said, else what the configuration says. */
export const modeOf = (state: SwitchState, providerId: string, configured: 'on' | 'shadow' | 'off', now: number): 'on' | 'shadow' | 'off' => {
  if (state.byName.size === 0) return configured;
  const said = switched(state, providerSwitch(providerId), now);
  return said === 'drain' || said === 'off' ? 'off' : said === 'on' || said === 'shadow' ? said : configured;
};

/** Sends nothing new to a provider that is off, or to anybody while orders are held. Existing orders are still followed. */
export const ordersHeld = (gateway: Gateway, providerId: string): boolean => {
  const { switches } = gateway.state;
  const now = gateway.now();
  return switched(switches, ordersSwitch, now) !== undefined || switched(switches, providerSwitch(providerId), now) === 'off';
};

export const refuseHeldOrders = (gateway: Gateway, providerId: string): void => {
  if (ordersHeld(gateway, providerId))
    throw new Problem('provider-unavailable', 'The operator has paused new orders. Nothing was ordered.', { retryAfterMs: 30_000 });
};
