import type { Json } from '../../domain/offer.ts';
import { receiptLeaf, receiptRoute, type ReceiptKind, type ReceiptPayload } from '../../domain/receipt.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Order } from '../../ports/orders.ts';
import type { StoredReceipt } from '../../ports/receipts.ts';
import type { StoredOffers } from '../pricing/store-route.ts';

export const issuerOf = (gateway: Gateway): string => new URL(gateway.settings.public_url).host;

type Content = Pick<ReceiptPayload, 'route' | 'chosen' | 'order'>;

/** Makes a receipt once. Later calls return the stored receipt byte for byte, even if the signing key has changed. */
const make = async (gateway: Gateway, subjectId: string, kind: ReceiptKind, content: Content): Promise<StoredReceipt> => {
  const madeOn = gateway.now();
  const newest = await gateway.stores.receipts.newestDay();
  const payload: ReceiptPayload = {
    version: 1,
    kind,
    issuer: issuerOf(gateway),
    made_on: madeOn,
    salt: gateway.hash(gateway.ids.secret(32)),
    ...(newest ? { newest_root: { day: newest.day, root: newest.root } } : {}),
    ...content,
  };
  const jws = await gateway.receiptSigner.sign(payload, 'receipt+jws');
  return await gateway.stores.receipts.add({ subjectId, kind, leaf: receiptLeaf(jws), jws, madeOn }, await gateway.receiptSigner.key());
};

const sats = (amounts: { [name: string]: bigint | undefined }): { [name: string]: Json } =>
  Object.fromEntries(Object.entries(amounts).flatMap(([name, value]) => (value === undefined ? [] : [[name, value.toString()]])));

/**
 * Returns the contents of the receipts about what has happened to an order so far: `filled` (quoted and reported amounts), and `link` (the amount
 * that the withdrawal link stated).
 */
const stateContents = (order: Order): [ReceiptKind, Content][] => {
  const about = { order_id: order.id, provider: order.providerId, ...sats({ quoted_pay: order.quotedPay, quoted_receive: order.quotedReceive }) };
  const told = sats({ told_pay: order.toldPay ?? order.pay, told_receive: order.toldReceive ?? order.receive });
  return [
    ...(order.stage === 'filled' || order.stage === 'finished'
      ? [['filled', { order: { ...about, ...told, status: order.rawStatus } }] satisfies [ReceiptKind, Content]]
      : []),
    ...(order.linkReceive === undefined
      ? []
      : [['link', { order: { ...about, ...sats({ link_receive: order.linkReceive }) } }] satisfies [ReceiptKind, Content]]),
  ];
};

/** Returns the receipts of a stored decision, and makes missing ones. A route has one for its decision. An order also has those of stateContents. */
export const receiptsOf = async (gateway: Gateway, stored: StoredOffers & { chosen?: number }, order?: Order): Promise<StoredReceipt[]> => {
  const subjectId = order?.id ?? stored.routeId;
  const chosen = order && stored.chosen;
  const provider = chosen === undefined ? undefined : stored.route.offers[chosen - 1]?.providerId;
  const decision: Content = {
    route: receiptRoute(stored.route),
    ...(chosen === undefined || provider === undefined ? {} : { chosen: { rank: chosen, provider } }),
  };
  const wanted: [ReceiptKind, Content][] = [['decision', decision], ...(order ? stateContents(order) : [])];
  const known = await gateway.stores.receipts.of([subjectId]);
  return await Promise.all(wanted.map(async ([kind, content]) => known.find((one) => one.kind === kind) ?? (await make(gateway, subjectId, kind, content))));
};
