/**
 * One customer of the market: opens a session, orders the first offer, waits for the sats, and reads what the link really pays. The customer acts
 * like the wallet of docs/wallet.md: the gateway may fail over to offers of up to 1 % less. If an order fails nevertheless, the customer orders the
 * first offer in the problem, or asks for prices again if the problem has none. The customer orders at most three times.
 */
import { decodeLnurl } from '../../src/bitcoin/lnurl.ts';

export type Offer = {
  quote_id: string;
  provider: { id: string };
  amount_fiat: number;
  order_fee: number;
  amount_sats: number;
  fee_bps: number;
  cost_bps?: number;
};
/** `policy.reference` of the first answer. */
export type Reference = { source: string; btc_price: number };
export type Outcome = { delivered: number; provider?: string; lost?: string; firstOffers: Offer[]; reference: Reference | undefined; firstMs: number };
export type Purchase = { url: string; amountFiat: number; address: string };

const mostOrders = 3;
const patienceMs = 8000;
type Answer = { status: number; body: Record<string, unknown> };

export const buy = async ({ url, amountFiat, address }: Purchase): Promise<Outcome> => {
  const call = async (path: string, body?: object): Promise<Answer> => {
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': address };
    const response = await fetch(url + path, body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const { body: begun } = await call('/verify');
  const session_id = begun['session_id'];
  await call('/session', { session_id });
  const asked = performance.now();
  let reference: Reference | undefined;
  const offersNow = async (): Promise<Offer[]> => {
    const { body } = await call('/offers', { session_id, amount_fiat: amountFiat, currency_id: 1, payment_option_id: 1 });
    reference ??= (body['policy'] as { reference?: Reference } | undefined)?.reference;
    return (body['offers'] as Offer[] | undefined) ?? [];
  };
  const firstOffers = await offersNow();
  const firstMs = performance.now() - asked;
  const outcome = { delivered: 0, firstOffers, reference, firstMs };
  let offers = firstOffers;
  let lost = 'no-offer';
  for (let tries = 0; tries < mostOrders; tries += 1) {
    const [offer] = offers;
    if (!offer) return { ...outcome, lost };
    const failover = { max: 2, min_amount_sats: Math.floor(offer.amount_sats * 0.99) };
    const { status, body: order } = await call('/order', { session_id, quote_id: offer.quote_id, failover });
    if (status === 200) {
      const held = await collect(call, session_id, String(order['order_id']));
      const { id: provider } = order['provider'] as Offer['provider'];
      return 'sats' in held ? { ...outcome, delivered: held.sats, provider } : { ...outcome, lost: held.lost };
    }
    lost = typeof order['code'] === 'string' ? order['code'] : String(status);
    const brought = order['offers'] as Offer[] | undefined;
    offers = brought && brought.length > 0 ? brought : await offersNow();
  }
  return { ...outcome, lost };
};

/** Waits until the order is filled, and reads the link as a wallet does before it makes its invoice. */
const collect = async (
  call: (path: string, body?: object) => Promise<Answer>,
  session_id: unknown,
  order_id: string,
): Promise<{ sats: number } | { lost: string }> => {
  let stage = '';
  for (const until = performance.now() + patienceMs; performance.now() < until;) {
    const { body } = await call('/order-status', { session_id, order_id });
    stage = (body[order_id] as { stage?: string } | undefined)?.stage ?? '';
    if (stage === 'filled' || stage === 'review' || stage === 'failed') break;
    await new Promise((done) => setTimeout(done, 40));
  }
  if (stage !== 'filled') return { lost: `stage ${stage}` };
  let answer = await call('/withdrawal', { session_id, order_id });
  // Something is better than nothing: the customer takes it, and disputes the rest.
  if (answer.body['code'] === 'order-short') answer = await call('/withdrawal', { session_id, order_id, accept_short: true });
  const link = decodeLnurl(String(answer.body['lnurlw']), { loopbackHttp: true });
  if (link === undefined) return { lost: `withdrawal ${String(answer.body['code'])}` };
  const { maxWithdrawable = 0 } = (await (await fetch(link)).json()) as { maxWithdrawable?: number };
  await fetch(`${link}/claim`);
  return { sats: maxWithdrawable / 1000 };
};
