import type { Gateway } from '../../ports/gateway.ts';
import type { Switch } from '../../ports/operator.ts';
import { Problem } from '../problem.ts';
import { providerSwitch, type ProviderMode } from '../switches.ts';
import { logAction, type Operator } from './log-action.ts';

const time = (ms: number): string => new Date(ms).toISOString();

const unset = 'none';
export const versionOf = (found: Pick<Switch, 'setOn'> | undefined): string => (found ? found.setOn.toString(36) : unset);
export const showSwitch = (found: Switch) => ({
  name: found.name,
  mode: found.mode,
  reason: found.reason,
  set_on: time(found.setOn),
  set_by: found.setBy,
  ...(found.untilOn === undefined ? {} : { until: time(found.untilOn) }),
});

type Change = { mode: ProviderMode | 'configured'; reason: string; until?: string | undefined };

/**
 * Stores a provider's switch, which every instance obeys within seconds. The mode `configured` returns the provider to its configured mode.
 * `expected`: the version that the operator saw. If another operator has changed the switch since, throws `switch-changed`, which says what they did.
 * Without `expected`, the change applies whatever the switch is now.
 */
export const switchProvider = async (gateway: Gateway, operator: Operator, providerId: string, change: Change, expected?: string) => {
  const provider = gateway.providers.find((one) => one.id === providerId);
  if (!provider) throw new Problem('not-found', 'There is no such provider in the configuration.');
  if (change.mode === 'on' && provider.pricesOnly)
    throw invalid('/mode', 'cannot be on: with its settings this provider gives prices, but takes no orders. Use shadow');
  if ((change.mode === 'on' || change.mode === 'shadow') && provider.credentials === 'missing')
    throw invalid('/mode', `cannot be ${change.mode}: a variable that holds the provider's credentials is not set. Set it and restart the gateway`);
  const now = gateway.now();
  const until = change.until === undefined ? undefined : Date.parse(change.until);
  if (until !== undefined && until <= now) throw invalid('/until', 'lies in the past');
  const name = providerSwitch(providerId);
  const seen = seenOf(expected);
  const detail = { mode: change.mode, reason: change.reason, ...(until === undefined ? {} : { until: time(until) }) };
  await logAction(gateway, operator, 'provider.switch', providerId, detail);
  // The new version is later than the one that the operator saw, whatever the instances' clocks say.
  const setOn = Math.max(now, (seen ?? 0) + 1);
  const { operator: store } = gateway.stores;
  const { mode, reason } = change;
  const isDone =
    mode === 'configured'
      ? (await store.clearSwitch(name, seen)) || seen === undefined
      : await store.setSwitch({ name, mode, reason, setOn, setBy: operator.actor, ...(until === undefined ? {} : { untilOn: until }) }, seen);
  gateway.state.switches.readOn = 0;
  if (!isDone) throw await changedBy(gateway, name);
  return { provider: providerId, ...detail, set_on: time(setOn), version: mode === 'configured' ? unset : setOn.toString(36) };
};

/**
 * Returns when the switch, as the operator saw it, was set, or `null` if they saw none. A string that is not a version becomes 0, which matches no
 * switch.
 */
const seenOf = (expected: string | undefined): number | null | undefined => {
  if (expected === undefined) return undefined;
  if (expected === unset) return null;
  return /^[0-9a-z]{1,9}$/.test(expected) ? Number.parseInt(expected, 36) : 0;
};

const invalid = (pointer: string, detail: string): Problem => new Problem('invalid-request', `${pointer}: ${detail}`, { errors: [{ pointer, detail }] });

/** Returns the problem that tells the second of two operators what the first did. */
const changedBy = async ({ stores }: Gateway, name: string): Promise<Problem> => {
  const found = (await stores.operator.switches()).find((one) => one.name === name);
  if (!found) return new Problem('switch-changed', 'The provider has no switch now: it is in its configured mode.', { members: { switch_version: unset } });
  const { mode, reason, set_by: by, set_on: on, until } = showSwitch(found);
  const lasting = until === undefined ? '' : `, until ${until}`;
  return new Problem('switch-changed', `${by} set the provider to ${mode} at ${on}${lasting}: ${reason}`, {
    members: { switch_version: versionOf(found), switch: { ...showSwitch(found) } },
  });
};
