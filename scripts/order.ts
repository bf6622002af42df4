/**
 * `npm run order -- <anything that names it> [--day <day>] [--amount <amount>] [--json]`: finds an order and says where it is. With --json, prints
 * what is stored about it, secrets masked. If several orders may be meant, lists them.
 * `npm run order -- <order id> --leave-review <stage> --reason <why>`: names the stage that is true. The order leaves review for it at the next read
 * that agrees. The figures and the currency that the provider reports now do not lead to another review. A final stage (failed, expired, finished,
 * refunded) stays as long as the provider repeats its present status. `npm run order -- <order id> --release-short <why>`: lets the customer withdraw
 * an order that was filled with less than was ordered, or for which more was charged, without having agreed to that. `npm run order -- <order id>
 * --close-dispute <how>`: ends the dispute about such an order once it is settled. `npm run order -- <order id or order attempt id> --close-placing
 * <why>`: ends an order attempt in review that led to no order. `npm run order -- <order id> --paid-not-filled <proof>`: records that the operator has
 * proof that the order was paid. In the provider's record, the order then counts as paid and not delivered.
 */
import { showFound } from '../src/gateway/operator/actions.ts';
import { findOrders, uuidForm } from '../src/gateway/operator/find-orders.ts';
import { lookUpOrder } from '../src/gateway/operator/look-up.ts';
import type { Stage } from '../src/domain/order.ts';
import { isWithdrawn } from '../src/domain/ramp.ts';
import type { Order } from '../src/ports/orders.ts';
import { sha256Hex } from '../src/seal/hash.ts';
import { withLearnt } from '../src/store/order-terms.ts';
import { called } from './ops/called.ts';
import { foundLines, orderLines } from './ops/order-lines.ts';
import { command, readArguments, Refused, say, withDatabase, type Ops } from './ops/tools.ts';

const stages: readonly Stage[] = ['awaiting_payment', 'underpaid', 'expired', 'failed', 'paid', 'filled', 'finished', 'refunded'];

/** Returns the order with this id, if there is one. */
const orderOf = async (stores: Ops['stores'], id: string): Promise<Order | undefined> =>
  /^[0-9a-f-]{36}$/.test(id) ? await stores.orders.findAny(id) : undefined;

/**
 * Writes what a command has learnt about an order, and `more`, and has it read at once. Throws if the order is not as it was read: each event has a
 * new sequence, and each read at the provider counts as a check. What others have noted without either, such as who was given a link, stays.
 */
const learn = async (sql: Ops['sql'], { id, sequence, checks, watch: before }: Order, watch: Order['watch'], more = sql``): Promise<void> =>
  await sql.begin(async (tx) => {
    const [stored] = await tx<{ terms: string }[]>`
      select terms::text as terms from orders where id = ${id} and sequence = ${sequence} and checks = ${checks} for update`;
    if (!stored) throw new Refused(`${id}: the order changed meanwhile, and nothing was done. Look at it again, then repeat the command`);
    const terms = JSON.stringify(withLearnt(JSON.parse(stored.terms) as Order['watch'], before, watch));
    await tx`update orders set terms = ${terms}::json, next_check_on = now() ${more} where id = ${id}`;
  });

const leaveReview = async (id: string, named: string, reason: string): Promise<void> => {
  const stage = stages.find((one) => one === named);
  if (stage === undefined || reason === '') throw new Refused(`--leave-review needs one of ${stages.join(', ')}, and --reason`);
  await withDatabase(async ({ stores, sql, record }) => {
    const order = await orderOf(stores, id);
    if (order?.stage !== 'review') throw new Refused(`${id}: there is no such order in review`);
    await record('order.leave-review', id, { stage, reason });
    const reviewed = { pay: (order.toldPay ?? order.pay).toString(), receive: (order.toldReceive ?? order.receive).toString(), rawStatus: order.rawStatus };
    // The stage that the operator names replaces what earlier reads said about the customer's money.
    const { moneySeen: _seen, paidSeenOn: _since, ...watch } = order.watch;
    await learn(sql, order, { ...watch, beforeReview: stage, reviewed });
    say(`${id} continues from "${stage}" at the next read that agrees`);
  });
};

