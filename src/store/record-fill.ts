/**
 * The only code that adds to the record. A fill is counted in the transaction that stores that the order was filled, or later by background work.
 * Locks are taken in this sequence: the order, its fill, the sums.
 */
import { and, eq, sql, type SQL } from 'drizzle-orm';
import type { Ramp } from '../domain/ramp.ts';
import { bpsDown } from '../domain/money.ts';
import { defined } from '../domain/defined.ts';
import {
  added,
  correction,
  countFill,
  decayed,
  emptyWindows,
  fallsShorter,
  paymentDueBy,
  utcDay,
  type Counted,
  type Fill,
  type Sums,
  type Windows,
} from '../domain/record.ts';
import type { Transaction } from './database.ts';
import { fills, orders, recordBroken, recordEstimates } from './schema.ts';

/** What an order, its intent and its route say about its fill. Amounts are strings, as the driver returns them. */
type Facts = {
  provider_id: string;
  ramp: Ramp;
  stage: string;
  currency: string | null;
  option: string | null;
  binding: boolean;
  quoted_pay: string;
  quoted_receive: string;
  quoted_fee: string | null;
  ends_on: number | null;
  arrival_seconds: number | null;
  network: 'lightning' | 'onchain' | null;
  paid_on: number | null;
  told_pay: string;
  told_receive: string;
  link_receive: string | null;
  rank: number;
  offers: { offer: { pay: string; receive: string } }[] | null;
  quoted_on: number | null;
  ordered_on: number;
  filled_on: number | null;
  reference: string | null;
  market: string | null;
  market_on: number | null;
};

/** Returns SQL for when the order was last refunded, or for the beginning of time if it never was. */
export const lastRefund = (orderId: SQL): SQL =>
  sql`coalesce((select max(r.at) from order_events r where r.order_id = ${orderId} and r.to_stage = 'refunded'), '-infinity')`;

/** Locks the order and reads its facts. If the route has been deleted, `offers` is null. */
const factsOf = async (tx: Transaction, orderId: string): Promise<Facts | undefined> => {
  await tx.execute(sql`select 1 from orders where id = ${orderId} for update`);
  const rows = await tx.execute<Facts>(sql`
    select o.provider_id, o.ramp, o.stage, i.quote->'route'->'asked'->>'currency' as currency,
      coalesce(i.quote->'route'->'asked'->>'option', i.quote->'terms'->>'optionName') as option,
      coalesce((i.quote->'route'->'offers'->0->>'countsAsBinding')::boolean, o.binding) as binding,
      o.quoted_pay::text, o.quoted_receive::text, coalesce(o.told_pay, o.pay)::text as told_pay, coalesce(o.told_receive, o.receive)::text as told_receive,
      i.quote->'route'->'offers'->0->'offer'->>'fee' as quoted_fee, (extract(epoch from o.expires_on) * 1000)::float8 as ends_on,
      (o.terms->>'arrivalSeconds')::float8 as arrival_seconds, o.terms->>'network' as network,
      -- A part of the payment does not count: a customer could send the rest years later. Neither does what was paid before a refund.
      (select (extract(epoch from min(p.at)) * 1000)::float8 from (
          select to_timestamp((o.terms->>'paidSeenOn')::float8 / 1000) as at
          union all select e.at from order_events e where e.order_id = o.id and e.to_stage in ('paid', 'filled', 'finished')
        ) p where p.at >= ${lastRefund(sql`o.id`)}) as paid_on,
      o.link_receive::text, ('x' || right(o.quote_id::text, 2))::bit(8)::int as rank, r.route->'route'->'offers' as offers,
      (i.quote->'route'->>'decidedOn')::float8 as quoted_on, (extract(epoch from o.created_on) * 1000)::float8 as ordered_on,
      (select (extract(epoch from min(e.at)) * 1000)::float8 from order_events e
        where e.order_id = o.id and e.to_stage in ('filled', 'finished') and e.at >= ${lastRefund(sql`o.id`)}) as filled_on,
      case when i.quote->'route'->'policy'->'reference'->>'source' = 'live' and i.quote->'route'->'policy'->'reference'->>'disputed' is null
        then i.quote->'route'->'policy'->'reference'->>'btcPrice' end as reference,
      m.price::text as market, (extract(epoch from m.read_on) * 1000)::float8 as market_on
    from orders o join intents i on i.id = o.intent_id
    left join reference_prices m on m.currency = i.quote->'route'->'asked'->>'currency' and m.state = 'live'
    left join routes r on r.id = (left(o.quote_id::text, 34) || '00')::uuid
    where o.id = ${orderId}`);
  return rows[0];
};

