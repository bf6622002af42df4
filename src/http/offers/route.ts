import * as z from 'zod';
import type { Ramp } from '../../domain/ramp.ts';
import { Problem } from '../../gateway/problem.ts';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { showRoute } from '../../gateway/pricing/show-offers.ts';
import { findRoute } from '../../gateway/pricing/store-route.ts';
import { showReceipts } from '../../gateway/receipts/show-receipts.ts';
import { orderOfQuote } from '../../gateway/attempts.ts';
import type { Order } from '../../ports/orders.ts';
import { endpoint } from '../call.ts';
import { route as routeShape } from '../price-shapes.ts';
import { sessionId, uuid } from '../shapes.ts';

export const route = endpoint({
  id: 'getRoute',
  method: 'post',
  path: '/route',
  body: z.object({ session_id: sessionId, quote_id: uuid.optional(), order_id: uuid.optional(), offers_id: uuid.optional() }),
  answer: routeShape,
  problems: ['quote-not-found', 'order-not-found'],
  lane: 'reserved',
  run: async ({ gateway, limit }, body) => {
    const session = await readSession(gateway, body.session_id, 'owned');
    await limit('routes', session.idHash);
    let order: Order | undefined;
    if (body.order_id !== undefined) {
      order = await gateway.stores.orders.find(body.order_id, session.customerId);
      if (!order) throw new Problem('order-not-found', 'This customer has no such order.');
    } else if (body.quote_id !== undefined) order = await orderOfQuote(gateway, body.quote_id, session.customerId);
    const id = order?.quoteId ?? body.quote_id ?? body.offers_id;
    if (id === undefined)
      throw new Problem('invalid-request', 'Send quote_id, offers_id or order_id.', { errors: [{ pointer: '/quote_id', detail: 'missing' }] });
    const stored = await findRoute(gateway, id, session.customerId);
    const shown = {
      buy: () => ({ ramp: 'buy' as const, ...showRoute(gateway, stored, 'buy') }),
      sell: () => ({ ramp: 'sell' as const, ...showRoute(gateway, stored, 'sell') }),
      liquidity: () => ({ ramp: 'liquidity' as const, ...showRoute(gateway, stored, 'liquidity') }),
    } satisfies Record<Ramp, () => object>;
    return { body: { ...shown[stored.route.asked.ramp](), ...(await showReceipts(gateway, stored, order)) } };
  },
});
