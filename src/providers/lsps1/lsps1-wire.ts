/**
 * Wire schemas of LSPS1 as sellers serve it over HTTP: only the members that we read, and forgiving where sellers differ from the standard.
 * Source: bLIP-51 (github.com/lightning/blips), and the forms seen in public clients (README.md).
 */
import * as z from 'zod';
import type { PayWith } from '../kit/channel-order.ts';
import { findDocument, idIn, isMembers, withSnakeNames, type Members } from '../kit/find-document.ts';
import { isNothing, readError } from '../kit/read-error.ts';
import { readTime } from '../kit/read-time.ts';
import { forgiving, optional, satsWithUnit, wireBoolean, wireEnd, wireInteger, wireSats, wireText } from '../kit/wire-values.ts';

/** An unreadable time is dropped. */
const softTime = z.unknown().optional().transform(readTime);

const amount = optional(z.preprocess((value) => (typeof value === 'string' ? (satsWithUnit(value)?.toString() ?? value) : value), wireSats));

/**
 * A number of confirmations. Words for zero confirmations ("zero-conf", "0conf") count as 0. A number that cannot be read counts as missing: then our
 * request is not raised to the seller's minimum, and the seller may refuse.
 */
const confirmations = z
  .unknown()
  .optional()
  .transform((value) => {
    const number = wireInteger.safeParse(value);
    if (number.success && number.data >= 0) return number.data;
    return typeof value === 'string' && /^(?:zero|0)[\s_-]*conf/i.test(value.trim()) ? 0 : undefined;
  });

const limits = z.object({
  min_required_channel_confirmations: confirmations,
  min_funding_confirms_within_blocks: confirmations,
  max_channel_expiry_blocks: optional(wireInteger),
  min_initial_client_balance_sat: amount,
  max_initial_client_balance_sat: amount,
  min_initial_lsp_balance_sat: amount,
  max_initial_lsp_balance_sat: amount,
  min_channel_balance_sat: amount,
  max_channel_balance_sat: amount,
});
const identity = z.object({ uris: z.unknown().optional(), public_key: z.unknown().optional(), pubkey: z.unknown().optional() });
const limitNames = ['max_initial_lsp_balance_sat', 'max_channel_balance_sat', 'min_initial_lsp_balance_sat', 'min_channel_balance_sat'] as const;
/** get_info. The limits may be in an envelope (`options`, `result`). A document without any limit on the size of a channel is not a get_info. */
export const infoWire = z.preprocess(
  (value) => findDocument(withSnakeNames(value), (members) => limitNames.some((name) => members[name] !== undefined)) ?? value,
  limits.extend(identity.shape).refine((info) => limitNames.some((name) => info[name] !== undefined), { path: ['max_channel_balance_sat'] }),
);
export type InfoWire = z.output<typeof infoWire>;

/** An optional hint: a value that cannot be read is ignored. */
const soft = <S extends z.ZodType>(schema: S) => optional(schema).catch(undefined);
const word = soft(z.union([z.string().max(4096), z.number().transform(String)]));

/** One way to pay, nested under its name or, in older servers, the whole `payment`. */
const paymentWire = z.object({
  state: word,
  payment_state: word,
  status: word,
  expires_at: wireEnd,
  expires_on: wireEnd,
  expires: wireEnd,
  expiry: wireEnd,
  expiration: wireEnd,
  fee_total_sat: amount,
  total_fee_sat: amount,
  fee_sat: amount,
  order_total_sat: amount,
  total_sat: amount,
  amount_sat: amount,
  fee_total_msat: amount,
  total_fee_msat: amount,
  fee_msat: amount,
  order_total_msat: amount,
  total_msat: amount,
  amount_msat: amount,
  invoice: optional(wireText),
  lightning_invoice: optional(wireText),
  bolt11_invoice: optional(wireText),
  bolt11: soft(wireText),
  payment_request: optional(wireText),
  pr: optional(wireText),
  address: optional(wireText),
  onchain_address: optional(wireText),
  bip21: optional(wireText),
  uri: optional(wireText),
  payment_uri: optional(wireText),
  min_onchain_payment_confirmations: confirmations,
  refund_onchain_address: z.unknown().optional(),
});
export type PaymentWire = z.output<typeof paymentWire>;

/** The most entries that are read from a list of ways to pay. */
const mostWays = 100;
const names: Record<PayWith, RegExp> = { lightning: /^(?:bolt_?11|lightning|ln)$/, onchain: /^(?:on_?chain|chain|bitcoin|btc)$/ };
/** Ways to pay that we cannot use. */
const otherNames = /^(?:bolt_?12|liquid|l_?btc|cashu|ark|lnurl)$/;

/**
 * Reads the ways to pay: each under its name, in a list with its type, or flat with one state and total for all. Throws a ZodError if one does not
 * match the schema.
 */