/** Returns how much better an offer was than the best other offer of its route, in basis points. Null if there was no other, or if it is unknown. */
const leadOf = ({ rank, offers }: Facts): number | null => {
  const nets = (offers ?? []).map(({ offer }) => ({ n: BigInt(offer.receive), d: BigInt(offer.pay) }));
  const own = nets[rank - 1];
  const [best, ...rest] = nets.filter((_, index) => index !== rank - 1);
  if (!own || !best || own.n === 0n) return null;
  const other = rest.reduce((a, b) => (b.n * a.d > a.n * b.d ? b : a), best);
  if (other.n === 0n) return null;
  return Math.max(-10_000, Math.min(1_000_000_000, bpsDown(own.n * other.d - other.n * own.d, other.n * own.d)));
};

/** A live reference price counts as the price at the fill if it was read at most this long before or after the fill. */
const sameMomentMs = 150_000;

/** The part of a fill that is not stored in `fills`. */
type Context = Pick<Fill, 'quotedFee' | 'paidOn' | 'dueBy'>;

const contextOf = ({ ramp, quoted_fee: fee, ends_on: end, arrival_seconds: arrival, network, paid_on: paidOn }: Facts): Context =>
  defined({
    quotedFee: fee === null ? undefined : BigInt(fee),
    paidOn: paidOn ?? undefined,
    dueBy: paymentDueBy({ ramp, expiresOn: end ?? undefined, arrivalSeconds: arrival ?? undefined, network: network ?? undefined }),
  });

const readContext = async (tx: Transaction, orderId: string): Promise<Context> => {
  const facts = await factsOf(tx, orderId);
  return facts ? contextOf(facts) : {};
};

const fillOf = (facts: Facts, told: boolean, now: number): Fill => {
  const filledOn = told ? (facts.filled_on ?? now) : now;
  const isOfTheFill = facts.market_on !== null && Math.abs(facts.market_on - filledOn) <= sameMomentMs;
  return {
    ramp: facts.ramp,
    binding: facts.binding,
    quotedPay: BigInt(facts.quoted_pay),
    quotedReceive: BigInt(facts.quoted_receive),
    ...contextOf(facts),
    ...(told ? { toldPay: BigInt(facts.told_pay), toldReceive: BigInt(facts.told_receive) } : {}),
    ...(facts.link_receive === null ? {} : { linkReceive: BigInt(facts.link_receive) }),
    quotedOn: facts.quoted_on ?? facts.ordered_on,
    filledOn,
    ...(facts.reference === null ? {} : { referenceQuoted: BigInt(facts.reference) }),
    ...(facts.market !== null && isOfTheFill ? { referenceFilled: BigInt(facts.market) } : {}),
  };
};

export type RecordFill = {
  orderId: string;
  now: number;
  /**
   * `paid`: the provider was paid and did not fill the order, or it took back its report that it had. `proven`: the operator has a proof of payment,
   * so it does not matter when the provider reported the payment.
   */
  as: 'filled' | 'paid' | 'proven';
};

/**
 * Counts an order's fill, once. Later calls only correct it: if the order counted as never filled and was filled after all, or if the provider now
 * reports less. Counts a refunded order only if it is `proven`. Does not count an adopted order (found after a restore), which has no quote of ours.
 * Returns false if nothing was counted or corrected.
 */
