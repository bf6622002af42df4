/** If failover moves a request, the request has one attempt for each provider that was tried. Each attempt names the next attempt. */
import type { Gateway } from '../ports/gateway.ts';
import type { Intent } from '../ports/intents.ts';
import type { Order } from '../ports/orders.ts';

/** Returns the attempts of a request, from `first` to the latest. */
export const attemptsFrom = async ({ stores }: Gateway, first: Intent): Promise<[...Intent[], Intent]> => {
  const earlier: Intent[] = [];
  let last = first;
  while (last.movedTo !== undefined) {
    const next = await stores.intents.find(last.movedTo);
    if (!next) break;
    earlier.push(last);
    last = next;
  }
  return [...earlier, last];
};

/** Returns the attempt that holds, or will hold, the request's answer. */
export const lastAttempt = async (gateway: Gateway, first: Intent): Promise<Intent> => (await attemptsFrom(gateway, first)).at(-1) ?? first;

/** Returns the order that the customer got for a quote, or undefined if there is none. After failover, it is the order of a later rank. */
export const orderOfQuote = async (gateway: Gateway, quoteId: string, customerId: string): Promise<Order | undefined> => {
  const asked = await gateway.stores.intents.findByQuote(quoteId, customerId);
  const last = asked && (await lastAttempt(gateway, asked));
  return last?.state === 'confirmed' ? await gateway.stores.orders.find(last.orderId, customerId) : undefined;
};
