/**
 * `npm run order -- <anything that names it> [--day <day>] [--amount <amount>] [--json]`: finds an order and says where it is. With --json, prints
 * what is stored about it, secrets masked. If several orders may be meant, lists them.
 * `npm run order -- <order id> --leave-review <stage> --reason <why>`: names the stage that the order is really in. The order leaves review for that
 * stage at the next read that agrees with it. The figures and the currency that the provider reports now do not lead to another review. A final
 * stage (failed, expired, finished, refunded) stays as long as the provider repeats its present status.
 * `npm run order -- <order id> --release-short <why>`: lets the customer withdraw an order that was filled with less than was ordered, or for which
 * more was charged, although the customer has not accepted that.
 * `npm run order -- <order id> --close-dispute <how>`: ends the dispute about such an order once it is settled.
 * `npm run order -- <order id or order attempt id> --close-placing <why>`: ends an order attempt in review that led to no order.
 * `npm run order -- <order id> --paid-not-filled <proof>`: records that the operator has proof that the order was paid. In the provider's record, the
 * order then counts as paid and not delivered.
 * `npm run order -- <order id> --paid-otherwise <proof> [--evidence <what the provider said>]`: ends a filled order whose customer got the money or
 * the sats in another way. If a withdrawal link was given, or may have been, the command needs evidence that the link pays nothing.
 * `npm run order -- <order id> --drop-fallback <why> [--evidence <what the provider said>]`: drops the fallback address of a withdrawal for which the
 * provider gave no link, so that the customer may name another. If an answer may have been lost, the command needs evidence.
 */
import { amountsOf, dayOf, findOrders, uuidForm } from '../src/gateway/operator/find-orders.ts';
import { lookUpOrder } from '../src/gateway/operator/look-up.ts';
import { showFound } from '../src/gateway/operator/search-orders.ts';
import { settle, type SettleRequest, type Settling } from '../src/gateway/operator/settle.ts';
import { Problem } from '../src/gateway/problem.ts';
import type { Stage } from '../src/domain/order.ts';
import { sha256Hex } from '../src/seal/hash.ts';
import { called } from './ops/called.ts';
import { foundLines, orderLines } from './ops/order-lines.ts';
import { command, readArguments, Refused, say, withDatabase, type Ops } from './ops/tools.ts';

const stages: readonly Stage[] = ['awaiting_payment', 'underpaid', 'expired', 'failed', 'paid', 'filled', 'finished', 'refunded'];

/** Settles something about one order (src/gateway/operator/settle.ts), and says what was done. */
const settleBy =
  (settling: Settling, needs: string) =>
  async (id: string, words: string, _reason: string, evidence?: string): Promise<void> => {
    if (words === '' || evidence === '') throw new Refused(needs);
    await settled(settling, { id, words, evidence });
  };

const settled = async (settling: Settling, request: SettleRequest): Promise<void> =>
  await withDatabase(async ({ stores, record }) => {
    try {
      say(await settle({ stores, hash: sha256Hex, now: Date.now(), record }, settling, request));
    } catch (error) {
      throw error instanceof Problem ? new Refused(error.detail) : error;
    }
  });

const leaveReview = async (id: string, named: string, reason: string): Promise<void> => {
  const stage = stages.find((one) => one === named);
  if (stage === undefined || reason === '') throw new Refused(`--leave-review needs one of ${stages.join(', ')}, and --reason`);
  await settled('leave-review', { id, words: reason, stage });
};

/** What a command can change about one order. `words` is the option's value. */
const actions: Readonly<Record<string, (id: string, words: string, reason: string, evidence?: string) => Promise<void>>> = {
  'leave-review': leaveReview,
  'release-short': settleBy('release-short', '--release-short needs the reason'),
  'close-dispute': settleBy('close-dispute', '--close-dispute needs how it was settled, in words'),
  'close-placing': settleBy('close-attempt', '--close-placing needs the reason'),
  'paid-not-filled': settleBy('paid-not-filled', '--paid-not-filled needs the proof of payment, in words'),
  'paid-otherwise': settleBy('paid-otherwise', '--paid-otherwise needs the proof of payment; --evidence, if given, needs what the provider said'),
  'drop-fallback': settleBy('drop-fallback', '--drop-fallback needs the reason; --evidence, if given, needs what the provider said'),
};

const usage = `usage: ${called('order', '<order, quote, attempt, request or customer id, payment reference, or order id at the provider>')}
       to narrow the search, or without an id: [--day <2026-11-24>] [--amount "100 EUR"|"5000 sats"|100] [--json]`;
const most = 50;

const dayOrRefuse = (text: string): { from: number; to: number } => {
  const day = dayOf(text);
  if (!day) throw new Refused(`--day needs a date such as 2026-11-24, in UTC\n${usage}`);
  return day;
};

const amountsOrRefuse = (text: string): bigint[] => {
  const amounts = amountsOf(text);
  if (!amounts) throw new Refused(`--amount needs a number such as "100.50 EUR", "5000 sats" or 100\n${usage}`);
  return amounts;
};

/** Prints the order that is meant, or a list if several orders may be meant. */
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
  const wanted = { ...(day === undefined ? {} : dayOrRefuse(day)), ...(amount === undefined ? {} : { amounts: amountsOrRefuse(amount) }) };
  // A reference is personal data, so the log of actions gets only its hash.
  const detail = {
    ...(word === undefined ? {} : { word: sha256Hex(word) }),
    ...(day === undefined ? {} : { day }),
    ...(amount === undefined ? {} : { amount }),
  };
  await record('orders.search', 'orders', detail);
  const found = await findOrders(stores.operator, sha256Hex, { ...(word === undefined ? {} : { word }), ...wanted }, most + 1);
  const [only] = found;
  if (only === undefined) throw new Refused(`${word ?? 'this day or amount'}: no order was found`);
  if (found.length === 1) return void (await show(only.orderId));
  const shown = found.slice(0, most);
  if (isJson)
    return say(
      JSON.stringify(
        shown.map((one) => showFound(one, Date.now())),
        undefined,
        2,
      ),
    );
  for (const text of foundLines(shown)) say(text);
  say(`${shown.length} orders${found.length > most ? `, the newest ${most}` : ''}: ${called('order', '<order id>')} shows one`);
};

await command(async () => {
  const { words, flags } = readArguments(process.argv.slice(2), { plain: ['json'], valued: ['day', 'amount', 'reason', 'evidence', ...Object.keys(actions)] });
  const [id, more] = words.map((word) => word.trim());
  const asked = Object.keys(actions).filter((name) => flags.has(name));
  const [name] = asked;
  const isNarrowed = flags.has('day') || flags.has('amount');
  if (more !== undefined || (id === undefined && (!isNarrowed || name !== undefined))) throw new Refused(usage);
  if (asked.length > 1) throw new Refused(`${asked.map((one) => `--${one}`).join(' and ')} are different commands: give one of them`);
  if (flags.has('evidence') && name !== 'drop-fallback' && name !== 'paid-otherwise')
    throw new Refused('--evidence belongs to --drop-fallback or --paid-otherwise');
  const said = (flag: string): string => flags.get(flag)?.trim() ?? '';
  if (id !== undefined && name !== undefined)
    return await actions[name]?.(id.toLowerCase(), said(name), said('reason'), flags.has('evidence') ? said('evidence') : undefined);
  await withDatabase(async (ops) => await find(ops, id, flags));
});
