import { dateOf, mapped } from './mapped.ts';
import { defined } from '../../../src/domain/defined.ts';
import { given, oneOf, RampError, type Open } from './error.ts';
import type { Money } from './money.ts';
import { sidesOf } from './offer.ts';
import { payOf, type Pay } from './pay.ts';
import type { Runtime } from './runtime.ts';
import { watch, type Read } from './watch.ts';
import { stages as known, type Stage as KnownStage } from './words.gen.ts';
import type { Answer, PayoutKind, ProviderRef, RampName, Stage } from './words.ts';

/** The state of an order when it was read. */
export type OrderState = {
  id: string;
  ramp: RampName;
  stage: Stage;
  /** Whether the gateway has stopped checking the order. */
  final: boolean;
  provider: ProviderRef;
  /** All that the customer pays, and gets. Undefined if the API has no such amount. */
  pays: Money | undefined;
  gets: Money | undefined;
  /** How to pay. Absent once the order can no longer be paid. */
  pay?: Pay;
  /**
   * Liquidity. `channel`: the seller opens a channel. `redemption`: the seller gives a link, which opens a channel when the wallet redeems it.
   * `payment` (recharge): the seller pays the customer's invoice.
   */
  deliveredAs?: Open<'channel' | 'redemption' | 'payment'>;
  /** Liquidity, at stage `filled`: what opens the channel when the wallet redeems it. Whoever has it has the money: never log it. */
  redemption?: { lnurl?: string; link?: string };
  /** With failover: the providers that were tried before, and why they did not take the order. Empty when the order is read later. */
  movedFrom: { provider: ProviderRef; reason: string }[];
  /** Whether the order was filled with less than was ordered, or more was charged. The rest stays owed. */
  disputed: boolean;
  warnings: Open<'filled-differently' | 'link-pays-less'>[];
  /**
   * Buying, if the provider sends the sats itself: where it sends them, as stored by the gateway. Compare it with what you named. `is_proven`: see
   * docs/wallet.md.
   */
  payoutTo?: { [Kind in PayoutKind]?: string } & { is_proven: boolean };
  /** Why the order is in `review`, if the gateway says. */
  reviewReason?: Open<'paid-not-delivered' | 'contradiction' | 'unclear' | 'twin' | 'unsafe-link'>;
  nextCheckOn?: Date;
  raw: Readonly<Record<string, unknown>>;
};

export type Order = OrderState & {
  /** Reads the order again. */
  refresh: (signal?: AbortSignal) => Promise<OrderState>;
  /**
   * Yields the order's state now and at each change, until it is final. If the gateway does not answer, keeps asking for up to five minutes, calls
   * `onAway` after each failure, and yields the state once the gateway answers again. If `signal` aborts, throws its reason.
   */
  updates: (signal?: AbortSignal, onAway?: (error: RampError) => void) => AsyncGenerator<OrderState, void, undefined>;
  /**
   * Waits until the order reaches one of these stages or a later one. Throws RampError `ended` if the order goes another way: to `expired`, `failed`
   * or `refunded`, or to a `review` by the gateway's operator.
   */
  until: (stages: KnownStage | readonly KnownStage[], signal?: AbortSignal) => Promise<OrderState>;
};

type RawOrder =
  | (Answer<'/order'> | Answer<'/sell/order'> | Answer<'/liquidity/order'>)
  | (Answer<'/order-status'> | Answer<'/sell/order-status'> | Answer<'/liquidity/order-status'>)[string];
type Facts = {
  final?: boolean;
  next_check_on?: string;
  disputed?: boolean;
  warnings?: string[];
  review_reason?: string;
  expires_on?: string;
  moved_from?: OrderState['movedFrom'];
  redemption?: { lnurl?: string; link?: string };
  delivered_as?: string;
  payout_to?: OrderState['payoutTo'];
};

/** Reads an order from an answer of the gateway. Throws if a required member is missing, so call it within `readAs`. */
export const orderState = (ramp: RampName, id: string, raw: RawOrder): OrderState => {
  const facts: Facts = raw;
  const { final = false, disputed = false, warnings = [], moved_from: movedFrom = [], redemption } = facts;
  const { pays, gets } = sidesOf(ramp, raw);
  const pay = raw.payment_info && payOf(raw.payment_info, pays, facts.expires_on);
  return {
    id: given(id, 'order_id'),
    ramp,
    stage: given(raw.stage, 'stage'),
    final,
    provider: given(raw.provider, 'provider'),
    pays,
    gets,
    disputed,
    warnings,
    movedFrom,
    ...defined({
      pay,
      deliveredAs: facts.delivered_as,
      redemption,
      payoutTo: facts.payout_to,
      reviewReason: facts.review_reason,
      nextCheckOn: mapped(facts.next_check_on, dateOf),
    }),
    raw,
  };
};

/** The usual stages after payment, in sequence: an order at one of them has passed those before it. */
const ways: readonly Stage[] = ['paid', 'filled', 'finished'];
const reaches = (stage: Stage, wanted: Stage): boolean => stage === wanted || (ways.includes(wanted) && ways.indexOf(stage) > ways.indexOf(wanted));
const ends: Readonly<Record<string, { action: string; detail: string }>> = {
  expired: { action: 'requote', detail: 'The order expired unpaid. Do not pay it.' },
  failed: { action: 'ask-user', detail: 'The provider could not carry out the order.' },
  refunded: { action: 'ask-user', detail: 'The provider refunded the order.' },
  review: { action: 'contact-support', detail: 'The operator is looking at the order.' },
};

const seen = ({ stage, final, disputed, pays, gets, warnings, pay, redemption }: OrderState): string =>
  JSON.stringify([stage, final, disputed, pays, gets, warnings, pay !== undefined, redemption !== undefined]);

export const createOrder = (runtime: Runtime, first: OrderState, read: Read<OrderState>): Order => {
  const updates: Order['updates'] = (signal, onAway) => watch(runtime, { read, seen, isFinal: ({ final }) => final, onAway }, signal);
  return {
    ...first,
    refresh: read,
    updates,
    until: async (stages, signal) => {
      const wanted = oneOf('stage', known, stages);
      let last = first;
      for await (const state of updates(signal)) {
        last = state;
        if (wanted.some((one) => reaches(state.stage, one))) return state;
        if (ends[state.stage]) break;
      }
      const end = ends[last.stage] ?? { action: 'ask-user', detail: `The order ended as ${last.stage}.` };
      throw new RampError({
        code: 'ended',
        ...end,
        problem: { code: 'ended', order_id: first.id, stage: last.stage, review_reason: last.reviewReason },
      });
    },
  };
};
