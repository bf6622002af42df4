/**
 * After a restore, providers and wallets know what has happened since the backup, and we do not. We place and report nothing new until we have tried
 * to read every upstream session, adopted its unknown orders in the stage `review`, and updated the orders that we know.
 */
import { isSafe } from '../../domain/money.ts';
import type { Json } from '../../domain/offer.ts';
import type { Ramp } from '../../domain/ramp.ts';
import { writingsOf } from '../../domain/same-id.ts';
import { newOrders } from '../../domain/settle-placing.ts';
import type { OrderEvidence } from '../../providers/spec.ts';
import { callProvider } from '../upstream/call-provider.ts';
import { refreshOrder } from '../following/follow-orders.ts';
import { withoutPayout } from '../following/payout-of.ts';
import type { UpstreamSession } from '../../ports/operator.ts';
import { blobPlace, inputsPlace, paymentPlace } from '../places.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Provider } from '../../ports/providers.ts';
import { settleIntents } from '../ordering/settle-intents.ts';
import { deliveriesSwitch, ordersSwitch } from '../switches.ts';

export type Restored = {
  quotes: number;
  placings: number;
  unsettled: number;
  refreshed: number;
  superseded: number;
  sessions: number;
  unreadable: { session: string; provider: string; reason: string }[];
  adopted: { orderId: string; provider: string; upstreamOrderId: string; rawStatus: string }[];
  /** Sales at a provider that were not adopted, because they may be the payments of orders that are known here. */
  unclear: { provider: string; upstreamOrderId: string; rawStatus: string }[];
};
const nobody = '00000000-0000-0000-0000-000000000000';
const batch = 100;

export const holdTraffic = async (gateway: Gateway, actor: string): Promise<void> => {
  for (const name of [ordersSwitch, deliveriesSwitch])
    await gateway.stores.operator.setSwitch({ name, mode: 'held', reason: 'restored from a backup', setOn: gateway.now(), setBy: actor });
  gateway.state.switches.readOn = 0;
};

export const releaseTraffic = async (gateway: Gateway): Promise<void> => {
  for (const name of [ordersSwitch, deliveriesSwitch]) await gateway.stores.operator.clearSwitch(name);
  gateway.state.switches.readOn = 0;
};

/**
 * Does everything that is needed between holdTraffic and releaseTraffic. Safe to run again. `settleMs`: for how long, at most, to resolve attempts
 * whose answers were lost.
 */
export const catchUp = async (gateway: Gateway, settleMs: number): Promise<Restored> => {
  const store = gateway.stores.operator;
  const { quotes, placings } = await store.distrustRestored(gateway.now());
  const until = gateway.now() + settleMs;
  // Our own order attempts are resolved first, so that none of their orders counts as unknown.
  while ((await store.unsettledPlacings()).length > 0 && gateway.now() < until) {
    await settleIntents(gateway, batch);
    await gateway.sleep(250);
  }
  const refreshed = await refreshAll(gateway);
  const superseded = await store.supersedeStale(gateway.now());
  const unsettled = await store.unsettledPlacings();
  const busy = new Set(unsettled.map((one) => one.exclusiveKey));
  const done: Restored = { quotes, placings, unsettled: unsettled.length, refreshed, superseded, sessions: 0, unreadable: [], adopted: [], unclear: [] };
  let after: string | undefined;
  for (;;) {
    const sessions = await store.upstreamSessions(after, batch);
    for (const session of sessions) {
      if (busy.has(session.id)) continue;
      const { unreadable, adopted, unclear } = await readSession(gateway, session);
      done.unreadable.push(...unreadable);
      done.adopted.push(...adopted);
      done.unclear.push(...unclear);
    }
    done.sessions += sessions.length;
    after = sessions.at(-1)?.id;
    if (sessions.length < batch) return done;
  }
};

const refreshAll = async (gateway: Gateway): Promise<number> => {
  let refreshed = 0;
  let after: string | undefined;
  for (;;) {
    const ids = await gateway.stores.operator.unfinishedOrders(batch, after);
    for (const id of ids) {
      const order = await gateway.stores.orders.findAny(id);
      if (order) await refreshOrder({ gateway, requestId: 'restored' }, order, 'read');
      refreshed += 1;
    }
    after = ids.at(-1);
    if (ids.length < batch) return refreshed;
  }
};

