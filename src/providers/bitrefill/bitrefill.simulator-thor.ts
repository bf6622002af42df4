/** The LUD-02 endpoints of the simulated Thor, which an LNURL wallet calls. As in the standard, they need no credentials. */
import type { Order, State } from './bitrefill.simulator-state.ts';

const nodeId = '02'.padEnd(66, 'a1');

const error = (reason: string): Response => Response.json({ status: 'ERROR', reason });

const capacityOf = ({ slug, value }: Order): { capacity: number; push: number } =>
  slug === 'turbo-lightning-channel' ? { capacity: 2 * Number(value), push: Number(value) } : { capacity: Number(value), push: 0 };

const orderBy = (state: State, k1: string | undefined): Order | undefined =>
  [...state.orders.values()].find((order) => order.k1 === k1 && order.done && order.slug !== 'lightning-recharge');

/** GET /thor?q=<k1>: what the LNURL leads to. */
export const channelRequest = (state: State, k1: string | undefined, origin: string): Response => {
  const order = orderBy(state, k1);
  if (!order || isUsed(state, order)) return error('This link is unknown or was used');
  return Response.json({
    tag: 'channelRequest',
    uri: `${nodeId}@127.0.0.1:9735`,
    callback: `${origin}/v1/thor`,
    k1: order.k1,
    ...(state.options.oldChannelRequest === true ? capacityOf(order) : {}),
  });
};
const isUsed = (state: State, order: Order): boolean => order.redeemed && (state.options.k1Once ?? true);

/** GET /thor?k1=…&remoteid=…&private=0|1, or &cancel=1. OK means that the channel was requested, not that it is open. */
export const openChannel = (state: State, query: Record<string, string>): Response => {
  const { k1, remoteid = '', private: hidden = '', cancel } = query;
  const order = orderBy(state, k1);
  if (!order || isUsed(state, order)) return error('This link is unknown or was used');
  if (cancel === '1') return Response.json({ status: 'OK' });
  if (!/^0[23][0-9a-f]{64}$/i.test(remoteid)) return error('remoteid is not a node id');
  if (hidden !== '0' && hidden !== '1') return error('private must be 0 or 1');
  order.redeemed = true;
  if (state.options.opensChannels ?? true) state.channels.push({ k1: order.k1, remoteid, private: hidden === '1', ...capacityOf(order) });
  return Response.json({ status: 'OK' });
};
