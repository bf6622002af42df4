/**
 * The buy ramp's stores in memory, for tests of use cases. A call is one step, and nothing else runs within it. These rules are as in PostgreSQL,
 * and stores.test.ts checks both: one live intent per quote; one unresolved intent per exclusive key; a limit on open orders; an order is stored
 * with its first event and webhooks, or not at all; an order moves only from the step that was read; one claim per order; leases, but by the test's
 * clock. Missing are foreign keys, column formats, retention, the record of fills and other ramps' data. Calling a missing verb throws.
 */
import { asksExchange } from '../../../src/domain/offer.ts';
import { arrivingStages, isUnpaid, longestHoldMs, mayBePaid } from '../../../src/domain/order-life.ts';
import { sameId } from '../../../src/domain/same-id.ts';
import { quoteFromJson } from '../../../src/gateway/pricing/store-route.ts';
import { judgedAttemptOf } from '../../../src/ports/judged.ts';
import type { Claim } from '../../../src/ports/claims.ts';
import type { OptionNumber, StoredListing } from '../../../src/ports/catalogue.ts';
import type { Delivery, DeliveryStore, NewDelivery } from '../../../src/ports/deliveries.ts';
import type { NoticeStore } from '../../../src/ports/notices.ts';
import type { OperatorStore } from '../../../src/ports/operator.ts';
import type { Intent, NearAmounts, NewIntent, StandsBack } from '../../../src/ports/intents.ts';
import type { Order, OrderEvent, OrderStore, Payment } from '../../../src/ports/orders.ts';
import type { RecordStore } from '../../../src/ports/record.ts';
import type { ReferenceRow } from '../../../src/ports/reference.ts';
import type { StoredRoute } from '../../../src/ports/routes.ts';
import type { ProviderSession, SessionStore } from '../../../src/ports/sessions.ts';
import type { Stores } from '../../../src/ports/stores.ts';
import { withLearnt } from '../../../src/store/order-terms.ts';
import { leasedRows } from './leased-rows.ts';

const isUnsettled = ({ state }: Pick<Intent, 'state'>): boolean => state === 'prepared' || state === 'sending' || state === 'unknown';
const isWithheld = ({ state, upstreamOrderId }: Pick<Intent, 'state' | 'upstreamOrderId'>): boolean =>
  state === 'unpayable' || state === 'dead' || (state === 'moved' && upstreamOrderId !== undefined);
const isOpen = ({ stage, final, expiresOn, createdOn, watch }: Order, at: number): boolean =>
  (stage === 'underpaid' ||
    (stage === 'awaiting_payment' && (expiresOn === undefined || expiresOn > at || watch.arriving === true) && createdOn > at - 86_400_000)) &&
  !final;

/** Returns the implemented part of a store. A call to any other verb throws an error that names the verb. */
const partly = <T extends object>(name: string, verbs: Partial<T>): T =>
  new Proxy(verbs, {
    get: (there, verb) => {
      if (Object.hasOwn(there, verb)) return Reflect.get(there, verb) as unknown;
      throw new Error(`${name}.${String(verb)} is not kept in memory`);
    },
  }) as T;

type ClaimRow = Claim & { unlostAttempt?: number };

