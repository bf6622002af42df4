/**
 * Wire schemas of Blocktank's HTTP API, version 2: only the members that we read. Sources: the API reference that is kept with Bitkit's developer
 * tools, the types of @synonymdev/blocktank-lsp-http-client 1.1.2, and rust-blocktank-client 0.0.10 (README.md).
 */
import * as z from 'zod';
import { peersIn } from '../kit/channel-order.ts';
import { isMembers } from '../kit/find-document.ts';
import { readTime } from '../kit/read-time.ts';
import { forgiving, optional, wireEnd, wireInteger, wireKey, wireRows, wireSats, wireText } from '../kit/wire-values.ts';

/** An optional hint: a value that cannot be read is ignored. */
const soft = <S extends z.ZodType>(schema: S) => optional(schema).catch(undefined);
/** A state, in lower case. */
const word = soft(
  z
    .string()
    .max(64)
    .transform((text) => text.trim().toLowerCase()),
);
/** An unreadable time is dropped. */
const softTime = z.unknown().optional().transform(readTime);
const weeks = wireInteger.pipe(z.int().min(0).max(10_000));

const key = z
  .string()
  .regex(/^0[23][0-9a-f]{64}$/i)
  .transform((text) => text.toLowerCase());
const connectionStrings = z.unknown().optional().transform(peersIn);
const node = z.object({ pubkey: key, connectionStrings, readonly: soft(z.boolean()) });

/** GET /info. */
export const infoWire = z.object({
  nodes: z.array(node).min(1).max(100),
  options: z
    .object({
      minChannelSizeSat: wireSats,
      maxChannelSizeSat: wireSats,
      minExpiryWeeks: weeks,
      maxExpiryWeeks: weeks,
      /** In the client's types, but not in the reference's sample. */
      maxClientBalanceSat: optional(wireSats),
    })
    .refine(({ minExpiryWeeks, maxExpiryWeeks }) => maxExpiryWeeks >= Math.max(minExpiryWeeks, 1), { path: ['maxExpiryWeeks'] }),
  onchain: z.object({ network: z.string().max(32) }),
});
export type InfoWire = z.output<typeof infoWire>;
export type NodeWire = InfoWire['nodes'][number];

/** POST /channels/estimate-fee-full and /channels/estimate-fee. The latter has `feeSat` only. */
export const estimateWire = z.object({ feeSat: wireSats, networkFeeSat: optional(wireSats), serviceFeeSat: optional(wireSats) });
export type EstimateWire = z.output<typeof estimateWire>;

const transaction = z.object({ blockConfirmations: soft(wireInteger), confirmed: soft(z.boolean()) });
const bolt11Invoice = z.object({ request: optional(wireText), state: word });
const payment = z.object({
  state: word,
  state2: word,
  paidSat: soft(wireSats),
  bolt11Invoice: optional(bolt11Invoice),
  onchain: optional(
    z.object({
      address: optional(wireText),
      confirmedSat: soft(wireSats),
      requiredConfirmations: soft(wireInteger),
      transactions: soft(wireRows(transaction, 100)),
    }),
  ),
});
const fundingTx = soft(
  z.object({ id: z.string().regex(/^[0-9a-f]{64}$/i), vout: wireInteger.pipe(z.int().min(0).max(99_999)) }).transform(({ id, vout }) => `${id}:${vout}`),
);

const orderWire = z.object({
  state: word,
  state2: word,
  feeSat: optional(wireSats),
  lspBalanceSat: optional(wireSats),
  clientBalanceSat: optional(wireSats),
  channelExpiryWeeks: optional(weeks),
  channelExpiresAt: softTime,
  orderExpiresAt: wireEnd,
  lspNode: optional(node),
  lnurl: soft(wireText),
  payment: optional(payment),
  channel: optional(z.object({ state: word, fundingTx })),
});
const inPart = forgiving(orderWire.extend({ payment: optional(forgiving(payment.extend({ bolt11Invoice: optional(forgiving(bolt11Invoice)) }))) }));
/** One sample has `orderExiresAt` instead of `orderExpiresAt`. */
const spelt = (value: unknown): unknown =>
  isMembers(value) && value['orderExpiresAt'] === undefined ? { ...value, orderExpiresAt: value['orderExiresAt'] } : value;

/** `isPartial`: members that cannot be read are missing, for example an amount that is no number. */
export type OrderWire = z.output<typeof orderWire> & { id: string; isPartial?: true };

/** An order in an answer: its id, and the order itself, at least in part. */
export type FoundOrder = { orderId: string; order: OrderWire | undefined };

/** Returns the order in an answer, or undefined if the answer names none. */
export const findOrder = (body: unknown): FoundOrder | undefined => {
  const id = wireKey.safeParse(isMembers(body) ? body['id'] : undefined);
  return id.success ? { orderId: id.data, order: readOrder(id.data, spelt(body)) } : undefined;
};

const readOrder = (id: string, members: unknown): OrderWire | undefined => {
  const whole = orderWire.safeParse(members);
  if (whole.success) return { ...whole.data, id };
  const part = inPart.safeParse(members);
  return part.success ? { ...part.data, id, isPartial: true } : undefined;
};