type Read = Pick<Restored, 'unreadable' | 'adopted' | 'unclear'>;
const readSession = async (gateway: Gateway, session: UpstreamSession): Promise<Read> => {
  const provider = gateway.providers.find((one) => one.id === session.providerId);
  const unreadable = (reason: string): Read['unreadable'][number] => ({ session: session.id, provider: session.providerId, reason });
  if (!provider) return { unreadable: [unreadable('the provider is not in the configuration')], adopted: [], unclear: [] };
  if (!provider.core.status_by_session)
    return {
      unreadable: [unreadable("the provider cannot list the orders of a session: compare the gateway's orders with the list in the provider's own dashboard")],
      adopted: [],
      unclear: [],
    };
  const read: Read = { unreadable: [], adopted: [], unclear: [] };
  for (const ramp of provider.ramps) {
    try {
      const customer = await gateway.seal.open(session.blob, blobPlace(session.id));
      const rows = await readOrders(gateway, provider, ramp, customer);
      if (typeof rows === 'string') {
        read.unreadable.push(unreadable(rows));
        continue;
      }
      const known = await gateway.stores.operator.knownUpstreamIds(
        provider.id,
        rows.flatMap((row) => (row.upstreamOrderId === undefined ? [] : writingsOf(row.upstreamOrderId))),
      );
      const open = ramp === 'sell' ? await openAmounts(gateway, session, rows) : [];
      for (const row of newOrders(rows, known, [])) {
        const { upstreamOrderId, madeBy, rawStatus } = row;
        // An order that was made before the account was added here was not placed by this gateway.
        if (madeBy !== undefined && session.accountMadeOn !== undefined && madeBy < session.accountMadeOn) continue;
        if (row.pay !== undefined && open.includes(row.pay)) {
          read.unclear.push({ provider: provider.id, upstreamOrderId, rawStatus });
          continue;
        }
        const orderId = await adopt(gateway, session, ramp, row);
        if (orderId !== undefined) read.adopted.push({ orderId, provider: provider.id, upstreamOrderId, rawStatus });
      }
    } catch (fault) {
      read.unreadable.push(unreadable(fault instanceof Error && 'kind' in fault ? String(fault.kind) : 'the orders of the session could not be read'));
    }
  }
  return read;
};

/**
 * Of the listed orders' amounts, returns those for which a payment to one of the customer's known sales may still come. If the provider lists an
 * unknown sale of such an amount, that sale is not adopted, because it may be the payment for the known one.
 */
const openAmounts = async ({ stores, now }: Gateway, { providerId, customerId }: UpstreamSession, rows: OrderEvidence[]): Promise<bigint[]> => {
  const amounts = rows.flatMap(({ pay }) => pay ?? []);
  return customerId === undefined ? [] : await stores.orders.openAmounts({ providerId, customerId }, amounts, now());
};

const readOrders = async (gateway: Gateway, provider: Provider, ramp: Ramp, customer: string): Promise<OrderEvidence[] | string> => {
  const adapter = provider.adapter[ramp];
  if (!adapter) return [];
  const options = {
    operation: 'status',
    verb: 'read_orders',
    deadlineMs: gateway.settings.routing.status_deadline_ms,
    idempotent: true,
    context: { customer },
  } as const;
  const answer = await callProvider({ gateway, requestId: 'restored' }, provider, options, async (context) => await adapter.readOrders(context));
  return answer.ok ? answer.value : answer.refusal.reason;
};

/** Returns an amount as it is stored: 0 if the provider states none, or one that no column can hold. */
const storable = (amount: bigint = 0n): bigint => (isSafe(amount) ? amount : 0n);

/**
 * Stores an order that the provider knows and that is unknown here. Returns its new id, or undefined if the order has become known in the meantime.
 * Stores no payment details: the customer who was shown them has them. Only the operator can end this review, because the stage before it is unknown.
 */
const adopt = async (gateway: Gateway, session: UpstreamSession, ramp: Ramp, row: OrderEvidence & { upstreamOrderId: string }): Promise<string | undefined> => {
  const { ids, seal } = gateway;
  const now = gateway.now();
  const id = ids.uuid();
  const orderId = ids.uuid();
  const shared = {
    ramp,
    customerId: session.customerId ?? nobody,
    providerId: session.providerId,
    quoteId: ids.uuid(),
    createdOn: now,
  };
  const amounts = { pay: storable(row.pay), receive: storable(row.receive) };
  const note = 'the provider knows this order, but the restored database did not contain it';
  const currency = /^[A-Z]{3}$/.exec(row.echo?.currency ?? '')?.[0];
  const pushes = ramp === 'buy' && gateway.providers.find((one) => one.id === session.providerId)?.adapter.buy?.payoutKinds !== undefined;
  const quote: Json = { adopted: true, pay: amounts.pay.toString(), receive: amounts.receive.toString() };
  const adopted = await gateway.stores.operator.adopt(
    {
      ...shared,
      id,
      orderId,
      exclusiveKey: session.id,
      requestId: 'restored',
      quote,
      inputs: await seal.seal('{"order":{}}', inputsPlace(id)),
      deadOn: now,
      nextTryOn: now,
    },
    row.upstreamOrderId,
    {
      ...shared,
      ...amounts,
      id: orderId,
      providerSessionId: session.id,
      intentId: id,
      upstreamOrderId: row.upstreamOrderId,
      stage: 'review',
      stageOn: now,
      rawStatus: row.rawStatus,
      sequence: 1,
      fee: storable(row.fee),
      quotedPay: amounts.pay,
      quotedReceive: amounts.receive,
      binding: false,
      terms: {
        currencyId: 0,
        paymentOptionId: 0,
        optionName: '',
        adopted: true,
        ...(currency === undefined ? {} : { currency }),
        ...(pushes ? { payout: 'push' as const } : {}),
      },
      watch: { reviewReason: 'unclear' },
      facts: withoutPayout(row.facts),
      upstream: {},
      paymentInfo: await seal.seal('{}', paymentPlace(orderId)),
      changedOn: now,
      checks: 0,
      nextCheckOn: now + 3_600_000,
      followUntil: now + gateway.settings.orders.follow_days * 86_400_000,
      final: false,
      ...(row.expiresOn === undefined ? {} : { expiresOn: row.expiresOn }),
    },
    { sequence: 1, at: now, toStage: 'review', rawStatus: row.rawStatus, source: 'operator', note },
  );
  return adopted ? orderId : undefined;
};
