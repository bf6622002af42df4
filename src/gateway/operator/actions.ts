/** What an operator may do over HTTP. Every read and every action is recorded before it is carried out. */
import type { Stage } from '../../domain/order.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { FoundOrder } from '../../ports/operator.ts';
import { Problem } from '../problem.ts';
import { isInForce } from '../switches.ts';
import { showHealth } from '../catalogue/report-providers.ts';
import { uuidForm } from './find-orders.ts';
import { logAction, type Operator } from './log-action.ts';
import { lookUpOrder } from './look-up.ts';
import { longestDeliveryMs, showFound } from './search-orders.ts';
import { settle, type Settling } from './settle.ts';
import { showRecord } from './show-record.ts';
import { showSwitch } from './switch-provider.ts';
import { showDelivery, triesToList } from './webhooks.ts';

const most = 100;
const day = 86_400_000;
const time = (ms: number): string => new Date(ms).toISOString();

export const readOrder = async (gateway: Gateway, operator: Operator, id: string) => {
  // A string that is not an id finds no order, and may be anything that was pasted by mistake. So it is not logged.
  if (!uuidForm.test(id)) throw new Problem('order-not-found', 'There is no such order.');
  await logAction(gateway, operator, 'order.read', id.toLowerCase());
  const found = await lookUpOrder(gateway.stores.operator, gateway.hash, id.toLowerCase(), gateway.now());
  if (!found) throw new Problem('order-not-found', 'There is no such order.');
  return found;
};

const isIll = ({ circuits }: ReturnType<typeof showHealth>): boolean => Object.values(circuits).some((state) => state !== 'closed');

/** Reads what waits for a person: at most 100 orders, claims or webhooks of each kind. */
export const waitingOf = async (gateway: Gateway) => {
  const now = gateway.now();
  const paidBefore = now - longestDeliveryMs;
  const { review, late, unknown, twins, disputed, claims, dead, failing } = await gateway.stores.operator.attention(most, paidBefore, triesToList);
  const show = (one: FoundOrder) => showFound(one, now);
  return {
    review: review.map(show),
    late: late.map(show),
    unknown: unknown.map(show),
    twins: twins.map(show),
    disputed: disputed.map(show),
    claims_in_review: claims,
    dead_letters: dead.map(showDelivery),
    failing_webhooks: failing.map((one) => ({ ...showDelivery(one), due_on: time(one.dueOn) })),
    ill_providers: gateway.providers.map((one) => ({ provider: one.id, ...showHealth(one) })).filter(isIll),
  };
};

/** Reads what needs a person now, or may soon: what waits, the switches in force, and the keys that are being replaced. */
export const readAttention = async (gateway: Gateway, operator: Operator) => {
  await logAction(gateway, operator, 'attention.read', 'orders');
  const waiting = await waitingOf(gateway);
  const switches = await gateway.stores.operator.switches();
  const now = gateway.now();
  return { ...waiting, switches: switches.filter((one) => isInForce(one, now)).map(showSwitch), keys_in_rotation: gateway.state.keysInRotation };
};

export const readRecord = async (gateway: Gateway, operator: Operator) => {
  await logAction(gateway, operator, 'record.read', 'all');
  const now = gateway.now();
  const providers = gateway.providers.map(({ id, core }) => ({ id, haircutBps: core.haircut_bps }));
  return await showRecord(gateway.stores.record, { routing: gateway.settings.routing, providers, now, since: now - day });
};

type Asked = { settling: Settling; reason: string; stage?: Stage | undefined; evidence?: string | undefined; pin: string };

/** Settles an order or an attempt as an operator asks (settle.ts), if it is still as they saw it (`pin`). */
export const settleOrder = async (gateway: Gateway, operator: Operator, id: string, { settling, reason, ...asked }: Asked) => {
  const { stores } = gateway;
  const record = async (action: string, subject: string, detail: { [name: string]: string }): Promise<void> =>
    await logAction(gateway, operator, action, subject, detail);
  const done = await settle({ stores, hash: gateway.hash, now: gateway.now(), record }, settling, { ...asked, id: id.toLowerCase(), words: reason });
  return { order_id: id.toLowerCase(), settling, done };
};
