/** What an operator can settle about one order. The commands (scripts/order.ts) and the endpoint of the console use the same functions. */
import { isFallbackLocked, mayBeEnded, mayBeLost, mayHaveLink, type BoughtNow } from '../../domain/lost-bought.ts';
import { isDelivered } from '../../domain/order-life.ts';
import type { Stage } from '../../domain/order.ts';
import { isClaimed } from '../../domain/ramp.ts';
import { judgedAttemptOf, judgedClaimOf, judgedOf } from '../../ports/judged.ts';
import type { Claim } from '../../ports/claims.ts';
import type { Dossier } from '../../ports/operator.ts';
import type { Order } from '../../ports/orders.ts';
import type { Stores } from '../../ports/stores.ts';
import { Problem } from '../problem.ts';
import { uuidForm } from './find-orders.ts';

export const settlings = ['leave-review', 'release-short', 'close-dispute', 'close-attempt', 'paid-not-filled', 'paid-otherwise', 'drop-fallback'] as const;
export type Settling = (typeof settlings)[number];

/**
 * What settling needs: the stores, a hash function, the time in Unix milliseconds, and a function that records the action under the operator's name.
 */
export type Desk = {
  stores: Pick<Stores, 'orders' | 'operator' | 'record' | 'claims'>;
  hash: (text: string) => string;
  now: number;
  record: (action: string, subject: string, detail: { [name: string]: string }) => Promise<void>;
};
/**
 * `id`: the id of the order or the attempt. `words`: the reason, how the dispute was settled, or the proof of payment. `stage`: only for
 * `leave-review`. `evidence`: only for `drop-fallback` and `paid-otherwise`. `pin`: what the operator saw (pinOf). Without it, the order or attempt
 * is settled as it is now.
 */
export type SettleRequest = { id: string; words: string; stage?: Stage | undefined; evidence?: string | undefined; pin?: string | undefined };

/** Returns the number of the last event of the order, or of the last try of an attempt without an order. */
export const sequenceOf = ({ intent, order }: Pick<Dossier, 'intent' | 'order'>): number => order?.sequence ?? intent.attempt;

const shortened = (hash: (text: string) => string, judged: string): string => hash(judged).slice(0, 16);
/** Returns a string that changes as soon as what an operator judges is no longer what they saw. */
export const pinOf = ({ intent, order, claim }: Pick<Dossier, 'intent' | 'order' | 'claim'>, hash: (text: string) => string): string =>
  shortened(hash, order ? judgedOf(order, order.terms) + judgedClaimOf(claim) : judgedAttemptOf(intent));

type State = BoughtNow & {
  ramp: Order['ramp'];
  payout: 'push' | undefined;
  placing: string;
  disputed?: boolean | undefined;
  released?: boolean | undefined;
  countable?: boolean | undefined;
};
/** Returns what can be settled about an order or an attempt in this state. */
export const settlingsOf = ({ placing, disputed, released, countable, ...order }: State, now: number): Settling[] => {
  const { ramp, payout, stage } = order;
  if (stage === undefined) return placing === 'review' ? ['close-attempt'] : [];
  return [
    ...(stage === 'review' ? (['leave-review'] as const) : []),
    ...(disputed === true && isClaimed(ramp, payout) && released !== true ? (['release-short'] as const) : []),
    ...(disputed === true ? (['close-dispute'] as const) : []),
    ...(countable === true && (!isDelivered(stage) || mayBeLost(order, now)) ? (['paid-not-filled'] as const) : []),
    ...(mayBeEnded(order, now) ? (['paid-otherwise'] as const) : []),
    ...(isFallbackLocked(order) ? (['drop-fallback'] as const) : []),
  ];
};

const refuse = (detail: string): never => {
  throw new Problem('not-possible-now', detail);
};
const changed = (id: string): never => {
  throw new Problem('order-changed', `${id}: the order changed meanwhile, and nothing was done. Look at it again, then repeat the command`);
};

