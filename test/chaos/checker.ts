/** Compares the three histories of a run: what the wallets were told, what the providers did, and what the gateway's database says. */
import type { Sql } from 'postgres';

export type Told = {
  quoteId: string;
  at: number;
  status: number;
  code: string | undefined;
  /** The response without values that differ for each request. */ essence: string;
};
/**
 * An order that a provider made. The intent's id is part of the notice URL that the provider got. `terms`: how the order is paid and what amount is
 * due, as the provider has it.
 */
export type Made = { provider: string; orderId: string; intentId: string; status: string; terms?: string };
/** How a provider's orders differ from those of FLS01, where an attempt has at most one order, whose id is kept. */
export type Habits = {
  /** Whether each POST makes another order with the same bank details, so that an attempt may have several. */
  repeats?: true;
  /** Whether an order ends by itself once its answer is lost, so that nobody keeps its id. */
  lapses?: true;
  /** Reads from a wallet's answer how the order is paid, in the words of `Made.terms`. */
  read: (answer: string) => string;
};
export type Kept = {
  intentId: string;
  quoteId: string;
  provider: string;
  state: string;
  upstreamOrderId: string | null;
  /** The attempt with which the request continued. */
  movedTo: string | null;
  orders: number;
  /** The price that the customer accepted. */
  quoted?: Quoted;
};
/** Amounts in the ramp's units. Only an estimate's may change. */
type Quoted = { ramp: string; pay: string; receive: string; binding: boolean };
/** Reads `quoted` from a row of the table `intents`, which has the alias `i`. */
export const quotedSql = `json_build_object('ramp', i.ramp, 'pay', i.quote #>> '{route,offers,0,offer,pay}', 'receive', i.quote #>> '{route,offers,0,offer,receive}',
  'binding', (i.quote #>> '{route,offers,0,offer,binding}')::boolean)`;

/** Statuses that may come before the outcome is settled. A response with any other status must never change again. */
const passing = new Set([0, 429, 500, 502, 503, 504]);
const terminal = new Set(['confirmed', 'unpayable', 'dead', 'rejected', 'declined', 'moved']);

