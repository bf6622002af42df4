/**
 * What to do about an order attempt whose answer was lost. The provider may still commit the order late, so no finite wait tells "never" from
 * "not yet". We send the quote again only if the provider is known not to make a second order of it. Otherwise we wait until the quote is dead:
 * an expired quote can no longer become an order.
 */
import type { RepostProfile, Stage } from './order.ts';
import { sameId } from './same-id.ts';
import { jittered } from './order-life.ts';

export type PlacingProfile = { repost: RepostProfile; lateCommitMaxMs: number; statusBySession: boolean };

/** An order seen in the upstream session that nobody knew before and no other attempt has taken. */
export type NewOrder = { upstreamOrderId: string; stage?: Stage; pay?: bigint; receive?: bigint };

export type UnknownPlacing = {
  profile: PlacingProfile;
  quoted: { pay: bigint; receive: bigint; binding: boolean };
  /** When the quote was last sent (first try or re-POST). */
  sentOn: number;
  /** When the quote can no longer become an order: its expiry plus a grace period. */
  deadOn: number;
  /** How often it was sent again. */
  reposts: number;
  /** What the latest re-POST gave: an order, a refusal, or nothing again. */
  reply?: 'placed' | 'refused' | 'lost';
  /** The latest successful read, also one that a notice caused: when, and which new orders it showed. */
  read?: { on: number; found: NewOrder[] };
};

type Settled = { do: 'settle'; state: 'confirmed' | 'unpayable' | 'dead' | 'review'; upstreamOrderId?: string; note: string };
export type PlacingStep = { do: 'repost' } | { do: 'read' } | { do: 'wait'; until: number } | Settled;

/** How long after the quote's death we wait for a read that keeps failing. Whatever exists then, nobody can pay it. */
const lastReadMs = 10 * 60_000;

/** The next step for an attempt that is `unknown`. backOffMs spaces the steps. */
export const settlePlacing = (placing: UnknownPlacing, now: number): PlacingStep => {
  const { profile, deadOn, read, reply } = placing;
  if (reply === 'placed') return { do: 'settle', state: 'confirmed', note: 'the provider answered the repeated request with the order' };
  const found = read && read.found.length > 0 ? settleFound(placing, read.found) : undefined;
  const alive = now < deadOn;
  if (found?.state === 'review') return found;
  if (profile.repost === 'same' && alive && reply !== 'refused') return { do: 'repost' };
  if (found) return found;
  if (!profile.statusBySession) return alive ? { do: 'wait', until: deadOn } : dead('no order has appeared, and this provider cannot be asked');
  if (!alive) {
    if (read && read.on >= deadOn) return dead('the quote expired without becoming an order');
    return now >= deadOn + lastReadMs ? dead('the quote expired; the provider could not be read since') : { do: 'read' };
  }
  if (profile.repost !== 'rejects') return { do: 'read' };
  const certainFrom = placing.sentOn + profile.lateCommitMaxMs;
  if (now < certainFrom) return { do: 'wait', until: Math.min(certainFrom, deadOn) };
  return read && read.on >= certainFrom && placing.reposts === 0 ? { do: 'repost' } : { do: 'read' };
};

/** The order is real, but only the lost answer said how to pay it. Several orders, other amounts or money in it go to a human. */
const settleFound = ({ quoted }: UnknownPlacing, found: NewOrder[]): Settled => {
  const [only] = found;
  if (!only || found.length > 1) return { do: 'settle', state: 'review', note: `${found.length} new orders for one quote` };
  const settled = { do: 'settle', upstreamOrderId: only.upstreamOrderId } as const;
  const { stage = 'awaiting_payment' } = only;
  if (!unpaid.has(stage)) return { ...settled, state: 'review', note: `nobody was shown how to pay, yet the order is ${stage}` };
  if (!amountsMatch(quoted, only)) return { ...settled, state: 'review', note: 'the new order has other amounts than the quote' };
  return { ...settled, state: 'unpayable', note: 'the order exists, but the answer that said how to pay it was lost' };
};

const unpaid: ReadonlySet<Stage> = new Set<Stage>(['awaiting_payment', 'expired', 'failed']);

/** An amount that the provider does not state matches. An estimate may have moved. */
const amountsMatch = (quoted: UnknownPlacing['quoted'], order: NewOrder): boolean =>
  !quoted.binding || ((order.pay === undefined || order.pay === quoted.pay) && (order.receive === undefined || order.receive === quoted.receive));

const dead = (note: string): Settled => ({ do: 'settle', state: 'dead', note });

/** The orders of a session that can be this attempt's: not known before, and not taken by another attempt. Ids match in any form. */
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

/** 1, 2, 4, 8, 15, 30, then every 60 s, each ±20 %. `tries` counts from 0; `random` in [0, 1). */
export const backOffMs = (tries: number, random: number): number => jittered((backOffSeconds[tries] ?? 60) * 1_000, random);
