import { checkPayoutAddress } from '../../bitcoin/address.ts';
import { toCanonicalLnurl } from '../../bitcoin/lnurl.ts';
import { customerLink } from '../../domain/links.ts';
import { formatHundredths } from '../../domain/money.ts';
import type { Stage } from '../../domain/order.ts';
import { unreadEnd } from '../../domain/lost-bought.ts';
import { isShortReleased } from '../../domain/short-release.ts';
import { backOffMs, longestBackOffMs } from '../../domain/settle-placing.ts';
import { ProviderFault } from '../../providers/fault.ts';
import { callProvider } from '../upstream/call-provider.ts';
import { followed, putInReview, refreshOrder, withNews } from './follow-orders.ts';
import { Problem, type ProblemMore } from '../problem.ts';
import type { Claim, ClaimChange } from '../../ports/claims.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Lease } from '../../ports/runtime.ts';
import type { Order } from '../../ports/orders.ts';
import { warningsOf, type FillWarning } from './judge-order-fill.ts';
import { int } from '../outward.ts';
import { closeLinkRead, withLinkRead } from './read-link.ts';
import { findOrder } from './read-orders.ts';
import { twinsOf } from './twins.ts';
import type { OpenSession } from '../sessions/read-session.ts';
import { leaseFor } from '../lease.ts';
import { workOnDue } from '../work-on-due.ts';
import { linkHosts, providerOf } from '../upstream/provider-of.ts';
import { upstreamBlob } from '../upstream/blob.ts';
import { fallbackPlace, lnurlPlace } from '../places.ts';
import type { Scope } from '../../ports/scope.ts';

export type WithdrawalRequest = { order_id: string; failback_onchain?: string | undefined; accept_short?: boolean; only_held?: boolean };
export type Withdrawal = { order_id: string; withdrawal_expiration_date: string; lnurlw: string; link_sats?: number; warnings?: FillWarning[] };

/**
 * Handles POST /withdrawal: requests the LNURL from the provider, and stores it sealed before answering, because a provider may refuse a second
 * request. While the link is valid, the same body gets the same LNURL. A fallback address can be named only in the request that starts the
 * withdrawal. It can be changed only while the provider has refused every request and no answer was lost, because then no link can exist.
 * `only_held`: gives only a valid link that we hold, and asks the provider for none.
 */
export const claimWithdrawal = async (scope: Scope, session: OpenSession, request: WithdrawalRequest): Promise<Withdrawal> => {
  const { gateway } = scope;
  let order = await findOrder(gateway, request.order_id, session.customerId, 'buy');
  if (order.terms.payout === 'push') throw pushed(order.final ? order : await refreshOrder(scope, order, 'read'));
  const fallback = request.failback_onchain === undefined ? undefined : checkFallback(gateway, order, request.failback_onchain);
  const known = await gateway.stores.claims.find(order.id);
  if (order.watch.paidOtherwiseOn !== undefined) throw paidOtherwise(order);
  if (request.only_held === true && !(known && isLive(gateway, known))) throw noneHeld(order, known);
  if (known) {
    // Until the customer gets a link, a shortfall that appeared after the withdrawal began still stops it. A read that is made for this answer may be
    // the first to show such a shortfall.
    const isUnseen = order.watch.linkUnseen === true;
    if (known.lnurl === undefined || isUnseen) refuseShort(order, request);
    const given = await answerClaim(scope, order, known, { fallback, request });
    if (!isUnseen) return given;
    await noteUnseen(gateway, order.id, undefined, (now) => refuseShort(now, request));
    return given;
  }
  if (order.stage !== 'filled') order = await refreshOrder(scope, order, 'read');
  if (order.stage !== 'filled') throw notWithdrawable(order);
  if (order.watch.twinSeen !== true && (await twinsOf(gateway, order)).some(({ state }) => state === 'confirmed')) {
    await putInReview(gateway, order, 'another order has the same id at the provider, so it is unclear whose money it is', {
      twinSeen: true,
      reviewReason: 'twin',
    });
    throw notWithdrawable({ ...order, stage: 'review' });
  }
  refuseShort(order, request);
  const lease = leaseFor(gateway, order.id);
  const created = await gateway.stores.claims.create({ orderId: order.id, now: gateway.now(), ...(await sealedFallback(gateway, order, fallback)) }, lease);
  const claim = await gateway.stores.claims.find(order.id);
  if (!claim) throw claimUnknown();
  if (!created) return await answerClaim(scope, order, claim, { fallback, request });
  return await fetchUnlost(scope, order, claim, lease);
};

