/** One purchase: offers of every provider, the best one ordered, paid, withdrawn. */
import { renderUnicodeCompact } from 'uqr';
import { follow, say } from './steps.ts';
import { grouped, money, table } from './table.ts';
import { createWallet, type Wallet } from './wallet.ts';

type Offer = {
  rank: number;
  quote_id: string;
  provider: { name: string };
  amount_fiat: number;
  amount_sats: number;
  order_fee: number;
  cost_bps?: number;
  cost_vs_median_bps?: number;
  is_estimate: boolean;
  latency_ms: number;
  warnings: string[];
};
type Reason = { provider: { name: string }; rule?: string; reason?: string; deviation_bps?: number; min_amount_fiat?: number; max_amount_fiat?: number };

export const buy = async (at: string): Promise<void> => {
  const wallet = createWallet(at);
  say(`\n1  A wallet with node key ${wallet.pubkey.slice(0, 16)}… opens a session at ${at}`);
  const { sessionId, proven } = await wallet.open();
  say(`   proven to: ${proven.join(', ')}`);

  const option = await pickOption(wallet, sessionId);
  say(`\n2  100.00 EUR by ${option.name}: ask every provider at once`);
  const offers = await wallet.call('/offers', { session_id: sessionId, amount_fiat: 10_000, currency_id: option.currencyId, payment_option_id: option.id });
  showOffers(offers.body);
  const best = (offers.body['offers'] as Offer[])[0];
  if (!best) throw new Error('no provider has an offer');

  say(`\n3  Order the best one: ${best.provider.name}`);
  const order = await wallet.call('/order', { session_id: sessionId, quote_id: best.quote_id });
  if (order.status !== 200) throw new Error(`POST /order answered ${order.status}: ${String(order.body['detail'])}`);
  const orderId = String(order.body['order_id']);
  const payment = order.body['payment_info'] as { payment_url?: string; payment_details?: Record<string, string> };
  for (const [key, value] of Object.entries(payment.payment_details ?? {})) say(`   ${key.padEnd(22)} ${value}`);
  if (payment.payment_url !== undefined) say(`   pay at ${payment.payment_url}`);

  say('\n4  The customer pays; the sandbox provider sees the money after a moment');
  await follow(wallet, '/order-status', sessionId, orderId, 'filled');
  const { body: withdrawal } = await wallet.call('/withdrawal', { session_id: sessionId, order_id: orderId });
  const lnurl = String(withdrawal['lnurlw']);
  say('\n5  The sats are there: scan, or let the wallet claim them\n');
  say(renderUnicodeCompact(lnurl, { border: 2 }));
  say(`   ${lnurl}`);
  const claimed = await wallet.withdraw(lnurl);
  say(`\n6  Claimed ${grouped(claimed.sats)} sats by LNURL-withdraw: ${JSON.stringify(claimed.answer)}`);
  await follow(wallet, '/order-status', sessionId, orderId, 'finished');
  const { body: route } = await wallet.call('/route', { session_id: sessionId, order_id: orderId });
  const policy = route['policy'] as { name: string; decided_by: string };
  say(`\n   Why ${best.provider.name}? POST /route keeps the whole decision: policy ${policy.name}, decided by ${policy.decided_by}.`);
};

const pickOption = async (wallet: Wallet, sessionId: string): Promise<{ currencyId: number; id: number; name: string }> => {
  const { body } = await wallet.call('/payment-options', { session_id: sessionId, currency_code: 'EUR' });
  const [currency] = body['currencies'] as Record<string, { currency_id: number; payment_options: { id: number; option: string }[] }>[];
  const euro = currency?.['eur'];
  const option = euro?.payment_options.find((one) => one.option === 'SEPA') ?? euro?.payment_options[0];
  if (!euro || !option) throw new Error('no provider takes euros');
  return { currencyId: euro.currency_id, id: option.id, name: option.option };
};

const showOffers = (body: Record<string, unknown>): void => {
  const rows = (body['offers'] as Offer[]).map((offer) => [
    String(offer.rank),
    offer.provider.name,
    money(offer.amount_fiat, 'EUR'),
    `${grouped(offer.amount_sats)} sats`,
    money(offer.order_fee, 'EUR'),
    costOf(offer),
    offer.is_estimate ? 'estimate' : 'binding',
    `${offer.latency_ms} ms`,
    offer.warnings.join(', '),
  ]);
  say(`\n${table(['#', 'provider', 'pays', 'gets', 'fee', 'cost', 'price is', 'took', ''], rows)}`);
  const reasons = [...(body['excluded'] as Reason[]), ...(body['refused'] as Reason[]), ...(body['failed'] as Reason[])];
  for (const reason of reasons)
    say(`   ${reason.provider.name}: ${reason.rule === undefined ? (reason.reason ?? '') : `excluded, ${reason.rule}`}${limit(reason)}`);
};

/** Against the market, or where no market price is known only against the other offers. */
const costOf = ({ cost_bps: cost, cost_vs_median_bps: versus }: Offer): string =>
  cost === undefined ? (versus === undefined ? '' : `${versus} bps vs median`) : `${cost} bps`;

const limit = (reason: Reason): string =>
  reason.min_amount_fiat !== undefined
    ? `, starts at ${money(reason.min_amount_fiat, 'EUR')}`
    : reason.max_amount_fiat !== undefined
      ? `, ends at ${money(reason.max_amount_fiat, 'EUR')}`
      : reason.deviation_bps === undefined
        ? ''
        : `, ${reason.deviation_bps / 100} % better than the next`;
