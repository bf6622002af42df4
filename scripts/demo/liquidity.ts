/** Getting liquidity: compares sellers of inbound capacity and buys from one, then buys and redeems a turbo channel. */
import { renderUnicodeCompact } from 'uqr';
import { redeemChannel } from '../sandbox/lightning.ts';
import { follow, must, say } from './steps.ts';
import { grouped, table } from './table.ts';
import { createWallet } from './wallet.ts';

type Body = Record<string, unknown>;
type Offer = {
  rank: number;
  quote_id: string;
  provider: { id: string; name: string };
  pay_sats: number;
  fee_sats: number;
  inbound_sats: number;
  client_sats: number;
  lease_blocks?: number;
  is_estimate: boolean;
  warnings: string[];
};
type Reason = { provider: { name: string }; rule?: string; reason?: string; connect_to?: string };

export const liquidity = async (at: string): Promise<void> => {
  const wallet = createWallet(at);
  const { sessionId } = await wallet.open();
  const call = async (path: string, body: object = {}): Promise<Body> => await must(wallet, path, { session_id: sessionId, ...body });
  say(`\n1  Can node ${wallet.pubkey.slice(0, 16)}… receive 1 000 000 sats for a month? Firm prices for its proven key`);
  const wanted = { product: 'inbound', amount_sats: 1_000_000, pay_with: 'lightning', lease_blocks: 4320 };
  const offers = await call('/liquidity/offers', { ...wanted, firm: true });
  showOffers(offers);
  const best = (offers['offers'] as Offer[])[0];
  if (!best) throw new Error('nobody sells inbound capacity');

  say(`\n2  Buy it from ${best.provider.name}; the sandbox seller sees the payment after a moment`);
  const order = await call('/liquidity/order', { quote_id: best.quote_id, max_pay_sats: best.pay_sats });
  const { lightning_invoice: invoice } = order['payment_info'] as { lightning_invoice: string };
  say(`   pay ${grouped(Number(order['pay_sats']))} sats: ${invoice.slice(0, 48)}…`);
  await follow(wallet, '/liquidity/order-status', sessionId, String(order['order_id']), 'finished');

  say('\n3  A turbo channel with 500 000 sats on both sides, from Bitrefill, without a promise how long it stays');
  const turbo = await call('/liquidity/offers', { product: 'turbo', amount_sats: 500_000, pay_with: 'lightning' });
  showOffers(turbo);
  const thor = (turbo['offers'] as Offer[]).find((offer) => offer.provider.id === 'thor');
  if (!thor) throw new Error('Bitrefill has no offer');
  const second = await call('/liquidity/order', { quote_id: thor.quote_id });
  const before = second['payment_info'] as { lightning_invoice: string };
  say(`   pay ${grouped(Number(second['pay_sats']))} sats: ${before.lightning_invoice.slice(0, 48)}…`);
  const orderId = String(second['order_id']);
  await follow(wallet, '/liquidity/order-status', sessionId, orderId, 'filled');
  const status = (await call('/liquidity/order-status', { order_id: orderId }))[orderId] as { redemption: { lnurl: string } };
  say(`\n${renderUnicodeCompact(status.redemption.lnurl, { border: 2 })}`);
  say(`4  Redeemed by LNURL-channel: ${JSON.stringify(await redeemChannel(status.redemption.lnurl, wallet.pubkey))}`);
};

const showOffers = (body: Body): void => {
  const rows = (body['offers'] as Offer[]).map((offer) => [
    String(offer.rank),
    offer.provider.name,
    `${grouped(offer.pay_sats)} sats`,
    `${grouped(offer.fee_sats)} sats`,
    `${grouped(offer.inbound_sats)} in`,
    `${grouped(offer.client_sats)} own`,
    offer.lease_blocks === undefined ? 'no promise' : `${offer.lease_blocks} blocks`,
    offer.is_estimate ? 'estimate' : 'binding',
    offer.warnings.join(', '),
  ]);
  say(`\n${table(['#', 'provider', 'pays', 'fee', 'receives', 'spends', 'stays', 'price is', ''], rows)}`);
  for (const reason of [...(body['excluded'] as Reason[]), ...(body['refused'] as Reason[]), ...(body['failed'] as Reason[])]) {
    const why = reason.rule === undefined ? (reason.reason ?? '') : `excluded, ${reason.rule}`;
    say(`   ${reason.provider.name}: ${why}${reason.connect_to === undefined ? '' : `, connect to ${reason.connect_to.slice(0, 20)}…`}`);
  }
};