const sealedFallback = async (gateway: Gateway, { id }: Order, fallback: string | undefined): Promise<Pick<Claim, 'fallback' | 'fallbackHash'>> =>
  fallback === undefined ? {} : { fallback: await gateway.seal.seal(fallback, fallbackPlace(id)), fallbackHash: gateway.hash(fallback) };

/** Asks for the LNURL for the first time, or after a refusal. Goes on even if the wallet no longer waits. */
const fetchUnlost = async (scope: Scope, order: Order, claim: Claim, lease: Lease): Promise<Withdrawal> => {
  const fetching = fetchLnurl(scope, order, claim, lease);
  scope.gateway.background(fetching.catch(() => undefined));
  return await fetching;
};

/**
 * Notes in the order that background work is fetching the link, which the customer has not seen (`linkUnseen`), or, without `linkUnseen`, that the
 * link is now being given out. Reads the order first, and again if another call changes it in the meantime. `check` gets the order after each read,
 * and may throw. Returns the order as noted.
 */
const noteUnseen = async (gateway: Gateway, orderId: string, linkUnseen: true | undefined, check?: (order: Order) => void): Promise<Order> => {
  for (;;) {
    const order = await gateway.stores.orders.findAny(orderId);
    if (!order) throw claimUnknown();
    check?.(order);
    const watch = withNews(order.watch, { linkUnseen });
    if (await gateway.stores.orders.advance(order, { watch }, undefined, [])) return { ...order, watch };
  }
};

const notWithdrawable = (order: Order): Problem =>
  order.final || order.stage === 'finished'
    ? new Problem('order-not-withdrawable', `The order is ${order.stage}: there is nothing to withdraw.`, {
        members: { retryable: false, action: 'contact-support' },
      })
    : notYet(order);
const paidOtherwise = ({ id }: Order): Problem =>
  new Problem(
    'order-not-withdrawable',
    'The operator has ended this order, because its sats, or the money for it, were paid to the customer in another way. There is nothing to withdraw.',
    { members: { order_id: id, retryable: false, action: 'contact-support' } },
  );
/** Returns whether the operator has ended the order, perhaps since it was read. From then on, no link is asked for, and none is given out. */
const isEnded = async (gateway: Gateway, orderId: string): Promise<boolean> =>
  (await gateway.stores.orders.findAny(orderId))?.watch.paidOtherwiseOn !== undefined;
/** Returns the problem for a request with `only_held` if we hold no valid link. The provider is not asked, so the order is as it was last read. */
const noneHeld = (order: Order, claim: Claim | undefined): Problem => {
  const { id, stage } = order;
  const none = (why: string, more: ProblemMore['members'] = {}) =>
    new Problem('withdrawal-expired', `There is no valid withdrawal link. ${why}`, { members: { order_id: id, ...more } });
  if (claim?.state === 'held' && claim.fallbackHash !== undefined)
    return none('The last link has expired, and the provider pays to the on-chain fallback address instead.');
  if (stage === 'filled' || (claim && isUsedUp(order, claim)))
    return none('Repeat the request without only_held: the gateway then asks the provider for a link.');
  return none(notWithdrawable(order).detail, { action: 'read-order' });
};
/**
 * Returns the problem for an order that the provider calls finished although our link has expired, if the provider gives no other link. `waitMs`: how
 * long until the provider can be asked again. Absent if it cannot be asked again.
 */