const waysIn = (members: Members, schema: z.ZodType<PaymentWire>): Pick<OrderWire, 'ways' | 'namesWay'> => {
  const given = [members['payment'], members['payments'], members['payment_options']].find((one) => !isNothing(one));
  const listed = Array.isArray(given) ? Object.fromEntries(given.slice(0, mostWays).map((one) => [typeOf(one), one])) : given;
  const payment = isMembers(listed) ? listed : undefined;
  const found = Object.entries(payment ?? {}).filter(
    ([name, one]) => !isNothing(one) && [names.lightning, names.onchain, otherNames].some((form) => form.test(name)),
  );
  // A string under `bolt11` is either the whole way to pay, or the invoice of a flat payment.
  const isNested = found.some(([, one]) => isMembers(one)) || (found.length > 0 && found.length === Object.keys(payment ?? {}).length);
  if (isNested) {
    const of = (way: PayWith): PaymentWire | undefined => {
      const one = found.find(([name]) => names[way].test(name))?.[1];
      if (one === undefined) return undefined;
      return schema.parse(typeof one === 'string' ? { [way === 'lightning' ? 'invoice' : 'address']: one } : one);
    };
    const [lightning, onchain] = [of('lightning'), of('onchain')];
    return { ways: { ...(lightning ? { lightning } : {}), ...(onchain ? { onchain } : {}) }, namesWay: true };
  }
  const flat = payment ?? (flatNames.some((name) => !isNothing(members[name])) ? members : undefined);
  if (flat === undefined) return { ways: {}, namesWay: typeof given === 'string' };
  const one = schema.parse(flat);
  return { ways: { lightning: one, onchain: one }, namesWay: true };
};
const typeOf = (one: unknown): string => {
  const told = isMembers(one) ? [one['type'], one['method'], one['payment_method'], one['name']] : [];
  return (told.find((word): word is string => typeof word === 'string') ?? '').toLowerCase();
};
/** Names of payment members that some answers have next to the order's own members. */
const flatNames = ['invoice', 'lightning_invoice', 'bolt11_invoice', 'bolt11', 'payment_request', 'onchain_address', 'order_total_sat', 'order_total_msat'];

/** A transaction output: a string, or an object with the transaction's id and the output's index. */
const outpoint = z
  .preprocess(
    (value) => {
      if (!isMembers(value)) return value;
      const index = value['vout'] ?? value['output_index'] ?? value['index'];
      return `${String(value['txid'] ?? value['tx_id'])}:${String(index)}`;
    },
    z.string().regex(/^[0-9a-f]{64}:\d{1,5}$/i),
  )
  .optional()
  .catch(undefined);
const channelWire = z.object({ funded_at: softTime, funding_outpoint: outpoint, expires_at: softTime });
const orderWire = z.object({
  order_state: word,
  state: word,
  status: word,
  lsp_balance_sat: amount,
  client_balance_sat: amount,
  channel_expiry_blocks: optional(wireInteger),
  announce_channel: soft(wireBoolean),
  expires_at: wireEnd,
  channel: channelWire.nullish().catch(undefined),
});
export type OrderWire = z.output<typeof orderWire> & {
  order_id: string;
  ways: Partial<Record<PayWith, PaymentWire>>;
  /** Whether the order names any way to pay, even an empty or unknown one. */
  namesWay: boolean;
  /** Set if some members could not be read and were left out, for example an amount that is not a number. */
  isPartial?: true;
};

const orderMembers = ['order_state', 'lsp_balance_sat', 'channel_expiry_blocks', 'payment', 'payments', 'payment_options', ...flatNames];
const idOf = (members: Members): string | undefined => {
  const own = idIn(members['order_id']) ?? idIn(members['order_uuid']);
  if (own !== undefined) return own;
  return orderMembers.some((name) => !isNothing(members[name])) || isMembers(members['channel'])
    ? (idIn(members['id']) ?? idIn(members['_id']) ?? idIn(members['uuid']))
    : undefined;
};

/** An order in an answer: its id, whether the answer is also an error, and the order itself, at least in part. */
export type FoundOrder = { orderId: string; isError: boolean; /** Undefined if nothing of the order can be read. */ order: OrderWire | undefined };

/** Returns the order in an answer, with or without an envelope, or undefined if there is none. `unnamed`: it looks like an order, but has no id. */
export const findOrder = (body: unknown): FoundOrder | 'unnamed' | undefined => {
  const named = withSnakeNames(body);
  const members = findDocument(named, (one) => idOf(one) !== undefined);
  if (!members)
    return findDocument(named, (one) => flatNames.some((name) => typeof one[name] === 'string') || isMembers(one['payment'])) ? 'unnamed' : undefined;
  const orderId = idOf(members) ?? '';
  const saysNothing = !orderMembers.some((name) => members[name] !== undefined);
  const isError = readError(body).isError && (saysNothing || !isNothing(members['error']) || !isNothing(members['errors']));
  return { orderId, isError, order: readOrder(orderId, members, whole) ?? withoutOdd(readOrder(orderId, members, inPart)) };
};

type Schemas = { order: z.ZodType<z.output<typeof orderWire>>; payment: z.ZodType<PaymentWire> };
const whole: Schemas = { order: orderWire, payment: paymentWire };
const inPart: Schemas = { order: forgiving(orderWire), payment: forgiving(paymentWire) };
const withoutOdd = (order: OrderWire | undefined): OrderWire | undefined => order && { ...order, isPartial: true };

const readOrder = (orderId: string, members: Members, schemas: Schemas): OrderWire | undefined => {
  const order = schemas.order.safeParse(members);
  if (!order.success) return undefined;
  try {
    return { ...order.data, order_id: orderId, ...waysIn(members, schemas.payment) };
  } catch (error) {
    if (error instanceof z.ZodError) return undefined;
    throw error;
  }
};
