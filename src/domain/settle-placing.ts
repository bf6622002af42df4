/**
 * Decides what to do about an order attempt whose answer was lost. The provider may still commit the order late, so an order that cannot be seen yet
 * may still come. We send the quote again only if the provider is known not to make a second order for it. Otherwise we wait, and look for the order,
 * until the quote has expired and can no longer become an order.
 */
import type { RepostProfile, Stage } from './order.ts';
import { sameId } from './same-id.ts';
import { jittered } from './order-life.ts';

export type PlacingProfile = { repost: RepostProfile; lateCommitMaxMs: number; statusBySession: boolean };

/** An order in the upstream session that was not known before this attempt and that no other attempt has taken. */
export type NewOrder = { upstreamOrderId: string; stage?: Stage; pay?: bigint; receive?: bigint; moneySeen?: boolean };

export type UnknownPlacing = {
  profile: PlacingProfile;
  quoted: { pay: bigint; receive: bigint; binding: boolean };
  /** When the quote was last sent, either first or as a re-POST. */
  sentOn: number;
  /**
   * The time from which the quote can no longer become an order: usually its expiry plus a grace period (exceptions: new-intent.ts,
   * after-restore.ts).
   */
  deadOn: number;
  /** How many times the quote was sent again. */
  reposts: number;
  /** The result of the latest re-POST: an order, a refusal, or again no answer. */
  reply?: 'placed' | 'refused' | 'lost';
  /** The latest successful read, including one caused by a provider's notice: its time, and the new orders that it showed. */
  read?: { on: number; found: NewOrder[] };
};

type Settled = { do: 'settle'; state: 'confirmed' | 'unpayable' | 'dead' | 'review'; upstreamOrderId?: string; note: string };
export type PlacingStep = { do: 'repost' } | { do: 'read' } | { do: 'wait'; until: number } | Settled;

/**
 * If reads fail, we go on trying for this long after `deadOn`. Then we give up: even if the order exists, there is no record that its customer was shown how to pay it.
 */
const lastReadMs = 10 * 60_000;

/** Decides the next step for an attempt in the state `unknown`. The caller spaces the steps by backOffMs. */
export const settlePlacing = (placing: UnknownPlacing, now: number): PlacingStep => {
  const { profile, deadOn, read, reply } = placing;
  if (reply === 'placed') return { do: 'settle', state: 'confirmed', note: 'the provider answered the repeated request with the order' };
  const found = read && read.found.length > 0 ? settleFound(placing, read.found) : undefined;
  const alive = now < deadOn;
  if (found?.state === 'review') return found;
  if (profile.repost === 'same' && alive && reply !== 'refused') return { do: 'repost' };
  if (found) return found;
  if (!profile.statusBySession)
    return alive
      ? { do: 'wait', until: deadOn }
      : dead('the quote expired without becoming an order that we know of, and this provider does not list its orders');
  if (!alive) {
    if (read && read.on >= deadOn) return dead('the quote expired without becoming an order');
    return now >= deadOn + lastReadMs ? dead('the quote expired, and no read from the provider has succeeded since') : { do: 'read' };
  }
  if (profile.repost !== 'rejects') return { do: 'read' };
  const certainFrom = placing.sentOn + profile.lateCommitMaxMs;
  if (now < certainFrom) return { do: 'wait', until: Math.min(certainFrom, deadOn) };
  return read && read.on >= certainFrom && placing.reposts === 0 ? { do: 'repost' } : { do: 'read' };
};

/**
 * Decides about new orders that a read has found. A single order is real, but only the lost answer said how to pay it, so it is unpayable. Several
 * orders, different amounts, or an order that was paid need a person.
 */
const settleFound = ({ quoted }: UnknownPlacing, found: NewOrder[]): Settled => {
  const [only] = found;
  if (!only || found.length > 1) return { do: 'settle', state: 'review', note: `the provider has ${found.length} new orders, but only one quote was ordered` };
  const settled = { do: 'settle', upstreamOrderId: only.upstreamOrderId } as const;
  const { stage = 'awaiting_payment' } = only;
  if (!unpaid.has(stage) || only.moneySeen === true)
    return {
      ...settled,
      state: 'review',
      note: `there is no record that the customer was shown how to pay, yet the order is ${unpaid.has(stage) ? 'paid' : stage}`,
    };
  if (!amountsMatch(quoted, only)) return { ...settled, state: 'review', note: "the new order's amounts differ from the quote's" };
  return { ...settled, state: 'unpayable', note: 'the order exists, but the answer that said how to pay it was lost' };
};

const unpaid: ReadonlySet<Stage> = new Set<Stage>(['awaiting_payment', 'expired', 'failed']);

/** Returns whether an order's amounts match the quote. An amount that the provider does not state matches, and so does any amount of an estimate. */
const amountsMatch = (quoted: UnknownPlacing['quoted'], order: NewOrder): boolean =>
  !quoted.binding || ((order.pay === undefined || order.pay === quoted.pay) && (order.receive === undefined || order.receive === quoted.receive));

const dead = (note: string): Settled => ({ do: 'settle', state: 'dead', note });

/**
 * Returns the orders of a session that can belong to this attempt: not known before it, and not taken by another attempt. Ids match in whatever form
 * they are written.
 */
export const newOrders = <T extends { upstreamOrderId?: string }>(
  rows: T[],
  knownBefore: readonly string[],
  claimed: readonly string[],
): (T & { upstreamOrderId: string })[] =>
  rows.flatMap((row) => {
    const { upstreamOrderId } = row;
    return upstreamOrderId === undefined || [...knownBefore, ...claimed].some((known) => sameId(known, upstreamOrderId)) ? [] : [{ ...row, upstreamOrderId }];
  });

const backOffSeconds = [1, 2, 4, 8, 15, 30];

/** Returns how long to wait after try number `tries`, counted from 0: 1, 2, 4, 8, 15, 30, then 60 s, each ±20 %. `random` is in [0, 1). */
export const backOffMs = (tries: number, random: number): number => jittered((backOffSeconds[tries] ?? 60) * 1_000, random);
export const longestBackOffMs = jittered(60_000, 1);