const noOther = ({ id }: Order, waitMs?: number): Problem =>
  new Problem(
    'order-not-withdrawable',
    'The provider says that the sats of this order were withdrawn. The last withdrawal link has expired, and the provider gave no new one. If the sats did not arrive, contact support.',
    waitMs === undefined ? { members: { order_id: id, retryable: false, action: 'contact-support' } } : { retryAfterMs: waitMs, members: { order_id: id } },
  );
const notYet = (order: Order): Problem =>
  new Problem('order-not-withdrawable', `The order is in stage ${order.stage}; it can be withdrawn once it is filled.`, { retryAfterMs: 5000 });
/**
 * Returns the problem for a wallet that asks for a link although the provider sends the sats itself. The problem says what has become of the sats.
 */
const pushed = ({ id, stage }: Order): Problem =>
  new Problem(
    'order-not-withdrawable',
    `The provider sends the sats of this order to its payout_to, so there is nothing to withdraw. So far: ${soFar[stage]}.`,
    {
      members: { order_id: id, retryable: false, action: stage === 'review' ? 'contact-support' : 'read-order' },
    },
  );
const soFar: Record<Stage, string> = {
  awaiting_payment: 'the payment has not arrived',
  underpaid: 'only a part of the payment has arrived',
  expired: 'the order expired unpaid',
  failed: 'the provider could not carry out the order',
  paid: 'the payment has arrived, and the sats have not been sent',
  filled: 'the sats are bought, and their payout has begun',
  finished: 'the sats were sent',
  refunded: 'the provider sent the payment back',
  review: 'the operator is checking the order',
};
const claimUnknown = (): Problem =>
  new Problem('claim-outcome-unknown', 'The provider has not given the withdrawal link yet. Repeat the same request.', {
    retryAfterMs: 5000,
  });

const fallbackRefused = (): Problem => {
  const detail =
    'The provider refused to give a withdrawal link with this fallback address: it may not pay to this kind of address, or the amount may be too small for it. Repeat the request with another address, or without one.';
  return new Problem('claim-outcome-unknown', detail, {
    errors: [{ pointer: '/failback_onchain', detail }],
    members: { action: 'ask-user', retryable: false },
  });
};

/** Throws if the fill is disputed, unless the customer agrees to take what was delivered, or the operator has released this fill or a worse one. */
const refuseShort = (order: Order, { accept_short: accepts }: WithdrawalRequest): void => {
  if (order.disputed === true && !isShortReleased({ ...order, ...order.watch }) && accepts !== true) throw orderShort(order);
};

const orderShort = (order: Order): Problem => {
  const fiat = (hundredths: bigint): string => formatHundredths(hundredths, order.terms.currency ?? '').trimEnd();
  const given = order.receive === order.quotedReceive ? `${order.receive} sats, as ordered,` : `${order.receive} sats instead of ${order.quotedReceive}`;
  const taken = order.pay > order.quotedPay ? ` and charged ${fiat(order.pay)} instead of ${fiat(order.quotedPay)}` : '';
  return new Problem(
    'order-short',
    `The provider filled the order with ${given}${taken}. Repeat with accept_short: true to withdraw what was delivered. The provider still owes the rest, and the operator has been told.`,
    {
      members: {
        order_id: order.id,
        amount_sats: int(order.receive),
        quoted_amount_sats: int(order.quotedReceive),
        amount_fiat: int(order.pay),
        quoted_amount_fiat: int(order.quotedPay),
      },
    },
  );
};

const linkRefused = (orderId: string): Problem =>
  new Problem(
    'payout-link-refused',
    'The provider gave a withdrawal link that is not on one of its own hosts. The link is withheld, and the operator is checking it.',
    {
      members: { order_id: orderId },
    },
  );

