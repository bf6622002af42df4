/** Makes the lines that show an order, or a list of orders, to people: amounts with their unit, times in UTC, and what the operator can do. */
import { formatHundredths } from '../../src/domain/money.ts';
import type { Json } from '../../src/domain/offer.ts';
import { sides } from '../../src/domain/ramp.ts';
import type { lookUpOrder } from '../../src/gateway/operator/look-up.ts';
import type { Settling } from '../../src/gateway/operator/settle.ts';
import type { FoundOrder } from '../../src/ports/operator.ts';
import type { OrderTerms } from '../../src/ports/orders.ts';
import type { LiquidityTerms, RouteTerms } from '../../src/ports/routes.ts';
import { called } from './called.ts';
import { onOneLine } from './tools.ts';

export type ShownOrder = NonNullable<Awaited<ReturnType<typeof lookUpOrder>>>;
type Row = [label: string, text: string];

/** Formats an amount of an order: 2000n → "20.00 EUR" or "2000 sats". */
const shownAmount = (amount: bigint | string, unit: 'fiat' | 'sats', currency = 'in fiat'): string =>
  unit === 'sats' ? `${amount} sats` : formatHundredths(BigInt(amount), currency);

/** Describes what a liquidity order buys. The amount is the size of the channel or recharge, not what the customer then owns of it. */
const liquidityText = ({ product, amountSats, leaseBlocks }: LiquidityTerms): string =>
  `${product} of ${amountSats} sats${leaseBlocks === undefined ? '' : ` for ${leaseBlocks} blocks`}`;

const amountRows = ({ ramp, order, placing }: ShownOrder): Row[] => {
  if (order === undefined) return quotedRows(ramp, placing.quote);
  const { currency, optionName, liquidity } = order.terms as Partial<OrderTerms>;
  const shown = (amount: string, side: 'pay' | 'receive' | 'fee'): string => shownAmount(amount, sides[ramp][side], currency);
  const quoted = (now: string, before: string, side: 'pay' | 'receive'): string => (now === before ? '' : `, quoted ${shown(before, side)}`);
  const by = liquidity?.payWith ?? optionName ?? '';
  const bought = liquidity === undefined ? '' : `${liquidityText(liquidity)}, of which the customer owns `;
  return [
    ['pays', `${shown(order.pay, 'pay')}${by === '' ? '' : ` by ${by}`}${quoted(order.pay, order.quoted_pay, 'pay')}`],
    ['gets', `${bought}${shown(order.receive, 'receive')}, fee ${shown(order.fee, 'fee')}${quoted(order.receive, order.quoted_receive, 'receive')}`],
    ...(order.link_receive === undefined || order.link_receive === order.receive
      ? []
      : [['', `its withdrawal link says ${shown(order.link_receive, 'receive')}`] satisfies Row]),
  ];
};

/** Returns the amounts that were quoted, for an attempt that led to no order. */
const quotedRows = (ramp: ShownOrder['ramp'], quote: Json): Row[] => {
  const { route, terms } = quote as { route?: { asked?: { currency?: string }; offers?: { offer: { pay: string; receive: string } }[] }; terms?: RouteTerms };
  const offer = route?.offers?.[0]?.offer;
  if (offer === undefined) return [];
  const shown = (side: 'pay' | 'receive'): string => shownAmount(offer[side], sides[ramp][side], route?.asked?.currency);
  const bought = terms?.liquidity === undefined ? shown('receive') : liquidityText(terms.liquidity);
  return [['quoted', `${shown('pay')} for ${bought}`]];
};

const mostStages = 6;
/** Returns the stages with their times. If there are many, returns only the first one and the last ones. */
const stageRow = ({ events }: ShownOrder): Row[] => {
  const all = events.map(({ at, to, source }) => `${at} ${to} (${source})`);
  const some = all.length <= mostStages ? all : [all[0] ?? '', `${all.length - mostStages + 1} more`, ...all.slice(1 - mostStages)];
  return some.map((text, n) => [n === 0 ? 'stages' : '', text]);
};

const mostDeliveries = 4;
const deliveryRows = ({ deliveries }: ShownOrder): Row[] => {
  const rows = deliveries
    .slice(-mostDeliveries)
    .map((one, n): Row => [
      n === 0 ? 'webhooks' : '',
      `${one.type} ${one.state}, tries ${one.attempts}, ${one.last_outcome ?? 'not tried yet'}, ${one.due_on === undefined ? '' : 'next try '}${one.due_on ?? one.done_on ?? one.created_on}, to ${one.host}, ${one.id}`,
    ]);
  return deliveries.length > mostDeliveries ? [...rows, ['', `${deliveries.length - mostDeliveries} older ones: --json`]] : rows;
};

