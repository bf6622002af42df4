/** Compares the three histories of a run: what the wallets were told, what the providers did, and what the gateway's database says. */

export type Told = {
  quoteId: string;
  at: number;
  status: number;
  code: string | undefined;
  /** The response without values that differ for each request. */ essence: string;
};
/** An order that a provider made. The intent's id is part of the notice URL that the provider got. */
export type Made = { provider: string; orderId: string; intentId: string; status: string };
export type Kept = {
  intentId: string;
  quoteId: string;
  provider: string;
  state: string;
  upstreamOrderId: string | null;
  /** The attempt with which the request continued. */
  movedTo: string | null;
  orders: number;
};

/** Statuses that may come before the outcome is settled. A response with any other status must never change again. */
const passing = new Set([0, 429, 500, 502, 503, 504]);
const terminal = new Set(['confirmed', 'unpayable', 'dead', 'rejected', 'declined', 'moved']);

const groupBy = <T>(rows: readonly T[], key: (row: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>();
  for (const row of rows) groups.set(key(row), [...(groups.get(key(row)) ?? []), row]);
  return groups;
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

/** Returns one sentence for each broken promise of a run. */
export const violations = (told: readonly Told[], made: readonly Made[], kept: readonly Kept[]): string[] => {
  const broken: string[] = [];
  const madeBy = groupBy(made, (one) => one.intentId);
  const known = new Set(kept.map((one) => one.intentId));
  for (const [quoteId, answers] of groupBy(told, (one) => one.quoteId)) {
    const settled = answers.filter((one) => !passing.has(one.status));
    if (new Set(settled.map((one) => one.essence)).size > 1) broken.push(`${quoteId}: the answer changed: ${settled.map((one) => one.status).join(', ')}`);
    if (settled.length === 0) broken.push(`${quoteId}: never answered: ${answers.map((one) => one.code ?? one.status).join(', ')}`);
    const attempts = attemptsOf(quoteId, kept);
    const payable = attempts.filter((one) => one.state === 'confirmed').length;
    if (settled.some((one) => one.status === 200) && payable === 0) broken.push(`${quoteId}: a payable order was shown and is not kept`);
    if (payable > 1) broken.push(`${quoteId}: ${payable} payable orders for one request`);
    if (attempts.slice(0, -1).some((one) => one.state !== 'moved')) broken.push(`${quoteId}: went on from ${attempts.map((one) => one.state).join(', ')}`);
    if (attempts.at(-1)?.state === 'moved') broken.push(`${quoteId}: no attempt after the move`);
  }
  for (const one of made) if (!known.has(one.intentId)) broken.push(`${one.provider} ${one.orderId}: an order that the gateway does not know`);
  for (const intent of kept) {
    const orders = madeBy.get(intent.intentId) ?? [];
    const name = `${intent.provider} ${intent.quoteId} (${intent.state})`;
    if (orders.length > 1) broken.push(`${name}: ${orders.length} orders at the provider`);
    if (!terminal.has(intent.state)) broken.push(`${name}: not settled`);
    const [order] = orders;
    if (order && intent.upstreamOrderId !== order.orderId)
      broken.push(`${name}: the provider's order ${order.orderId} is not the one kept (${intent.upstreamOrderId})`);
    if (!order && (intent.state === 'confirmed' || intent.state === 'unpayable')) broken.push(`${name}: the provider has no such order`);
    if (intent.orders !== (intent.state === 'confirmed' ? 1 : 0)) broken.push(`${name}: ${intent.orders} orders kept`);
  }
  return broken;
};