const checkFallback = (gateway: Gateway, order: Order, text: string): string => {
  if (order.facts.on_chain_fallback !== true)
    throw new Problem('fallback-unsupported', 'The provider of this order pays out only by Lightning. Leave out failback_onchain.');
  const checked = checkPayoutAddress(text, gateway.settings.network);
  if ('problem' in checked)
    throw new Problem('address-invalid', `failback_onchain: ${checked.problem}`, { errors: [{ pointer: '/failback_onchain', detail: checked.problem }] });
  return checked.address;
};

type Asked = { fallback: string | undefined; request: WithdrawalRequest };

const answerClaim = async (scope: Scope, known: Order, claim: Claim, { fallback, request }: Asked): Promise<Withdrawal> => {
  const { gateway } = scope;
  let order = known;
  if (claim.state === 'refused') {
    if (order.stage !== 'filled') order = await refreshOrder(scope, order, 'read');
    if (order.stage !== 'filled') throw notWithdrawable(order);
    refuseShort(order, request);
    // The same address is not tried again at once.
    if (fallback !== undefined && claim.fallbackHash === gateway.hash(fallback) && claim.nextTryOn > gateway.now()) throw fallbackRefused();
    const lease = leaseFor(gateway, order.id);
    const reopened = await gateway.stores.claims.reopen(order.id, { now: gateway.now(), ...(await sealedFallback(gateway, order, fallback)) }, lease);
    if (!reopened) throw claimUnknown();
    return await fetchUnlost(scope, order, reopened, lease);
  }
  if (fallback !== undefined && claim.fallbackHash !== gateway.hash(fallback))
    throw new Problem('withdrawal-differs', 'This withdrawal was requested with a different fallback address or without one. That can no longer be changed.');
  if (claim.state === 'review') {
    // A person must look at this claim. We ask the provider again only when a wallet asks for the link and the next try is due, and only if the order
    // is filled or its link was used.
    if (order.stage === 'review') throw order.watch.reviewReason === 'unsafe-link' ? linkRefused(order.id) : notWithdrawable(order);
    const mayAsk = order.stage === 'filled' || isUsedUp(order, claim);
    if (!mayAsk || (order.stage === 'filled' && claim.nextTryOn > gateway.now())) return await showLast(gateway, order, claim);
  }
  if (isLive(gateway, claim)) return await showHeld(scope, order, claim);
  if (claim.lnurl !== undefined) {
    if (claim.fallbackHash !== undefined)
      throw new Problem('withdrawal-expired', 'The withdrawal link has expired, and the provider pays to the on-chain fallback address instead.');
    if (!order.final) order = await refreshOrder(scope, order, 'read');
    const isFinished = isUsedUp(order, claim);
    if (order.stage !== 'filled' && !isFinished) throw notWithdrawable(order);
    // Usually the sats were withdrawn. But the link may have expired unused, or may never have paid, and only the provider can give another.
    if (isFinished && claim.nextTryOn > gateway.now()) throw noOther(order, claim.nextTryOn - gateway.now());
  }
  // If the link that we hold has expired and there is no fallback address, the provider is asked once more. A claim that has no link yet is tried
  // again, unless another call is already trying.
  const lease = leaseFor(gateway, order.id);
  const taken = await gateway.stores.claims.take(order.id, lease);
  if (!taken) throw claimUnknown();
  if (isLive(gateway, taken)) {
    // Another call has got the link in the meantime.
    await gateway.stores.claims.change(order.id, lease.owner, {});
    return await showHeld(scope, order, taken);
  }
  return await fetchLnurl(scope, order, taken, lease);
};

/** Returns whether the provider says that the sats were withdrawn by the link that we hold. */
const isUsedUp = ({ stage }: Order, { lnurl }: Claim): boolean => stage === 'finished' && lnurl !== undefined;

const isLive = (gateway: Gateway, claim: Claim): claim is Claim & { lnurl: string } =>
  claim.state === 'held' && claim.lnurl !== undefined && (claim.expiresOn === undefined || claim.expiresOn === unreadEnd || claim.expiresOn > gateway.now());

