import { defined } from '../../domain/defined.ts';
import { isShortReleased } from '../../domain/short-release.ts';
import type { FoundOrder, orderLists } from '../../ports/operator.ts';
import type { Gateway } from '../../ports/gateway.ts';
import { Problem } from '../problem.ts';
import { amountsOf, dayOf, findOrders, referenceHash, uuidForm, type Wanted } from './find-orders.ts';
import { logAction, type Operator } from './log-action.ts';
import { pageOf, placeOf } from './place.ts';
import { settlingsOf } from './settle.ts';

const dayMs = 86_400_000;
const pageSize = 100;
/**
 * An order is listed as late if its money, or a part of it, came longer ago than this and it is not delivered, or if its sats may have been lost for
 * longer than this.
 */
export const longestDeliveryMs = 3 * dayMs;
/** Many orders may have the same amount, so a search for an amount without a day goes back only this many days. */
const amountDays = 30;
/** A search for a request id looks only this many days back among the requests for prices, because there are many more of them than orders. */
const priceDays = 2;

export type SearchRequest = {
  anything?: string | undefined;
  list?: (typeof orderLists)[number] | undefined;
  provider?: string | undefined;
  request_id?: string | undefined;
  upstream_order_id?: string | undefined;
  reference?: string | undefined;
  day?: string | undefined;
  amount?: number | undefined;
  cursor?: string | undefined;
  limit?: number | undefined;
};

/**
 * Searches orders, page by page, newest first. `day` is a UTC date. `anything` may be an id, a reference, an amount or a day, whatever the operator
 * was given. The log of actions gets only hashes of words, because a reference, or something pasted by mistake, may be personal.
 */
export const searchOrders = async (gateway: Gateway, operator: Operator, request: SearchRequest) => {
  const { anything, cursor, limit = pageSize } = request;
  const before = placeOf(cursor);
  if (before && !uuidForm.test(before.id))
    throw new Problem('invalid-request', '/cursor: this is the cursor of another list. Send the `next_cursor` of the same search');
  const hashed = (text: string | undefined): string | undefined => text && gateway.hash(text);
  const { list, provider, day, amount } = request;
  const words = { word: hashed(anything), request_id: hashed(request.request_id), upstream_order_id: hashed(request.upstream_order_id) };
  await logAction(gateway, operator, 'orders.search', 'orders', defined({ ...words, reference: hashed(request.reference), list, provider, day, amount }));
  const wanted = wantedOf(gateway, request);
  const found = await findOrders(gateway.stores.operator, gateway.hash, wanted, limit + 1, before);
  const { shown, ...more } = pageOf(found, limit, (one) => ({ on: one.createdOn, id: one.intentId }));
  const from = request.day === undefined && wanted.to === undefined ? (wanted.from ?? wanted.or?.[0]?.from) : undefined;
  const isPrice = request.day === undefined && wanted.to === undefined && (wanted.requestId !== undefined || wanted.word !== undefined);
  return {
    orders: shown.map((one) => showFound(one, gateway.now())),
    ...more,
    ...(from === undefined ? {} : { amounts_from: time(from) }),
    ...(isPrice && wanted.pricedSince !== undefined ? { prices_from: time(wanted.pricedSince) } : {}),
  };
};

/** Returns whether the request names an id or a reference. An index finds such orders, so the search need not be limited to recent ones. */
const isExact = ({ request_id, upstream_order_id, reference }: SearchRequest): boolean =>
  request_id !== undefined || upstream_order_id !== undefined || reference !== undefined;

const wantedOf = (gateway: Gateway, request: SearchRequest): Wanted => {
  const word = request.anything?.trim();
  const isDay = request.day === undefined && dayOf(word ?? '') !== undefined;
  const day = dayOf(request.day ?? word ?? '');
  const recent = day ? {} : { from: gateway.now() - amountDays * dayMs };
  const narrowed: Wanted = {
    ...defined({
      requestId: request.request_id,
      upstreamOrderId: request.upstream_order_id,
      providerId: request.provider,
      list: request.list,
      referenceHash: request.reference === undefined ? undefined : referenceHash(gateway.hash, request.reference),
      amount: request.amount === undefined ? undefined : BigInt(request.amount),
    }),
    pricedSince: (day?.from ?? gateway.now()) - priceDays * dayMs,
    ...(request.amount === undefined || day || isExact(request) ? {} : recent),
    ...(request.list === 'late' ? { paidBefore: gateway.now() - longestDeliveryMs } : {}),
    ...day,
  };
  if (word === undefined || isDay) return narrowed;
  const amounts = amountsOf(word) ?? [];
  // A number without a unit may also be a provider's order id.
  return /[A-Za-z]/.test(word) && amounts.length > 0
    ? { ...narrowed, ...recent, amounts }
    : { ...narrowed, word, or: amounts.map((amount) => ({ amount, ...recent })) };
};

const time = (ms: number): string => new Date(ms).toISOString();
export const showFound = (found: FoundOrder, now: number) => ({
  order_id: found.orderId,
  provider: found.providerId,
  ramp: found.ramp,
  placing: found.state,
  request_id: found.requestId,
  customer: found.customerId,
  created_on: time(found.createdOn),
  since: time(found.stageOn ?? found.createdOn),
  ...defined({
    stage: found.stage,
    review_reason: found.reviewReason,
    upstream_order_id: found.upstreamOrderId,
    currency: found.currency,
    pay: found.pay?.toString(),
    receive: found.receive?.toString(),
  }),
  settlings: settlingsOf(
    {
      ramp: found.ramp,
      payout: found.payout,
      placing: found.state,
      stage: found.stage,
      disputed: found.disputed,
      released: found.pay !== undefined && found.receive !== undefined && isShortReleased({ ...found, pay: found.pay, receive: found.receive }),
      countable: found.countable,
      finishedUnlinked: found.finishedUnlinked,
      claim: found.claim,
    },
    now,
  ),
});
