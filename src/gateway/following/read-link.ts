import { z } from 'zod';
import { linkPaysLess } from '../../domain/judge-fill.ts';
import { defect } from '../../ports/defect.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Order } from '../../ports/orders.ts';
import type { Provider } from '../../ports/providers.ts';
import type { Scope } from '../../ports/scope.ts';
import { noteNews } from '../pricing/record.ts';

const patienceMs = 3_000;
const mostBytes = 16_384;
/** The answer that a wallet reads before it makes an invoice, by LUD-03. github.com/lnurl/luds */
const withdrawRequest = z.object({ tag: z.literal('withdrawRequest'), maxWithdrawable: z.int().nonnegative() });

/**
 * Returns the order with the amount that its withdrawal link states. The link is read once, after it has been stored and before the customer gets it.
 * The amount is evidence, not proof, because a provider can tell our read from the wallet's. So it does not change what the customer gets, and a read
 * that fails changes nothing at all.
 */
export const withLinkRead = async (scope: Scope, provider: Provider, order: Order, url: string): Promise<Order> => {
  const { gateway } = scope;
  if (provider.core.link_check === 'off') return order;
  const sats = await readLink(gateway, url);
  if (sats === undefined) return order;
  try {
    await gateway.stores.record.linkRead(order.id, sats, gateway.now());
    noteNews(gateway);
  } catch (error) {
    defect(gateway.log, 'link_read', error, { request_id: scope.requestId, order: order.id });
    return order;
  }
  if (linkPaysLess(order.receive, sats)) {
    gateway.count('order_oddities_total', { provider: provider.id, kind: 'link-short' });
    gateway.log('error', 'link_pays_less', { request_id: scope.requestId, order: order.id, provider: provider.id });
  }
  // A second link does not make up for a first one that paid less.
  return { ...order, linkReceive: order.linkReceive !== undefined && order.linkReceive < sats ? order.linkReceive : sats };
};

/** Returns the amount that the link states, in whole sats, or undefined. A redirect is not followed and does not count as an answer. */
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