/** Lets the customer withdraw what was delivered. The order stays disputed. */
const releaseShort = async (id: string, reason: string): Promise<void> => {
  if (reason === '') throw new Refused('--release-short needs the reason');
  await withDatabase(async ({ stores, sql, record }) => {
    const order = await orderOf(stores, id);
    if (order?.disputed !== true) throw new Refused(`${id}: there is no such order, or it is not disputed`);
    if (!isWithdrawn[order.ramp])
      throw new Refused(`${id}: nothing is withdrawn from an order of the ramp "${order.ramp}". ${called('order', `${id} --close-dispute`)} ends its dispute`);
    await record('order.release-short', id, { reason });
    await sql`update orders set short_released_on = now() where id = ${id}`;
    say(`${id}: what was delivered can be withdrawn, ${order.receive} of ${order.quotedReceive} sats. The rest stays owed`);
  });
};

/** Ends the dispute about an order. A later report of other amounts is judged anew. The provider's record stays as it is. */
const closeDispute = async (id: string, how: string): Promise<void> => {
  if (how === '') throw new Refused('--close-dispute needs how it was settled, in words');
  await withDatabase(async ({ stores, sql, record }) => {
    const order = await orderOf(stores, id);
    if (order?.disputed !== true) throw new Refused(`${id}: there is no such order, or it is not disputed`);
    await record('order.close-dispute', id, { how });
    const disputeClosed = { on: Date.now(), pay: order.pay.toString(), receive: order.receive.toString() };
    await learn(sql, order, { ...order.watch, disputeClosed }, sql`, disputed = false, changed_on = now()`);
    say(`${id} is no longer disputed`);
  });
};

/** Closes an order attempt: it is not checked again until a genuine notice arrives. The answer that the customer gets does not change. */
const closePlacing = async (id: string, reason: string): Promise<void> => {
  if (reason === '') throw new Refused('--close-placing needs the reason');
  await withDatabase(async ({ sql, record }) => {
    const without = sql`state = 'review' and not exists (select 1 from orders where orders.intent_id = intents.id)`;
    const found = uuidForm.test(id) ? await sql<{ id: string }[]>`select id from intents where (id = ${id} or order_id = ${id}) and ${without}` : [];
    const placing = found[0]?.id;
    if (placing === undefined) throw new Refused(`${id}: there is no order attempt with this id that is in review and led to no order`);
    await record('order.close-placing', placing, { reason });
    await sql`update intents set state = 'dead', next_try_on = '9999-01-01T00:00Z' where id = ${placing} and ${without}`;
    say(`${placing} is closed`);
  });
};

const paidNotFilled = async (id: string, proof: string): Promise<void> => {
  if (proof === '') throw new Refused('--paid-not-filled needs the proof of payment, in words');
  await withDatabase(async ({ stores, record }) => {
    const order = await orderOf(stores, id);
    if (!order) throw new Refused(`${id}: there is no such order`);
    await record('order.paid-not-filled', id, { proof });
    if (!(await stores.record.paidNotFilled(id, Date.now()))) throw new Refused(`${id} is ${order.stage}, or was already counted`);
    say(`${id} now counts as paid and never filled at ${order.providerId}`);
  });
};

/** What a command can change about one order. `words` is the option's value. */
const actions: Readonly<Record<string, (id: string, words: string, reason: string) => Promise<void>>> = {
  'leave-review': leaveReview,
  'release-short': releaseShort,
  'close-dispute': closeDispute,
  'close-placing': closePlacing,
  'paid-not-filled': paidNotFilled,
};

