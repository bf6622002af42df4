import * as z from 'zod';
import { linkPaysLess } from '../../domain/judge-fill.ts';
import { defect } from '../../ports/defect.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Order } from '../../ports/orders.ts';
import type { Provider } from '../../ports/providers.ts';
import type { Scope } from '../../ports/scope.ts';
import { noteNews } from '../pricing/record.ts';

const patienceMs = 3_000;
const mostBytes = 16_384;
/** The response that a wallet reads before it makes an invoice, as LUD-03 defines it. github.com/lnurl/luds */
const withdrawRequest = z.object({ tag: z.literal('withdrawRequest'), maxWithdrawable: z.int().nonnegative() });

/**
 * Returns the order with the amount that its first withdrawal link states, if that can be read. The link is read after it has been stored, and before
 * this caller gets it. A later link is not read: the customer may already have withdrawn a part with the first one, and that must not count against
 * the provider. The amount is evidence, not proof, because a provider can tell our read from the wallet's. So neither the amount nor a failed read
 * changes what the customer gets.
 */
export const withLinkRead = async (scope: Scope, provider: Provider, order: Order, link: { url: string; isFirst: boolean }): Promise<Order> => {
  const { gateway } = scope;
  if (order.linkReadOn !== undefined) return order;
  const sats = link.isFirst && provider.core.link_check !== 'off' ? await readLink(gateway, link.url) : undefined;
  if (!(await noteLink(scope, order, sats)) || sats === undefined) return order;
  noteNews(gateway);
  if (linkPaysLess(order.receive, sats)) {
    gateway.count('order_oddities_total', { provider: provider.id, kind: 'link-short' });
    gateway.log('error', 'link_pays_less', { request_id: scope.requestId, order: order.id, provider: provider.id });
  }
  return { ...order, linkReceive: sats };
};

/**
 * Ends the reading of an order's link. Called before a link that another call fetched is given out: if that call is still reading the link, the
 * amount that it reads no longer counts.
 */
export const closeLinkRead = async (scope: Scope, order: Order): Promise<void> => {
  if (order.linkReadOn === undefined) await noteLink(scope, order, undefined);
};

/**
 * Stores the amount of an order's link, or that the link was given out unread. Returns whether this was the first such note for the order. If the
 * write fails, the customer still gets the link.
 */
const noteLink = async ({ gateway, requestId }: Scope, order: Order, sats: bigint | undefined): Promise<boolean> => {
  try {
    return await gateway.stores.record.linkRead(order.id, sats, gateway.now());
  } catch (error) {
    defect(gateway.log, 'link_read', error, { request_id: requestId, order: order.id });
    return false;
  }
};

/**
 * Returns the amount that the link states, in whole sats, or undefined if it cannot be read in time. A redirect is not followed and does not count as
 * a response.
 */
const readLink = async (gateway: Gateway, url: string): Promise<bigint | undefined> => {
  const cut = new AbortController();
  let sats: bigint | undefined;
  const reading = gateway.guardedHttp({ method: 'GET', url, headers: { accept: 'application/json' }, signal: cut.signal, maxBytes: mostBytes }).then(
    ({ status, body }) => {
      if (status === 200) sats = payableOf(new TextDecoder().decode(body));
    },
    () => undefined,
  );
  await gateway.waitAtMost(reading, patienceMs);
  cut.abort();
  return sats;
};

const payableOf = (text: string): bigint | undefined => {
  try {
    const parsed = withdrawRequest.safeParse(JSON.parse(text));
    return parsed.success ? BigInt(parsed.data.maxWithdrawable) / 1000n : undefined;
  } catch {
    return undefined;
  }
};