export const recordFill = async (tx: Transaction, { orderId, now, as }: RecordFill): Promise<boolean> => {
  const facts = await factsOf(tx, orderId);
  if (!facts) return false;
  await tx.update(orders).set({ recordedOn: now }).where(eq(orders.id, orderId));
  // A refunded order's amounts are those that went back, so they are no fill. Such an order counts only if the operator has a proof (`proven`).
  if (facts.option === null || (facts.stage === 'refunded' && as !== 'proven')) return false;
  const { paidOn, ...other } = fillOf(facts, as === 'filled', now);
  const fill: Fill = { ...other, ...(as === 'proven' ? {} : defined({ paidOn })) };
  const counted = countFill(fill);
  const row = {
    toldPay: fill.toldPay ?? null,
    toldReceive: fill.toldReceive ?? null,
    filledOn: fill.filledOn,
    linkReceive: fill.linkReceive ?? null,
    referenceFilled: fill.referenceFilled ?? null,
    ...countedColumns(counted),
  };
  const key: Key = { providerId: facts.provider_id, ramp: facts.ramp, currency: facts.currency ?? '', option: facts.option };
  const made = await tx
    .insert(fills)
    .values({
      ...key,
      ...row,
      orderId,
      countedOn: now,
      binding: fill.binding,
      quotedPay: fill.quotedPay,
      quotedReceive: fill.quotedReceive,
      leadBps: leadOf(facts),
      quotedOn: fill.quotedOn,
      orderedOn: facts.ordered_on,
      referenceQuoted: fill.referenceQuoted ?? null,
    })
    .onConflictDoNothing()
    .returning({ orderId: fills.orderId });
  if (made.length === 1) {
    await count(tx, key, counted, now, Math.max(0, utcDay(now) - utcDay(fill.filledOn)));
    return true;
  }
  const [known] = await tx.select().from(fills).where(eq(fills.orderId, orderId));
  if (!known) return false;
  // A proof of payment outranks the amount that the provider says it was paid.
  const nothing = { toldReceive: 0n, ...(as === 'proven' ? { toldPay: known.quotedPay } : {}) };
  if (known.toldReceive !== null) return await recordLess(tx, known, as === 'filled' ? fill : nothing, now, as === 'proven');
  if (as === 'paid' || (as === 'proven' && known.countedIn !== 'none')) return false;
  await tx.update(fills).set(row).where(eq(fills.orderId, orderId));
  await correct(tx, countFill({ ...knownFill(known), ...contextOf(facts) }), { known, counted, now, agedDays: 0 });
  return true;
};

/**
 * Corrects a counted fill by what the order's status now reports. Call it with the order locked. Most reads report what is already known; then this
 * reads only one row. A fill that has not been counted yet waits for background work; a fill that was pruned is not counted again.
 */
export const recordReport = async (tx: Transaction, orderId: string, told: Partial<Told>, now: number): Promise<void> => {
  const [known] = await tx.select().from(fills).where(eq(fills.orderId, orderId));
  if (known && known.toldReceive !== null) await recordLess(tx, known, told, now);
};

type Told = { toldPay: bigint; toldReceive: bigint };

/**
 * Counts the least that the provider has reported about a fill. A later report that is better changes nothing; otherwise a shortfall would count only
 * until the provider says something else. The sums become what they would be if the provider had reported the least at once. `proven`: see
 * RecordFill. Returns whether anything changed.
 */
const recordLess = async (tx: Transaction, known: KnownFill, { toldPay, toldReceive }: Partial<Told>, now: number, proven = false): Promise<boolean> => {
  if ((toldPay ?? known.toldPay) === known.toldPay && (toldReceive ?? known.toldReceive) === known.toldReceive) return false;
  const before = { ...knownFill(known), ...(await readContext(tx, known.orderId)) };
  const { paidOn, ...other } = before;
  const after: Fill = { ...other, ...defined({ paidOn: proven ? undefined : paidOn, toldPay, toldReceive }) };
  const counted = countFill(after);
  if (!fallsShorter(countFill(before), counted)) return false;
  const told = { toldPay: after.toldPay ?? null, toldReceive: after.toldReceive ?? null };
  await tx
    .update(fills)
    .set({ ...told, ...countedColumns(counted) })
    .where(eq(fills.orderId, known.orderId));
  await correct(tx, countFill(before), { known, counted, now, agedDays: Math.max(0, utcDay(now) - utcDay(known.filledOn)) });
  return true;
};