const usage = `usage: ${called('order', '<order, quote, attempt, request or customer id, payment reference, or order id at the provider>')}
       and to narrow it, or instead: [--day <2026-11-24>] [--amount "100 EUR"|"5000 sats"|100] [--json]`;
const most = 50;

/** Returns the range of a UTC day in Unix milliseconds. */
const dayOf = (text: string): { from: number; to: number } => {
  const from = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(from)) throw new Refused(`--day needs a date such as 2026-11-24, in UTC\n${usage}`);
  return { from, to: from + 86_400_000 };
};

/** Returns the stored amounts that a person may mean. A number without a unit may be fiat or sats. */
const amountsOf = (text: string): bigint[] => {
  const [, number = '', unit] = /^(\d{1,15}(?:\.\d{1,2})?) *(sats|[A-Z]{3})?$/.exec(text) ?? [];
  if (number === '') throw new Refused(`--amount needs a number such as "100.50 EUR", "5000 sats" or 100\n${usage}`);
  const [whole = '', fraction = ''] = number.split('.');
  const hundredths = BigInt(`${whole}${fraction.padEnd(2, '0')}`);
  if (unit === 'sats') return [BigInt(whole)];
  return unit === undefined && fraction === '' ? [hundredths, BigInt(whole)] : [hundredths];
};

/** Prints the order that is meant, or a list if several may be. */
const find = async ({ stores, record }: Ops, word: string | undefined, flags: ReadonlyMap<string, string>): Promise<void> => {
  const isJson = flags.has('json');
  const show = async (id: string): Promise<boolean> => {
    await record('order.read', id.slice(0, 64));
    const found = await lookUpOrder(stores.operator, sha256Hex, id, Date.now());
    if (found) say(isJson ? JSON.stringify(found, undefined, 2) : orderLines(found).join('\n'));
    return found !== undefined;
  };
  if (word !== undefined && uuidForm.test(word) && (await show(word.toLowerCase()))) return;
  const [day, amount] = [flags.get('day'), flags.get('amount')];
  const wanted = { ...(day === undefined ? {} : dayOf(day)), ...(amount === undefined ? {} : { amounts: amountsOf(amount) }) };
  // A reference is personal data, so the log of actions gets only its hash.
  const detail = {
    ...(word === undefined ? {} : { word: sha256Hex(word) }),
    ...(day === undefined ? {} : { day }),
    ...(amount === undefined ? {} : { amount }),
  };
  await record('orders.search', 'orders', detail);
  const found = await findOrders(stores.operator, sha256Hex, { ...(word === undefined ? {} : { word }), ...wanted }, most + 1);
  const [only] = found;
  if (only === undefined) throw new Refused(`${word ?? 'these figures'}: there is no such order`);
  if (found.length === 1) return void (await show(only.orderId));
  const shown = found.slice(0, most);
  if (isJson) return say(JSON.stringify(shown.map(showFound), undefined, 2));
  for (const text of foundLines(shown)) say(text);
  say(`${shown.length} orders${found.length > most ? `, the newest ${most}` : ''}: ${called('order', '<order id>')} shows one`);
};

await command(async () => {
  const { words, flags } = readArguments(process.argv.slice(2), { plain: ['json'], valued: ['day', 'amount', 'reason', ...Object.keys(actions)] });
  const [id, more] = words.map((word) => word.trim());
  const asked = Object.keys(actions).filter((name) => flags.has(name));
  const [name] = asked;
  const isNarrowed = flags.has('day') || flags.has('amount');
  if (more !== undefined || (id === undefined && (!isNarrowed || name !== undefined))) throw new Refused(usage);
  if (asked.length > 1) throw new Refused(`${asked.map((one) => `--${one}`).join(' and ')} are different commands: give one of them`);
  if (id !== undefined && name !== undefined) return await actions[name]?.(id.toLowerCase(), flags.get(name)?.trim() ?? '', flags.get('reason')?.trim() ?? '');
  await withDatabase(async (ops) => await find(ops, id, flags));
});
