/**
 * The functions here return a string that sums up what an operator judges when they settle an order or an attempt. The string changes as soon as
 * anything that they judge changes.
 */
import type { ClaimNow } from '../domain/lost-bought.ts';
import type { Intent } from './intents.ts';
import type { Order, OrderWatch } from './orders.ts';

type Judged = Pick<
  Order,
  | 'sequence'
  | 'stage'
  | 'rawStatus'
  | 'pay'
  | 'receive'
  | 'fee'
  | 'toldPay'
  | 'toldReceive'
  | 'toldFee'
  | 'linkReceive'
  | 'disputed'
  | 'shortReleasedOn'
  | 'recordedOn'
>;

const textOf = (values: readonly unknown[]): string => JSON.stringify(values, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));

/** The sequence alone is not enough: a read may report other amounts, or money for an order in review, and add no event that raises the sequence. */
export const judgedOf = (order: Judged, { reviewed, disputeClosed, ...watch }: OrderWatch): string =>
  textOf([
    [order.sequence, order.stage, order.rawStatus, order.disputed === true, order.shortReleasedOn, order.recordedOn],
    [order.pay, order.receive, order.fee, order.toldPay, order.toldReceive, order.toldFee, order.linkReceive],
    [watch.beforeReview, watch.reviewReason, watch.moneySeen, watch.paidSeenOn, watch.filledSeen, watch.refundUnseen, watch.arriving, watch.twinSeen],
    [reviewed?.on, reviewed?.pay, reviewed?.receive, reviewed?.rawStatus],
    [disputeClosed?.on, disputeClosed?.pay, disputeClosed?.receive, watch.provenOn, watch.paidOtherwiseOn],
  ]);

export const judgedClaimOf = (claim: Pick<ClaimNow, 'state' | 'attempt' | 'hasLink' | 'expiresOn'> | undefined): string =>
  textOf(claim ? [claim.state, claim.attempt, claim.hasLink, claim.expiresOn] : []);

export type JudgedAttempt = Pick<Intent, 'id' | 'state' | 'attempt' | 'upstreamOrderId' | 'evidence'>;
export const judgedAttemptOf = ({ id, state, attempt, upstreamOrderId, evidence }: JudgedAttempt): string =>
  textOf([id, state, attempt, upstreamOrderId, evidence]);