export const memoryStores = (now: () => number) => {
  const intents = leasedRows<Intent>(now);
  const orders = leasedRows<Order>(now);
  const claims = leasedRows<ClaimRow>(now, { unlostAttempt: null });
  const toClaim = ({ unlostAttempt, ...claim }: ClaimRow): Claim => ({ ...claim, ...(unlostAttempt === claim.attempt ? { isUnlost: true } : {}) });
  const findClaim = (orderId: string): Claim | undefined => claims.filter((one) => one.orderId === orderId).map(toClaim)[0];
  const references = leasedRows<ReferenceRow>(now);
  /** The targets of genuine notices. */
  const heard = new Set<string>();
  const events: (OrderEvent & { orderId: string })[] = [];
  const deliveries: Delivery[] = [];
  const routes: StoredRoute[] = [];
  const upstream = new Map<string, ProviderSession & { owner: string; retired?: true }>();
  const listings = new Map<string, StoredListing>();
  const numbers: OptionNumber[] = [];
  const declined = new Map<string, Record<string, number>>();

  const dueOrder = (one: Order) => ({
    on: one.final ? undefined : one.nextCheckOn,
    provider: one.providerId,
    isUrgent: !isUnpaid(one.stage),
    network:
      intents
        .find(({ id }) => id === one.intentId)
        ?.networkKey?.split(' ')
        .at(-1) ?? (one.appId === undefined ? 'unknown' : `app ${one.appId}`),
  });
  const standBack = ({ customerId, providerId, now: at, until }: StandsBack): void => {
    const others = Object.entries(declined.get(customerId) ?? {}).filter(([, end]) => end > at);
    declined.set(customerId, { ...Object.fromEntries(others), [providerId]: until });
  };

  const nearOne = ({ customerId, providerId, ramp, createdOn }: NewIntent, near: NearAmounts | undefined): string | undefined => {
    if (!near) return undefined;
    const isNear = (currency: string | undefined, pay: bigint, slippageBps = 0): boolean => {
      const rest = BigInt(10_000 - slippageBps);
      return currency === near.currency && pay * 10_000n >= near.least * rest && pay * rest <= near.most * 10_000n;
    };
    const isSame = (one: Pick<Intent, 'customerId' | 'providerId' | 'ramp'>): boolean =>
      one.customerId === customerId && one.providerId === providerId && one.ramp === ramp;
    const isPlacing = (one: Intent): boolean => {
      if (!isSame(one) || !isUnsettled(one)) return false;
      const { offer, route } = quoteFromJson(one.quoteId, one.quote);
      if (!asksExchange(route.asked)) return false;
      const isFixed = offer.offer.binding || route.asked.fixed === 'pay';
      return isNear(route.asked.currency, offer.offer.pay, isFixed ? 0 : near.slippageBps);
    };
    const placed = (one: Order): boolean =>
      isSame(one) && !one.final && mayBePaid({ ...one.terms, ...one.watch, ...one }, createdOn) && isNear(one.terms.currency, one.pay);
    return intents.find(isPlacing)?.orderId ?? orders.find(placed)?.id;
  };

  const hasPayout = (one: Intent, payoutKey: string | undefined): boolean =>
    payoutKey !== undefined && one.payoutKey === payoutKey && (isUnsettled(one) || one.state === 'confirmed' || one.state === 'review');

  const isWithoutOrder = ({ id, state }: Intent): boolean => state === 'review' && !orders.find(({ intentId }) => intentId === id);

  const otherWith = ({ providerId, id, linked }: Payment, except: string): string | undefined => {
    const isIt = (known: string | undefined): boolean => known !== undefined && sameId(known, id);
    const has = (one: Order): boolean =>
      linked === true ? isIt(one.facts.transaction_id) && one.stage !== 'review' : isIt(one.facts.transaction_id) || isIt(one.upstreamOrderId);
    return orders.find((one) => one.id !== except && one.providerId === providerId && has(one))?.id;
  };

  const insertDeliveries = (rows: NewDelivery[]): void => {
    for (const row of rows) {
      if (deliveries.some((one) => one.id === row.id)) continue;
      for (const one of deliveries) if (one.subjectId === row.subjectId && one.type === row.type && one.state === 'due') one.state = 'superseded';
      deliveries.push({ ...structuredClone(row), state: 'due', attempt: 0 });
    }
  };

  const newestFirst = (a: Order, b: Order): number => b.createdOn - a.createdOn || (a.id < b.id ? 1 : -1);
  const stores: Stores = partly<Stores>('stores', {
    intents: {
      create: async (intent, lease, { maxOpen, near }) => {
        if (intents.find((one) => one.quoteId === intent.quoteId && one.state !== 'rejected')) return 'exists';
        const placing = intents.filter((one) => one.customerId === intent.customerId && isUnsettled(one)).map((one) => one.orderId);
        const placed = orders.filter((one) => one.customerId === intent.customerId && isOpen(one, intent.createdOn)).map((one) => one.id);
        const open = [...new Set([...placing, ...placed])];
        if (open.length >= maxOpen) return { open };
        const nearId = nearOne(intent, near);
        if (nearId !== undefined) return { near: nearId };
        if (intents.find((one) => hasPayout(one, intent.payoutKey))) return 'payout-used';
        const { exclusiveKey: key } = intent;
        if (key !== undefined && intents.find((one) => one.exclusiveKey === key && isUnsettled(one))) return 'busy';
        intents.insert(intent.id, { ...intent, state: 'prepared', attempt: 0 }, lease);
        return await Promise.resolve('created');
      },
      findByQuote: async (quoteId, customerId) =>
        await Promise.resolve(intents.find((one) => one.quoteId === quoteId && one.customerId === customerId && one.state !== 'rejected')),
      find: async (id) => await Promise.resolve(intents.find((one) => one.id === id)),
      startSending: async (id, lease, at) => {
        const found = intents.find((one) => one.id === id && one.state === 'prepared');
        if (!found || !intents.holds(id, lease.owner)) return false;
        intents.take(id, lease);
        return await Promise.resolve(intents.set(id, () => true, { state: 'sending', attempt: found.attempt + 1, sentOn: at }));
      },
      reject: async (id, owner, evidence) =>
        await Promise.resolve(intents.lends(id, owner) && intents.change(id, owner, isUnsettled, { state: 'rejected', evidence }, true)),
      change: async (id, owner, change, release) => await Promise.resolve(intents.change(id, owner, isUnsettled, change, release)),
      end: async (id, owner, change, back) => {
        if (change.state === 'declined' && !intents.lends(id, owner)) return false;
        if (!intents.change(id, owner, isUnsettled, change, true)) return false;
        if (back) standBack(back);
        return await Promise.resolve(true);
      },
      move: async (id, owner, change, next, back) => {
        const { quoteId, customerId, providerId, exclusiveKey: key, createdOn } = next.intent;
        if ((declined.get(customerId)?.[providerId] ?? 0) > createdOn) return 'skipped';
        if (!intents.lends(id, owner)) return 'lost';
        const isInTheWay = (one: Intent): boolean =>
          (one.quoteId === quoteId && one.state !== 'rejected') ||
          (one.id !== id && ((key !== undefined && one.exclusiveKey === key && isUnsettled(one)) || hasPayout(one, next.intent.payoutKey)));
        if (intents.find(isInTheWay) || nearOne(next.intent, next.near) !== undefined) return 'skipped';
        if (!intents.change(id, owner, isUnsettled, { ...change, state: 'moved', movedTo: next.intent.id }, true)) return 'lost';
        intents.insert(next.intent.id, { ...next.intent, state: 'prepared', attempt: 0 }, next.lease);
        if (back) standBack(back);
        return await Promise.resolve('moved');
      },
      confirm: async (id, owner, change, placed) => {
        const { providerId, upstreamKey } = placed.order;
        if (upstreamKey !== undefined && orders.find((one) => one.providerId === providerId && one.upstreamKey === upstreamKey)) return 'twin';
        if (!intents.change(id, owner, isUnsettled, change, true)) return 'lost';
        const rung = placed.notices?.targets.some((target) => heard.has(target)) ? placed.notices : undefined;
        orders.insert(placed.order.id, { ...placed.order, ...(rung ? { nextCheckOn: rung.checkOn } : {}) });
        events.push({ ...placed.event, orderId: placed.order.id });
        insertDeliveries(placed.deliveries);
        return await Promise.resolve(rung ? 'rung' : 'confirmed');
      },
      claimDue: async (at, lease, limit, share) =>
        await Promise.resolve(
          intents.takeDue(at, lease, limit, (one) => ({ on: isUnsettled(one) ? one.nextTryOn : undefined, provider: one.providerId }), share),
        ),
      claim: async (id, lease) => await Promise.resolve(intents.take(id, lease, isUnsettled)),
      claimWithheld: async (at, lease, limit, share) =>
        await Promise.resolve(
          intents.takeDue(at, lease, limit, (one) => ({ on: isWithheld(one) ? one.nextTryOn : undefined, provider: one.providerId }), share),
        ),
      changeWithheld: async (id, owner, change) => await Promise.resolve(intents.change(id, owner, isWithheld, change, true)),
      replaceAnswer: async (id, was, answer) => {
        const isSame = intents.find((one) => one.id === id)?.answer === was;
        if (isSame) intents.set(id, () => true, { answer });
        return await Promise.resolve(isSame);
      },
      wake: async (id, at) => {
        intents.set(id, (one) => isUnsettled(one) || isWithheld(one), { nextTryOn: at });
        await Promise.resolve();
      },
      earlierIn: async (key) => await Promise.resolve(intents.filter((one) => one.exclusiveKey === key).map((one) => one.id)),
      unsettledIn: async (key) => await Promise.resolve(intents.find((one) => one.exclusiveKey === key && isUnsettled(one))),
      // Users are not kept in memory, so other customers with the same user are missing, here and in arrivingSales. stores.test.ts has them.
      unsettledSales: async (providerId, customerId) =>
        await Promise.resolve(
          intents.filter((one) => one.providerId === providerId && one.customerId === customerId && one.ramp === 'sell' && isUnsettled(one)),
        ),
      sharing: async (providerId, upstreamIds, except) =>
        await Promise.resolve(intents.filter((one) => one.providerId === providerId && upstreamIds.includes(one.upstreamOrderId ?? '') && one.id !== except)),
      isPlacingAt: async (providerId) => await Promise.resolve(intents.find((one) => one.providerId === providerId && isUnsettled(one)) !== undefined),
      wakeUnknown: async (providerId, at) => {
        const later = intents.filter((one) => one.providerId === providerId && one.state === 'unknown' && one.nextTryOn > at);
        for (const { id } of later) intents.set(id, (one) => one.nextTryOn > at, { nextTryOn: at });
        await Promise.resolve();
      },
      claimedUpstreamIds: async (providerId, ids) =>
        await Promise.resolve(
          intents.filter((one) => one.providerId === providerId && ids.includes(one.upstreamOrderId ?? '')).flatMap((one) => one.upstreamOrderId ?? []),
        ),
    },
    orders: partly<OrderStore>('orders', {
      find: async (id, customerId) => await Promise.resolve(orders.find((one) => one.id === id && one.customerId === customerId)),
      findAny: async (id) => await Promise.resolve(orders.find((one) => one.id === id)),
      list: async (customerId, ramp, limit, changedSince = -Infinity) =>
        await Promise.resolve(
          orders
            .filter((one) => one.customerId === customerId && (ramp === undefined || one.ramp === ramp) && one.changedOn >= changedSince)
            .toSorted((a, b) => Number(a.final) - Number(b.final) || Number(isUnpaid(a.stage)) - Number(isUnpaid(b.stage)) || newestFirst(a, b))
            .slice(0, limit)
            .toSorted(newestFirst),
        ),
      arrivingSales: async (providerId, customerId, at) => {
        const isOver = ({ stage, expiresOn = -Infinity }: Order) => !['awaiting_payment', 'underpaid'].includes(stage) && expiresOn <= at - longestHoldMs;
        const isSale = (one: Order) => one.providerId === providerId && one.customerId === customerId && one.ramp === 'sell';
        return await Promise.resolve(orders.filter((one) => isSale(one) && arrivingStages.includes(one.stage) && !isOver(one)));
      },
      otherWithPayment: async (payment, except) => await Promise.resolve(otherWith(payment, except)),
      advance: async ({ id, sequence, watch: before, nextCheckOn: known }, { payment, ...change }, event, rows) => {
        if (payment !== undefined && otherWith(payment, id) !== undefined) return false;
        const stored = orders.find((one) => one.id === id);
        const due = stored?.nextCheckOn;
        const woken = due === undefined || due === known ? undefined : due;
        const kept = {
          ...(woken === undefined || change.nextCheckOn === undefined ? {} : { nextCheckOn: Math.min(woken, change.nextCheckOn ?? Infinity) }),
          ...(woken !== undefined && change.final === true ? { final: false } : {}),
          ...(change.watch && stored ? { watch: withLearnt(stored.watch, before, change.watch) } : {}),
        };
        if (!orders.set(id, (one) => one.sequence === sequence, { ...change, ...kept, ...(event ? { sequence: event.sequence } : {}) })) return false;
        orders.release(id);
        if (event) events.push({ ...event, orderId: id });
        insertDeliveries(rows);
        return await Promise.resolve(true);
      },
      claimDue: async (at, lease, limit, share) => await Promise.resolve(orders.takeDue(at, lease, limit, dueOrder, share)),
      wake: async (id, at) => {
        orders.set(id, (one) => one.final || (one.nextCheckOn ?? Infinity) > at, { nextCheckOn: at, final: false });
        await Promise.resolve();
      },
    }),
    claims: {
      create: async ({ now: at, ...claim }, lease) => {
        if (claims.has(claim.orderId)) return false;
        claims.insert(claim.orderId, { ...claim, state: 'sending', attempt: 1, unlostAttempt: 1, createdOn: at, askedOn: at, nextTryOn: at }, lease);
        return await Promise.resolve(true);
      },
      find: async (orderId) => await Promise.resolve(findClaim(orderId)),
      take: async (orderId, lease) => {
        const row = claims.take(orderId, lease, ({ state }) => state !== 'refused');
        return await Promise.resolve(row && toClaim(row));
      },
      reopen: async (orderId, { now: at, ...fallback }, lease) => {
        const row = claims.take(orderId, lease, ({ state }) => state === 'refused');
        if (row === undefined) return undefined;
        const asked = { state: 'sending', askedOn: at, nextTryOn: at, unlostAttempt: row.attempt };
        claims.set(orderId, () => true, { fallback: null, fallbackHash: null, ...fallback, ...asked });
        return await Promise.resolve(findClaim(orderId));
      },
      hold: async (orderId, owner, held, known) =>
        await Promise.resolve(
          claims.change(
            orderId,
            owner,
            ({ lnurl }) => claims.lends(orderId, owner) || lnurl === known,
            { ...held, expiresOn: held.expiresOn, state: 'held' },
            true,
          ),
        ),
      change: async (orderId, owner, change) => await Promise.resolve(claims.change(orderId, owner, () => claims.lends(orderId, owner), change, true)),
      dropFallback: async ({ orderId, state, attempt, fallbackHash }, isSure) => {
        const [row] = claims.filter((one) => one.orderId === orderId);
        const isSame = row?.state === state && row.attempt === attempt && row.fallbackHash === fallbackHash;
        if (!isSame || row.lnurl !== undefined || claims.leased(orderId) === 'running') return 'changed';
        if (!isSure && (claims.leased(orderId) === 'lapsed' || row.unlostAttempt !== attempt)) return 'lost';
        claims.set(orderId, () => true, { state: 'refused', fallback: null, fallbackHash: null, unlostAttempt: attempt });
        claims.release(orderId);
        return await Promise.resolve('dropped' as const);
      },
      claimDue: async (at, lease, limit, share) => {
        const providerOf = ({ orderId }: Claim): string => orders.find((one) => one.id === orderId)?.providerId ?? '';
        const due = (one: Claim) => ({ on: one.state === 'sending' ? one.nextTryOn : undefined, provider: providerOf(one) });
        return await Promise.resolve(claims.takeDue(at, lease, limit, due, share).map((one) => ({ ...toClaim(one), providerId: providerOf(one) })));
      },
    },
    routes: {
      insert: async (route) => {
        routes.push(structuredClone(route));
        await Promise.resolve();
      },
      find: async (id, customerId) => await Promise.resolve(structuredClone(routes.find((one) => one.id === id && one.customerId === customerId))),
    },
    sessions: partly<SessionStore>('sessions', {
      claimUpstream: async ({ now: claimedOn, ...row }) => {
        if ([...upstream.values()].some((one) => one.owner === row.owner && one.providerId === row.providerId && one.retired === undefined)) return false;
        upstream.set(row.id, { ...row, ready: false, claimedOn, unsettled: false });
        return await Promise.resolve(true);
      },
      findUpstream: async (owner, providerId) => {
        const found = [...upstream.values()].find((one) => one.owner === owner && one.providerId === providerId && one.retired === undefined);
        const unsettled = found !== undefined && intents.find((one) => one.exclusiveKey === found.id && isUnsettled(one)) !== undefined;
        return await Promise.resolve(found && { ...found, unsettled });
      },
      findUpstreamById: async (id) => await Promise.resolve(upstream.get(id)),
      saveUpstream: async (id, change) => {
        const row = upstream.get(id);
        if (row) upstream.set(id, { ...row, ...change });
        await Promise.resolve();
      },
      replaceUpstream: async (id, known, blob) => {
        const row = upstream.get(id);
        const isKnown = row !== undefined && row.blob === known;
        if (isKnown) upstream.set(id, { ...row, blob, ready: true });
        return await Promise.resolve(isKnown);
      },
      retireUpstream: async (id) => {
        const row = upstream.get(id);
        if (row) upstream.set(id, { ...row, retired: true });
        await Promise.resolve();
      },
    }),
    notices: partly<NoticeStore>('notices', {
      record: async ({ targetId, genuine }) => {
        if (genuine) heard.add(targetId);
        return await Promise.resolve('new');
      },
      heard: async (targetId) => await Promise.resolve(heard.has(targetId)),
      bodies: async () => await Promise.resolve([]),
    }),
    deliveries: partly<DeliveryStore>('deliveries', { list: async ({ limit }) => await Promise.resolve(structuredClone(deliveries.slice(0, limit))) }),
    catalogue: {
      listings: async () => await Promise.resolve([...listings.values()]),
      saveListing: async (listing) => {
        listings.set(`${listing.ramp} ${listing.providerId}`, listing);
        await Promise.resolve();
      },
      numbers: async () => await Promise.resolve([...numbers]),
      number: async (wanted) => {
        for (const one of wanted) {
          const has = numbers.some(
            ({ ramp, currencyCode, normalName }) => ramp === one.ramp && currencyCode === one.currencyCode && normalName === one.normalName,
          );
          const currencyId =
            numbers.find(({ currencyCode }) => currencyCode === one.currencyCode)?.currencyId ?? new Set(numbers.map((n) => n.currencyId)).size + 1;
          if (!has) numbers.push({ ...one, id: numbers.length + 1, currencyId });
        }
        const isWanted = (number: OptionNumber): boolean =>
          wanted.some((one) => one.ramp === number.ramp && one.currencyCode === number.currencyCode && one.normalName === number.normalName);
        return await Promise.resolve(numbers.filter(isWanted));
      },
    },
    // The record has no fills, and nothing is in flight.
    record: partly<RecordStore>('record', {
      inFlight: async () => await Promise.resolve(0n),
      read: async () => await Promise.resolve({ estimates: [], broken: [] }),
      oldReaders: async () => await Promise.resolve(false),
      linkRead: async (orderId, receive, at) =>
        await Promise.resolve(
          orders.set(orderId, (one) => one.linkReadOn === undefined, { linkReadOn: at, ...(receive === undefined ? {} : { linkReceive: receive }) }),
        ),
    }),
    reference: {
      read: async () => await Promise.resolve(references.filter(({ readOn }) => readOn > 0)),
      take: async (currency, { before, now: at }, lease) => {
        if (!references.has(currency)) references.insert(currency, { currency, readings: [], state: 'away', readOn: 0 });
        return await Promise.resolve(references.take(currency, lease, ({ readOn }) => readOn < before || readOn > at + (at - before)) !== undefined);
      },
      save: async (row, lease) => {
        if (references.holds(row.currency, lease.owner)) references.change(row.currency, lease.owner, () => true, { ...row, price: row.price }, true);
        await Promise.resolve();
      },
      keepOnly: async (currencies) => {
        references.remove(({ currency }) => !currencies.includes(currency));
        await Promise.resolve();
      },
    },
    operator: partly<OperatorStore>('operator', {
      switches: async () => await Promise.resolve([]),
      attemptInReview: async (id) => await Promise.resolve(intents.find((one) => (one.id === id || one.orderId === id) && isWithoutOrder(one))),
      closeAttempt: async (seen) =>
        await Promise.resolve(
          intents.set(seen.id, (one) => isWithoutOrder(one) && judgedAttemptOf(one) === judgedAttemptOf(seen), { state: 'dead', nextTryOn: Infinity }),
        ),
    }),
  });
  return { stores, events, deliveries, declined };
};