/** A link with an expiry that cannot be read counts as valid, and each response says that it is valid for ten more minutes. */
const unreadLifeMs = 10 * 60_000;
const endlessMs = 30 * 86_400_000;

/**
 * Returns when the link expires. An expiry that had passed before the link arrived must come from another time zone or a wrong clock, so it says
 * nothing about the link. We then use the link for some minutes. After that, we ask the provider again, and if it refuses, we show the link that we
 * hold. With a fallback address, we do not ask again and the withdrawal would be over, so such an expiry counts as unreadable.
 */
const endOf = (told: number | 'unreadable' | undefined, now: number, { fallback }: Claim): number | undefined => {
  const isPast = typeof told === 'number' && told <= now;
  if (told === 'unreadable' || (isPast && fallback !== undefined)) return unreadEnd;
  return isPast ? now + unreadLifeMs : told;
};

const show = async (gateway: Gateway, order: Order, sealed: string, expiresOn: number | undefined): Promise<Withdrawal> => {
  if (await isEnded(gateway, order.id)) throw paidOtherwise(order);
  return {
    order_id: order.id,
    // FLS01 requires a date. Without an expiry the date is far away; with an unreadable one it is near.
    withdrawal_expiration_date: new Date(expiresOn === unreadEnd ? gateway.now() + unreadLifeMs : (expiresOn ?? gateway.now() + endlessMs)).toISOString(),
    lnurlw: await gateway.seal.open(sealed, lnurlPlace(order.id)),
    ...(order.linkReceive === undefined ? {} : { link_sats: int(order.linkReceive) }),
    ...warningsOf(gateway, order),
  };
};

/** Shows a link that another call fetched, at the same time or earlier. */
const showHeld = async (scope: Scope, order: Order, claim: Claim & { lnurl: string }): Promise<Withdrawal> => {
  await closeLinkRead(scope, order);
  return await show(scope.gateway, order, claim.lnurl, claim.expiresOn);
};

const patientReads = 3;