type Bought = { order: Order; claim: Claim | undefined; now: BoughtNow };
/** Returns an order and its withdrawal, if there are any. Throws `order-changed` if they are no longer what the operator saw (`pin`). */
const boughtOf = async ({ stores, hash }: Desk, { id, pin }: SettleRequest): Promise<Bought | undefined> => {
  const order = uuidForm.test(id) ? await stores.orders.findAny(id) : undefined;
  if (!order) return undefined;
  // dropFallback decides by the state that claimNow reads, and does nothing if the claim has changed since it was read. So the claim is read first.
  const claim = await stores.claims.find(order.id);
  const now = { stage: order.stage, claim: await stores.operator.claimNow(order.id) };
  if (pin !== undefined && pin !== shortened(hash, judgedOf(order, order.watch) + judgedClaimOf(now.claim))) changed(id);
  return { order, claim, now };
};
const orderOf = async (desk: Desk, request: SettleRequest): Promise<Order | undefined> => (await boughtOf(desk, request))?.order;

/**
 * Settles an order or an attempt. Returns one sentence that says what was done. Throws `order-changed` or `not-possible-now`, and then nothing was
 * done.
 */
export const settle = async (desk: Desk, settling: Settling, request: SettleRequest): Promise<string> => await by[settling](desk, request);

const leaveReview = async (desk: Desk, request: SettleRequest): Promise<string> => {
  const { id, words: reason, stage } = request;
  const order = await orderOf(desk, request);
  if (order?.stage !== 'review') return refuse(`${id}: there is no such order in review`);
  if (stage === undefined || stage === 'review') return refuse('name the stage that the order is really in, other than review');
  await desk.record('order.leave-review', id, { stage, reason });
  const told = { pay: (order.toldPay ?? order.pay).toString(), receive: (order.toldReceive ?? order.receive).toString(), rawStatus: order.rawStatus };
  // The time makes this judgement differ from every earlier one of the same review (judgedOf).
  const reviewed = { ...told, on: desk.now };
  // The stage that the operator names replaces what earlier reads said about the customer's money.
  const { moneySeen: _seen, paidSeenOn: _since, ...watch } = order.watch;
  if (!(await desk.stores.operator.learn(order, { ...watch, beforeReview: stage, reviewed }, desk.now))) changed(id);
  return `the review of ${id} ends at the next read from the provider that does not contradict "${stage}". The order then has the stage that was read`;
};

/** Lets the customer withdraw what was delivered. The order stays disputed. */
const releaseShort = async (desk: Desk, request: SettleRequest): Promise<string> => {
  const { id, words: reason } = request;
  const order = await orderOf(desk, request);
  if (order?.disputed !== true) return refuse(`${id}: there is no such order, or it is not disputed`);
  if (order.terms.payout === 'push')
    return refuse(`${id}: nothing is withdrawn from this order, because its provider sends the sats. Close its dispute instead`);
  if (!isClaimed(order.ramp, undefined)) return refuse(`${id}: nothing is withdrawn from an order of the ramp "${order.ramp}". Close its dispute instead`);
  await desk.record('order.release-short', id, { reason });
  if (!(await desk.stores.operator.releaseShort(order, desk.now))) changed(id);
  return `${id}: what was delivered can be withdrawn, ${order.receive} of ${order.quotedReceive} sats. The rest stays owed`;
};

/** Ends the dispute about an order. A later report of other amounts is judged again. The provider's record stays as it is. */
const closeDispute = async (desk: Desk, request: SettleRequest): Promise<string> => {
  const { id, words: how } = request;
  const order = await orderOf(desk, request);
  if (order?.disputed !== true) return refuse(`${id}: there is no such order, or it is not disputed`);
  await desk.record('order.close-dispute', id, { how });
  const disputeClosed = { on: desk.now, pay: order.pay.toString(), receive: order.receive.toString() };
  if (!(await desk.stores.operator.learn(order, { ...order.watch, disputeClosed }, desk.now, { disputed: false, changedOn: desk.now }))) changed(id);
  return `${id} is no longer disputed`;
};

/** Closes an order attempt: it is not checked again until a genuine notice arrives. The answer that the customer gets does not change. */
const closeAttempt = async (desk: Desk, { id, words: reason, pin }: SettleRequest): Promise<string> => {
  const found = uuidForm.test(id) ? await desk.stores.operator.attemptInReview(id) : undefined;
  if (!found) return refuse(`${id}: there is no order attempt with this id that is in review and led to no order`);
  if (pin !== undefined && pin !== shortened(desk.hash, judgedAttemptOf(found))) changed(id);
  await desk.record('order.close-placing', found.id, { reason });
  if (!(await desk.stores.operator.closeAttempt(found))) changed(id);
  return `${found.id} is closed`;
};