const groupBy = <T>(rows: readonly T[], key: (row: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>();
  for (const row of rows) groups.set(key(row), [...(groups.get(key(row)) ?? []), row]);
  return groups;
};

/** By how much an order may be worse than an estimate, as the gateway's configuration has it. */
const slippageBps = 100;

/** Returns whether a wallet's answer shows the amounts of its quote or, for an estimate, amounts that are hardly worse. */
const isAsQuoted = (answer: string, { ramp, binding, ...quoted }: Quoted): boolean => {
  const said = JSON.parse(answer) as { [member: string]: number };
  const [payName, receiveName] = amounts[ramp] ?? ['', ''];
  const [pay, receive] = [said[payName] ?? Number.NaN, said[receiveName] ?? Number.NaN];
  const [quotedPay, quotedReceive] = [Number(quoted.pay), Number(quoted.receive)];
  if (binding) return pay === quotedPay && receive === quotedReceive;
  const most = 1 + slippageBps / 10_000;
  return pay <= quotedPay * most && receive * quotedPay * most >= quotedReceive * pay;
};
const amounts: { [ramp: string]: [string, string] } = {
  buy: ['amount_fiat', 'amount_sats'],
  sell: ['amount_sats', 'amount_fiat'],
  liquidity: ['pay_sats', 'client_sats'],
};

/** Returns the attempts of the request for this quote, from the first to the last. */
const attemptsOf = (quoteId: string, kept: readonly Kept[]): Kept[] => {
  const line: Kept[] = [];
  let at = kept.find((one) => one.quoteId === quoteId && one.state !== 'rejected');
  while (at && !line.includes(at)) {
    line.push(at);
    const { movedTo } = at;
    at = kept.find((one) => one.intentId === movedTo);
  }
  return line;
};

/** Returns one sentence for each broken promise of a run. `habits`: those of the providers that are unlike FLS01's. */
export const violations = (told: readonly Told[], made: readonly Made[], kept: readonly Kept[], habits: { [provider: string]: Habits } = {}): string[] => {
  const broken: string[] = [];
  const madeBy = groupBy(made, (one) => one.intentId);
  const known = new Set(kept.map((one) => one.intentId));
  for (const [quoteId, answers] of groupBy(told, (one) => one.quoteId)) {
    const settled = answers.filter((one) => !passing.has(one.status));
    if (new Set(settled.map((one) => one.essence)).size > 1)
      broken.push(`${quoteId}: the answer changed: ${settled.map(({ status, essence }) => `${status} ${essence.slice(0, 300)}`).join(', ')}`);
    const attempts = attemptsOf(quoteId, kept);
    if (settled.length === 0) {
      const states = attempts.map(({ provider, state }) => `${provider} ${state}`).join(', ');
      broken.push(`${quoteId} (${states}): never answered: ${answers.map((one) => one.code ?? one.status).join(', ')}`);
    }
    const payable = attempts.filter((one) => one.state === 'confirmed').length;
    if (settled.some((one) => one.status === 200) && payable === 0) broken.push(`${quoteId}: a payable order was shown and is not kept`);
    if (settled.length > 0 && payable > 0 && settled.every((one) => one.status !== 200)) broken.push(`${quoteId}: a payable order is kept and was not shown`);
    if (payable > 1) broken.push(`${quoteId}: ${payable} payable orders for one request`);
    if (attempts.slice(0, -1).some((one) => one.state !== 'moved')) broken.push(`${quoteId}: went on from ${attempts.map((one) => one.state).join(', ')}`);
    const last = attempts.at(-1);
    if (last?.state === 'moved') broken.push(`${quoteId}: no attempt after the move`);
    const unexplained = last?.state === 'dead' && settled.find(({ code }) => code !== undefined && code !== 'order-unpayable');
    if (unexplained) broken.push(`${quoteId}: the answer was lost, and the wallet was told ${unexplained.code}`);
    const order = made.find((one) => one.provider === last?.provider && one.orderId === last.upstreamOrderId);
    const shown = settled.find((one) => one.status === 200)?.essence;
    if (shown !== undefined && last?.quoted && !isAsQuoted(shown, last.quoted))
      broken.push(`${quoteId}: not as quoted, ${JSON.stringify(last.quoted)}: ${shown}`);
    const said = shown === undefined || last === undefined ? undefined : habits[last.provider]?.read(shown);
    if (said !== undefined && said !== order?.terms) broken.push(`${quoteId}: the wallet was told ${said}, and ${last?.provider} has ${order?.terms}`);
  }
  for (const [order, shared] of groupBy(
    kept.filter((one) => one.state === 'confirmed'),
    (one) => `${one.provider} ${one.upstreamOrderId}`,
  ))
    if (shared.length > 1) broken.push(`${order}: ${shared.length} requests have this order`);
  for (const one of made) if (!known.has(one.intentId)) broken.push(`${one.provider} ${one.orderId}: an order that the gateway does not know`);
  for (const intent of kept) {
    const orders = madeBy.get(intent.intentId) ?? [];
    const name = `${intent.provider} ${intent.quoteId} (${intent.state})`;
    const { repeats = false, lapses = false } = habits[intent.provider] ?? {};
    if (orders.length > 1 && !repeats) broken.push(`${name}: ${orders.length} orders at the provider`);
    if (new Set(orders.map((one) => one.terms)).size > 1) broken.push(`${name}: ${orders.map((one) => one.terms).join(' and ')} at the provider`);
    if (!terminal.has(intent.state)) broken.push(`${name}: not settled`);
    const [order] = orders;
    const isKept = orders.some((one) => one.orderId === intent.upstreamOrderId);
    // An order that nobody was shown may stay unknown, if it ends by itself or if another order took its place.
    const mayBeUnknown = intent.state !== 'confirmed' && (repeats || (lapses && intent.state === 'unpayable'));
    if (order && !isKept && !mayBeUnknown) broken.push(`${name}: the provider's order ${order.orderId} is not the one kept (${intent.upstreamOrderId})`);
    if (!order && (intent.state === 'confirmed' || (intent.state === 'unpayable' && !lapses))) broken.push(`${name}: the provider has no such order`);
    if (intent.orders !== (intent.state === 'confirmed' ? 1 : 0)) broken.push(`${name}: ${intent.orders} orders kept`);
  }
  return broken;
};

/** Returns the orders whose sats count as withdrawn, although nobody was given a link by which they could have been. */
export const finishedUnlinked = async ({ sql }: { sql: Sql }): Promise<string[]> => {
  const rows = await sql<{ id: string; provider: string }[]>`
    select o.id, o.provider_id as provider from orders o left join claims c on c.order_id = o.id
    where o.ramp = 'buy' and o.stage = 'finished' and o.terms->>'payout' is null and c.lnurl is null`;
  return rows.map(({ id, provider }) => `order ${id} at ${provider} is finished, and nobody was given a link`);
};