/** Asks the provider for the LNURL once, under the claim's lease. Commits the result before answering. */
const fetchLnurl = async (scope: Scope, order: Order, claim: Claim, lease: Lease): Promise<Withdrawal> => {
  const { gateway } = scope;
  // From here on, the operator cannot end the order while the lease runs.
  if (await isEnded(gateway, order.id)) {
    await gateway.stores.claims.change(order.id, lease.owner, { state: 'review' });
    throw paidOtherwise(order);
  }
  const provider = providerOf(gateway, order.providerId);
  const adapter = provider.adapter.buy;
  if (adapter?.claim === undefined) throw new Error(`${provider.id} has no adapter with a claim`);
  const customer = await upstreamBlob(gateway, order.providerSessionId);
  if (customer === undefined && order.providerSessionId !== undefined && isUsedUp(order, claim)) {
    // The session that placed the order has been deleted (store/prune.ts), so its provider can no longer be asked, now or later.
    await gateway.stores.claims.change(order.id, lease.owner, {});
    throw noOther(order);
  }
  const fallbackAddress = claim.fallback === undefined ? undefined : await gateway.seal.open(claim.fallback, fallbackPlace(order.id));
  const options = {
    operation: 'claim',
    verb: 'claim',
    deadlineMs: gateway.settings.routing.order_deadline_ms,
    idempotent: false,
    customerKey: order.customerId,
    context: { idempotencyKey: order.id, ...(customer === undefined ? {} : { customer }) },
  } as const;
  try {
    const answer = await callProvider(scope, provider, options, async (context) => {
      try {
        return await adapter.claim(context, { order: followed(order), ...(fallbackAddress === undefined ? {} : { fallbackAddress }) });
      } catch (error) {
        // Some providers answer a second request with a string that is no link. If that counted as a fault, it would soon stop the claims of other
        // customers.
        if (!isUsedUp(order, claim) || !(error instanceof ProviderFault) || error.kind !== 'malformed') throw error;
        return { ok: false as const, refusal: { reason: 'declined' as const } };
      }
    });
    if (!answer.ok) return await refusedClaim(gateway, order, claim, lease);
    const sandbox = gateway.settings.mode === 'sandbox';
    const canonical = toCanonicalLnurl(answer.value.lnurl, { loopbackHttp: sandbox });
    if (!canonical || customerLink(canonical.url.href, linkHosts(provider, provider.core.payout_hosts), sandbox) === undefined) {
      gateway.log('error', 'payout_link_refused', { request_id: scope.requestId, order: order.id, provider: provider.id });
      if (isUsedUp(order, claim)) {
        // The customer has had a good link, and the sats were withdrawn, so nobody needs to look at the order.
        await gateway.stores.claims.change(order.id, lease.owner, nextTry(gateway, claim, false));
        throw noOther(order);
      }
      await gateway.stores.claims.change(order.id, lease.owner, { state: 'review' });
      await putInReview(gateway, order, "the withdrawal link is on a host that is not the provider's", { reviewReason: 'unsafe-link' });
      throw linkRefused(order.id);
    }
    const sealed = await gateway.seal.seal(canonical.lnurl, lnurlPlace(order.id));
    const expiresOn = endOf(answer.value.expiresOn, gateway.now(), claim);
    const held = { lnurl: sealed, ...(expiresOn === undefined ? {} : { expiresOn }) };
    if (!(await gateway.stores.claims.hold(order.id, lease.owner, held, claim.lnurl))) {
      // Our lease had expired, and another call took the claim. If that call has stored its own link, every caller gets that link. Otherwise it is
      // still asking.
      const kept = await gateway.stores.claims.find(order.id);
      if (!kept || !isLive(gateway, kept)) throw claimUnknown();
      return await showHeld(scope, order, kept);
    }
    const link = { url: canonical.url.href, isFirst: claim.lnurl === undefined };
    return await show(gateway, await withLinkRead(scope, provider, order, link), sealed, expiresOn);
  } catch (error) {
    if (error instanceof Problem) throw error;
    // An unreadable answer does not become readable by itself, so if we hold no link, we alert a person after three attempts. From then on, we ask
    // again only when a wallet does.
    const isUnreadable = claim.lnurl === undefined && error instanceof ProviderFault && error.kind === 'malformed' && claim.attempt >= patientReads;
    if (isUnreadable && claim.state !== 'review') gateway.log('error', 'claim_unreadable', { order: order.id, provider: order.providerId });
    const again = nextTry(gateway, claim, error instanceof ProviderFault && error.taken === 'no');
    const isStored = await gateway.stores.claims.change(order.id, lease.owner, { ...(isUnreadable ? { state: 'review' } : {}), ...again });
    if (isStored && !isUnreadable) tellMissing(gateway, order, claim, again);
    return await showLast(gateway, order, claim);
  }
};

/**
 * `isSure`: the provider certainly gave no link in answer to this request. If a wallet asks before the next try is due, the next try does not come
 * sooner.
 */
const nextTry = (gateway: Gateway, { attempt, isUnlost, nextTryOn, createdOn, askedOn = createdOn }: Claim, isSure: boolean) => {
  const now = gateway.now();
  return {
    attempt: attempt + 1,
    askedOn,
    ...(isSure && isUnlost === true ? { unlostAttempt: attempt + 1 } : {}),
    nextTryOn: Math.max(now + backOffMs(attempt, gateway.random()), Math.min(nextTryOn, now + longestBackOffMs)),
  };
};

const missingMs = 3_600_000;
type Again = ReturnType<typeof nextTry>;
/**
 * Alerts the operator once if a link is still missing about an hour after the customer last asked for it: at the first failed try after which the
 * next try is due later than that hour. A claim of an earlier release has no `askedOn`, and may have passed that hour without an alert. So its first
 * failed try in this release alerts the operator if the next try is due after that hour.
 */