const paidNotFilled = async (desk: Desk, request: SettleRequest): Promise<string> => {
  const { id, words: proof } = request;
  const order = await orderOf(desk, request);
  if (!order) return refuse(`${id}: there is no such order`);
  await desk.record('order.paid-not-filled', id, { proof });
  if (!(await desk.stores.record.paidNotFilled(id, desk.now, order))) {
    const after = await desk.stores.orders.findAny(id);
    if (after && judgedOf(after, after.watch) !== judgedOf(order, order.watch)) changed(id);
    return refuse(
      `${id} is ${order.stage}, and cannot be counted as paid and never filled: its stage does not allow it, or it was already counted${isDelivered(order.stage) ? '. A delivered order can be counted only once its link has expired, or if its provider refuses a link' : ''}`,
    );
  }
  return `${id} now counts as paid and never filled at ${order.providerId}`;
};

/**
 * Ends a filled order whose customer got the money or the sats in another way. If a link that pays the customer may exist, the operator must state
 * evidence that there is none or that it no longer pays. The provider's record stays as it is.
 */
const paidOtherwise = async (desk: Desk, request: SettleRequest): Promise<string> => {
  const { id, words: proof, evidence } = request;
  const found = await boughtOf(desk, request);
  if (!found) return refuse(`${id}: there is no such order`);
  const { order, now } = found;
  if (!mayBeEnded({ ...now, ramp: order.ramp, payout: order.terms.payout }, desk.now))
    return refuse(
      `${id} is ${order.stage}. Only a filled order whose sats the customer withdraws can be ended in this way, and not while its withdrawal link can be used`,
    );
  await desk.record('order.paid-otherwise', id, { proof, ...(evidence === undefined ? {} : { evidence }) });
  const done = await desk.stores.operator.paidOtherwise(order, now.claim, desk.now, evidence !== undefined);
  if (done === 'changed') changed(id);
  if (done === 'asking') return refuse(`${id}: the gateway may be asking for its withdrawal link at this moment. Repeat the command in a minute`);
  if (done === 'unsure')
    return refuse(
      `${id}: there may be a withdrawal link that still pays the customer, or pays to their fallback address. Ask ${order.providerId} to cancel the withdrawal. If it did, or if there is no link, state what it said as the evidence`,
    );
  return mayHaveLink({ ...order.watch, ...now })
    ? `${id} gets no withdrawal link any more, and is finished at the next read from the provider. A link that still pays would pay the customer twice`
    : `${id} can no longer be withdrawn, and is finished at the next read from the provider`;
};

/** Lets the customer name another fallback address, or none, if no link was given with the one that they named. */
const dropFallback = async (desk: Desk, request: SettleRequest): Promise<string> => {
  const { id, words: reason, evidence } = request;
  const { order, claim, now } = (await boughtOf(desk, request)) ?? {};
  if (!order || !claim || !isFallbackLocked(now ?? {}))
    return refuse(
      `${id}: there is no such order, or it has no fallback address that can be dropped. That needs a filled order without a withdrawal link, and a request for a link with a fallback address`,
    );
  await desk.record('order.drop-fallback', id, { reason, ...(evidence === undefined ? {} : { evidence }) });
  const done = await desk.stores.claims.dropFallback(claim, evidence !== undefined);
  if (done === 'changed') changed(id);
  if (done === 'lost')
    return refuse(
      `${id}: an answer may have been lost, so ${order.providerId} may have given a link that pays to this address. Ask it. If it gave none, state what it said as the evidence`,
    );
  return `${id}: the fallback address is dropped, and the next request may name another or none`;
};

const by: { readonly [name in Settling]: (desk: Desk, request: SettleRequest) => Promise<string> } = {
  'leave-review': leaveReview,
  'release-short': releaseShort,
  'close-dispute': closeDispute,
  'close-attempt': closeAttempt,
  'paid-not-filled': paidNotFilled,
  'paid-otherwise': paidOtherwise,
  'drop-fallback': dropFallback,
};