const knownFill = (known: KnownFill): Fill => ({
  ramp: known.ramp,
  binding: known.binding,
  quotedPay: known.quotedPay,
  quotedReceive: known.quotedReceive,
  ...(known.toldPay === null ? {} : { toldPay: known.toldPay }),
  ...(known.toldReceive === null ? {} : { toldReceive: known.toldReceive }),
  ...(known.linkReceive === null ? {} : { linkReceive: known.linkReceive }),
  quotedOn: known.quotedOn,
  filledOn: known.filledOn,
  ...(known.referenceQuoted === null ? {} : { referenceQuoted: known.referenceQuoted }),
  ...(known.referenceFilled === null ? {} : { referenceFilled: known.referenceFilled }),
});

/**
 * Called after a withdrawal link was read. If the fill has been counted, counts it again with what the link pays, and corrects the sums by the
 * change, as of today. A link never makes a counted fill look better. Otherwise it could undo what a proof of payment had counted.
 */
export const recordLink = async (tx: Transaction, orderId: string, linkReceive: bigint, now: number): Promise<void> => {
  const [known] = await tx.select().from(fills).where(eq(fills.orderId, orderId)).for('update');
  if (!known) return;
  const before = { ...knownFill(known), ...(await readContext(tx, orderId)) };
  const counted = countFill({ ...before, linkReceive });
  const stays = known.countedIn !== 'none' && !fallsShorter(countFill(before), counted);
  await tx
    .update(fills)
    .set({ linkReceive, ...(stays ? {} : countedColumns(counted)) })
    .where(eq(fills.orderId, orderId));
  if (!stays) await correct(tx, countFill(before), { known, counted, now, agedDays: 0 });
};

const countedColumns = ({ row, quotedSats, deliveredSats }: Counted) => ({ countedIn: row, countedQuoted: quotedSats, countedDelivered: deliveredSats });

// ---- the sums --------------------------------------------------------------------------------------------------------------------------

type Key = { providerId: string; ramp: Ramp; currency: string; option: string };
type Stored = { day: number; quotedSats: bigint; deliveredSats: bigint; fastQuotedSats: bigint; fastDeliveredSats: bigint };

export const windowsOf = ({ quotedSats, deliveredSats, fastQuotedSats, fastDeliveredSats }: Omit<Stored, 'day'>): Windows => ({
  slow: { quotedSats, deliveredSats },
  fast: { quotedSats: fastQuotedSats, deliveredSats: fastDeliveredSats },
});
const columnsOf = ({ slow, fast }: Windows) => ({
  quotedSats: storable(slow.quotedSats),
  deliveredSats: storable(slow.deliveredSats),
  fastQuotedSats: storable(fast.quotedSats),
  fastDeliveredSats: storable(fast.deliveredSats),
});
/**
 * Limits a sum to what its column can hold (8 bytes). A provider that sells to itself can make a sum as large as it likes, and must not stop the
 * others.
 */
const storable = (sats: bigint): bigint => (sats > mostStored ? mostStored : sats < -mostStored ? -mostStored : sats);
const mostStored = 9_000_000_000_000_000_000n;

/**
 * Returns a row's sums with `more` added, as of today. If another instance's clock is ahead, the row's own day may be later; then the sums are as of
 * that day.
 */
const withAdded = (stored: Stored, more: Windows, today: number) => {
  const day = Math.max(stored.day, today);
  const now = decayed(windowsOf(stored), day - stored.day);
  return { day, ...columnsOf({ slow: added(now, more.slow).slow, fast: added(now, more.fast).fast }) };
};
const both = (sums: Sums): Windows => ({ slow: sums, fast: sums });
const zero = columnsOf(emptyWindows());
const nothing: Sums = { quotedSats: 0n, deliveredSats: 0n };

const ofOption = (key: Key) =>
  and(
    eq(recordEstimates.providerId, key.providerId),
    eq(recordEstimates.ramp, key.ramp),
    eq(recordEstimates.currency, key.currency),
    eq(recordEstimates.option, key.option),
  );
const ofProvider = ({ providerId, ramp }: Key) => and(eq(recordBroken.providerId, providerId), eq(recordBroken.ramp, ramp));

