/** What an operator may do over HTTP. Every read and every action is recorded before it is carried out. */
import type { Json } from '../../domain/offer.ts';
import type { DossierDelivery, FoundOrder, OrderSearch } from '../../ports/operator.ts';
import type { Gateway } from '../../ports/gateway.ts';
import { Problem } from '../problem.ts';
import { showHealth } from '../catalogue/report-providers.ts';
import { referenceHash } from './find-orders.ts';
import { lookUpOrder } from './look-up.ts';
import { showRecord } from './show-record.ts';
import { providerSwitch, type ProviderMode } from '../switches.ts';
import { defined } from '../../domain/defined.ts';

export type Operator = { actor: string };
type Members = { [name: string]: Json };

const most = 100;
const day = 86_400_000;
/** An order that has been `paid` for longer than this is listed as late: its provider has probably forgotten or lost it. */
const longestDeliveryMs = 3 * day;
/** A webhook that fails is listed from this try on, which comes about five minutes after the first. */
const triesToList = 3;
const time = (ms: number): string => new Date(ms).toISOString();

const record = async (gateway: Gateway, { actor }: Operator, action: string, subject: string, detail?: Members): Promise<void> => {
  await gateway.stores.operator.record({ at: gateway.now(), actor, action, subject, ...(detail ? { detail } : {}) });
  gateway.log('info', 'operator', { actor, action, subject });
};

export const readOrder = async (gateway: Gateway, operator: Operator, id: string) => {
  await record(gateway, operator, 'order.read', id.slice(0, 64).replaceAll('\0', ''));
  const found = await lookUpOrder(gateway.stores.operator, gateway.hash, id.toLowerCase(), gateway.now());
  if (!found) throw new Problem('order-not-found', 'There is no such order.');
  return found;
};

export type SearchRequest = {
  request_id?: string | undefined;
  upstream_order_id?: string | undefined;
  reference?: string | undefined;
  day?: string | undefined;
  amount?: number | undefined;
};
/** Searches orders. `day` is a UTC date. A reference is compared by its hash and never logged. */
export const searchOrders = async (gateway: Gateway, operator: Operator, request: SearchRequest) => {
  const from = request.day === undefined ? undefined : Date.parse(`${request.day}T00:00:00Z`);
  const search: OrderSearch = {
    ...defined({ requestId: request.request_id, upstreamOrderId: request.upstream_order_id }),
    ...(request.reference === undefined ? {} : { referenceHash: referenceHash(gateway.hash, request.reference) }),
    ...(from === undefined ? {} : { from, to: from + day }),
    ...(request.amount === undefined ? {} : { amount: BigInt(request.amount) }),
  };
  const { reference, ...shown } = request;
  await record(gateway, operator, 'orders.search', 'orders', { ...defined(shown), ...(reference === undefined ? {} : { reference: 'given' }) });
  const found = await gateway.stores.operator.search(search, most + 1);
  return { orders: found.slice(0, most).map(showFound), more: found.length > most };
};

export const showFound = (found: FoundOrder) => ({
  order_id: found.orderId,
  provider: found.providerId,
  ramp: found.ramp,
  placing: found.state,
  request_id: found.requestId,
  customer: found.customerId,
  created_on: time(found.createdOn),
  ...defined({
    stage: found.stage,
    review_reason: found.reviewReason,
    upstream_order_id: found.upstreamOrderId,
    pay: found.pay?.toString(),
    receive: found.receive?.toString(),
  }),
});

const showDelivery = (one: DossierDelivery & { subjectId: string }) => ({
  id: one.id,
  subject_id: one.subjectId,
  type: one.type,
  host: one.host,
  state: one.state,
  attempts: one.attempt,
  created_on: time(one.createdOn),
  ...(one.lastOutcome === undefined ? {} : { last_outcome: one.lastOutcome }),
});
const isIll = ({ circuits }: ReturnType<typeof showHealth>): boolean => Object.values(circuits).some((state) => state !== 'closed');

/** Lists what needs a person now, or soon may. */
export const readAttention = async (gateway: Gateway, operator: Operator) => {
  await record(gateway, operator, 'attention.read', 'orders');
  const paidBefore = gateway.now() - longestDeliveryMs;
  const { review, late, unknown, twins, disputed, claims, dead, failing } = await gateway.stores.operator.attention(most, paidBefore, triesToList);
  const switches = await gateway.stores.operator.switches();
  return {
    review: review.map(showFound),
    late: late.map(showFound),
    unknown: unknown.map(showFound),
    twins: twins.map(showFound),
    disputed: disputed.map(showFound),
    claims_in_review: claims,
    dead_letters: dead.map(showDelivery),
    failing_webhooks: failing.map((one) => ({ ...showDelivery(one), due_on: time(one.dueOn) })),
    ill_providers: gateway.providers.map((one) => ({ provider: one.id, ...showHealth(one) })).filter(isIll),
    switches: switches.map((one) => ({
      name: one.name,
      mode: one.mode,
      reason: one.reason,
      set_on: time(one.setOn),
      set_by: one.setBy,
      ...(one.untilOn === undefined ? {} : { until: time(one.untilOn) }),
    })),
  };
};

export const readRecord = async (gateway: Gateway, operator: Operator) => {
  await record(gateway, operator, 'record.read', 'all');
  const now = gateway.now();
  const providers = gateway.providers.map(({ id, core }) => ({ id, haircutBps: core.haircut_bps }));
  return await showRecord(gateway.stores.record, { routing: gateway.settings.routing, providers, now, since: now - day });
};

/** Stores a provider's switch, which every instance obeys within seconds. The mode `configured` returns the provider to its configured mode. */
export const switchProvider = async (
  gateway: Gateway,
  operator: Operator,
  providerId: string,
  change: { mode: ProviderMode | 'configured'; reason: string; until?: string | undefined },
) => {
  const provider = gateway.providers.find((one) => one.id === providerId);
  if (!provider) throw new Problem('not-found', 'There is no such provider in the configuration.');
  if (change.mode === 'on' && provider.pricesOnly) {
    const detail = 'cannot be on: this provider gives prices, but the gateway cannot order from it yet. Use shadow';
    throw new Problem('invalid-request', `/mode: ${detail}`, { errors: [{ pointer: '/mode', detail }] });
  }
  const now = gateway.now();
  const until = change.until === undefined ? undefined : Date.parse(change.until);
  if (until !== undefined && until <= now) {
    const detail = 'lies in the past';
    throw new Problem('invalid-request', `/until: ${detail}`, { errors: [{ pointer: '/until', detail }] });
  }
  const name = providerSwitch(providerId);
  const detail = { mode: change.mode, reason: change.reason, ...(until === undefined ? {} : { until: time(until) }) };
  await record(gateway, operator, 'provider.switch', providerId, detail);
  if (change.mode === 'configured') await gateway.stores.operator.clearSwitch(name);
  else
    await gateway.stores.operator.setSwitch({
      name,
      mode: change.mode,
      reason: change.reason,
      setOn: now,
      setBy: operator.actor,
      ...(until === undefined ? {} : { untilOn: until }),
    });
  gateway.state.switches.readOn = 0;
  return { provider: providerId, ...detail, set_on: time(now) };
};