const commands: { readonly [name in Settling]: string } = {
  'leave-review': '--leave-review <stage> --reason "<why>"',
  'release-short': '--release-short "<why>"',
  'close-dispute': '--close-dispute "<how>"',
  'close-attempt': '--close-placing "<why>"',
  'paid-not-filled': '--paid-not-filled "<proof of payment>"',
  'paid-otherwise': '--paid-otherwise "<proof of payment>" [--evidence "<what the provider said>"]',
  'drop-fallback': '--drop-fallback "<why>" [--evidence "<what the provider said>"]',
};
/** Returns the commands that can change something about this order now. */
const actionsOf = ({ order_id: id, deliveries, settlings }: ShownOrder): string[] => {
  const actions = [
    ...settlings.map((one) => called('order', `${id} ${commands[one]}`)),
    ...deliveries
      .filter(({ state }) => state !== 'delivered' && state !== 'superseded')
      .slice(-2)
      .map((one) => called('deliveries', `resend ${one.id}`)),
  ];
  return actions;
};

/** Returns the words that say until when an unpaid order can, or could, be paid. Returns an empty string for any other order. */
const expiryOf = ({ stage, expires_on: on }: NonNullable<ShownOrder['order']>): string =>
  ['awaiting_payment', 'underpaid', 'expired'].includes(stage) ? `; can be paid until ${on ?? 'further notice'}` : '';

/** Puts the evidence about an attempt into words: the gateway's note if there is one, or else every member. */
const evidenceText = (evidence: Json): string => {
  if (typeof evidence !== 'object' || evidence === null || Array.isArray(evidence)) return JSON.stringify(evidence);
  if (typeof evidence['note'] === 'string') return evidence['note'];
  return Object.entries(evidence)
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
};

/** What each state of a withdrawal means. */
const withdrawalWords = { sending: 'its link is being fetched', held: 'the gateway has its link', review: 'in review: no usable link' };

/** Returns at most 25 lines that say where an order is. */
export const orderLines = (shown: ShownOrder): string[] => {
  const { order, placing, claim, turns } = shown;
  const rows: Row[] = [
    ['order', `${shown.order_id}  ${shown.ramp} at ${shown.provider}`],
    ['where', shown.where],
    ...amountRows(shown),
    ...stageRow(shown),
    [
      'provider',
      `order id ${shown.upstream_order_id ?? 'not known'}${order ? `, last status "${order.raw_status}", read ${order.checked_on ?? 'never yet'}` : ''}`,
    ],
    ...(order
      ? [['next', order.final ? 'nothing: the order is final' : `polled ${order.next_check_on ?? 'when a wallet asks'}${expiryOf(order)}`] satisfies Row]
      : []),
    ...(claim ? [['withdrawal', `${withdrawalWords[claim.state]}, tries ${claim.attempts}, asked for ${claim.created_on}`] satisfies Row] : []),
    ...deliveryRows(shown),
    ...(order === undefined && placing.evidence !== undefined ? [['evidence', evidenceText(placing.evidence)] satisfies Row] : []),
    ...(turns ? [['attempts', turns.map((turn) => `${turn.provider} ${turn.state}`).join(' → ')] satisfies Row] : []),
    ['ids', `request ${placing.request_id}, quote ${placing.quote_id}, attempt ${placing.id}`],
    ['', `customer ${shown.customer}${order?.app === undefined ? '' : `, app ${order.app}`}`],
    ...actionsOf(shown).map((text, n): Row => [n === 0 ? 'you can' : '', text]),
    ['all of it', called('order', `${shown.order_id} --json`)],
  ];
  return rows.map(([label, text]) => `${label.padEnd(11)}${onOneLine(text)}`.trimEnd());
};

/** Returns one line for each order. */
export const foundLines = (found: readonly FoundOrder[]): string[] =>
  found.map((one) => {
    const side = (amount: bigint | undefined, name: 'pay' | 'receive'): string =>
      amount === undefined ? '?' : shownAmount(amount, sides[one.ramp][name], one.currency);
    const where = `${one.stage ?? one.state}${one.disputed === true ? ', disputed,' : ''} at ${one.providerId}`;
    const gets = one.liquidity === undefined ? side(one.receive, 'receive') : liquidityText(one.liquidity);
    return `${new Date(one.createdOn).toISOString()}  ${one.orderId}  ${where}  ${side(one.pay, 'pay')} → ${gets}`;
  });