const tellMissing = (gateway: Gateway, { id: order, providerId: provider }: Order, { state, lnurl, askedOn, nextTryOn }: Claim, again: Again): void => {
  const from = again.askedOn + missingMs;
  const isTold = askedOn !== undefined && nextTryOn >= from;
  if (state !== 'sending' || lnurl !== undefined || isTold || again.nextTryOn < from) return;
  gateway.count('order_oddities_total', { provider, kind: 'link-missing' });
  gateway.log('error', 'claim_unanswered', { order, provider });
};

/**
 * Handles a provider that refuses to give a link. A link that we hold is shown again while its order is `filled`, even after it has expired: it may
 * still pay, and there is no other. If we hold no link:
 * - If the request named a fallback address and no answer was lost, the address is dropped, because the provider may be refusing it. The customer can
 *   then name another.
 * - Otherwise, if the request named a fallback address, the order is finished or this was not the first attempt, a person must look at the claim.
 * - Otherwise, the claim is tried again.
 */
const refusedClaim = async (gateway: Gateway, order: Order, claim: Claim, lease: Lease): Promise<Withdrawal> => {
  const now = await refreshOrder({ gateway, requestId: order.id }, order, 'read');
  const isOver = now.stage === 'finished' || now.watch.finishedUnlinked === true;
  // A refused fallback address is not tried again by background work, even if it must be kept.
  const lost = claim.lnurl === undefined && (isOver || claim.attempt > 1 || claim.fallbackHash !== undefined);
  const again = nextTry(gateway, claim, true);
  const isOpen = claim.isUnlost === true && claim.lnurl === undefined && claim.fallbackHash !== undefined;
  const change: ClaimChange = isOpen ? { ...again, state: 'refused', fallback: null } : lost ? { ...again, state: 'review' } : again;
  const isStored = await gateway.stores.claims.change(order.id, lease.owner, change);
  if (isStored && change === again) tellMissing(gateway, order, claim, again);
  // A refused fallback address is the customer's to change, so nothing is lost yet, unless the provider says that nothing is left.
  if (lost && (isOver || !isOpen)) gateway.log('error', 'claim_lost', { order: order.id, provider: order.providerId });
  if (isOpen && now.stage === 'filled') throw fallbackRefused();
  if (isUsedUp(now, claim)) throw noOther(now);
  return await showLast(gateway, now, claim);
};

/**
 * Shows the link that we hold although it has expired, because there is no other. Throws a Problem if we hold none, or if the order is not `filled`.
 */
const showLast = async (gateway: Gateway, order: Order, claim: Claim): Promise<Withdrawal> => {
  if (claim.lnurl === undefined || order.stage !== 'filled') throw claimUnknown();
  return await show(gateway, order, claim.lnurl, unreadEnd);
};

/** Requests the links of at most `limit` claims that are due and have no outcome yet, with back-off. Returns how many it requested. */
export const settleClaims = async (gateway: Gateway, limit: number): Promise<number> => {
  const lease = leaseFor(gateway, 'claims00');
  return await workOnDue(gateway, {
    name: 'settle_claims',
    claim: async (share) => await gateway.stores.claims.claimDue(gateway.now(), lease, limit, share),
    providerOf: (claim) => claim.providerId,
    work: async ({ providerId: _provider, ...claim }) => await settleClaim(gateway, claim, lease),
    about: ({ orderId }) => ({ order: orderId }),
  });
};

const settleClaim = async (gateway: Gateway, claim: Claim, lease: Lease): Promise<void> => {
  const order = await gateway.stores.orders.findAny(claim.orderId);
  if (!order) return;
  try {
    const noted = claim.lnurl === undefined ? await noteUnseen(gateway, order.id, true) : order;
    await fetchLnurl({ gateway, requestId: order.id }, noted, claim, lease);
  } catch (error) {
    if (!(error instanceof Problem)) throw error; // the outcome of a Problem is in the claim's row
  }
};