/** The totals are in the row of the estimates, so that we write one row per option. `orders` is 1 for a new fill. */
type Addition = { estimates: Windows; all: Sums; orders: number };

const addToEstimates = async (tx: Transaction, key: Key, addition: Addition, now: number): Promise<void> => {
  const today = utcDay(now);
  await tx
    .insert(recordEstimates)
    .values({ ...key, ...zero, day: today, orders: 0, allQuotedSats: 0n, allDeliveredSats: 0n, since: now })
    .onConflictDoNothing();
  const [stored] = await tx.select().from(recordEstimates).where(ofOption(key)).for('update');
  if (!stored) throw new Error('a row of sums is gone');
  await tx
    .update(recordEstimates)
    .set({
      ...withAdded(stored, addition.estimates, today),
      orders: stored.orders + addition.orders,
      allQuotedSats: storable(stored.allQuotedSats + addition.all.quotedSats),
      allDeliveredSats: storable(stored.allDeliveredSats + addition.all.deliveredSats),
    })
    .where(ofOption(key));
};

const addToBroken = async (tx: Transaction, key: Key, more: Windows, now: number): Promise<void> => {
  const today = utcDay(now);
  const { providerId, ramp } = key;
  await tx
    .insert(recordBroken)
    .values({ providerId, ramp, ...zero, day: today })
    .onConflictDoNothing();
  const [stored] = await tx.select().from(recordBroken).where(ofProvider(key)).for('update');
  if (!stored) throw new Error('a row of sums is gone');
  await tx
    .update(recordBroken)
    .set(withAdded(stored, more, today))
    .where(ofProvider(key));
};

/** Counts a new fill. A fill that is found days later counts as if it had been counted on its day and had decayed since. */
const count = async (tx: Transaction, key: Key, counted: Counted, now: number, agedDays: number): Promise<void> => {
  const aged = decayed(both(counted), agedDays);
  const addition = { estimates: counted.row === 'estimates' ? aged : both(nothing), all: counted.tells ? counted : nothing, orders: counted.tells ? 1 : 0 };
  if (counted.tells) await addToEstimates(tx, key, addition, now);
  if (counted.row === 'broken') await addToBroken(tx, key, aged, now);
};

type KnownFill = typeof fills.$inferSelect;

type Correction = { known: KnownFill; counted: Counted; now: number; agedDays: number };

/**
 * Corrects the sums after later news about a fill. The change is decayed by `agedDays`. Sums that the operator has cleared since the fill was counted
 * stay as they are.
 */
const correct = async (tx: Transaction, asBefore: Counted, { known, counted, now, agedDays }: Correction): Promise<void> => {
  // A fill whose `countedIn` names a row of sums was counted, even if `asBefore` says that it tells nothing.
  const tells = asBefore.tells || known.countedIn !== 'none';
  const before: Counted = { row: known.countedIn, quotedSats: known.countedQuoted, deliveredSats: known.countedDelivered, tells };
  const change = (row: 'estimates' | 'broken'): Windows | undefined => {
    const found = correction(before, counted).find((one) => one.row === row)?.change;
    return found && decayed(both(found), agedDays);
  };
  const wasCleared = (row: { resetOn: number | null } | undefined): boolean => row?.resetOn != null && row.resetOn >= known.countedOn;
  const [option] = await tx.select({ resetOn: recordEstimates.resetOn }).from(recordEstimates).where(ofOption(known)).for('update');
  // Subtracts only what was counted. A fill that at first said nothing about the provider now counts as a new fill.
  const then: Sums = tells ? before : nothing;
  const all = { quotedSats: counted.quotedSats - then.quotedSats, deliveredSats: counted.deliveredSats - then.deliveredSats };
  const addition = { estimates: change('estimates') ?? both(nothing), all, orders: tells ? 0 : 1 };
  if ((tells || counted.tells) && !wasCleared(option)) await addToEstimates(tx, known, addition, now);
  const [promises] = await tx.select({ resetOn: recordBroken.resetOn }).from(recordBroken).where(ofProvider(known)).for('update');
  const broken = change('broken');
  if (broken && !wasCleared(promises)) await addToBroken(tx, known, broken, now);
};
