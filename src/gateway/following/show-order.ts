/** Orders outward: the answer of the ordering call, and an entry of the status calls. One file for the three ramps, so that they cannot drift apart. */
import { btcPrice, satsPerBtc } from '../../domain/money.ts';
import type { Json } from '../../domain/offer.ts';
import { orderStatus } from '../../domain/order-life.ts';
import { orderSecretPlace, paymentPlace } from '../places.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Order } from '../../ports/orders.ts';
import { decodeLnurl } from '../../bitcoin/lnurl.ts';
import { trustedLink } from '../../domain/hosts.ts';
import { linkHosts, providerOf } from '../upstream/provider-of.ts';
import { readTerms } from '../pricing/liquidity-terms.ts';
import { int, isoTime, providerRef, shownFacts } from '../outward.ts';

type Shown = { [key: string]: Json };

const priceOf = ({ ramp, pay, receive, fee }: Order): bigint => {
  const [fiat, sats] = ramp === 'buy' ? [pay, receive] : [receive, pay];
  if (sats <= 0n) return 0n;
  return ramp === 'buy' ? btcPrice(fiat, fee, sats) : ((fiat + fee) * satsPerBtc) / sats;
};

/** What is bought and for how much, in the words of the order's ramp. */
const amountsOf = (order: Order): Shown => {
  if (order.ramp === 'liquidity') {
    const { product, amountSats, payWith } = readTerms(order.terms);
    return {
      product,
      pay_with: payWith,
      amount_sats: amountSats,
      pay_sats: int(order.pay),
      fee_sats: int(order.fee),
      client_sats: int(order.receive),
      ...shownFacts(order.facts),
    };
  }
  const [fiat, sats] = order.ramp === 'buy' ? [order.pay, order.receive] : [order.receive, order.pay];
  return {
    amount_fiat: int(fiat),
    amount_sats: int(sats),
    currency_id: order.terms['currencyId'] ?? 0,
    payment_option_id: order.terms['paymentOptionId'] ?? 0,
  };
};

/** What only a sale has: its price (always told with the order), how the euros travel, how the payment is recognised. */
const saleOf = (order: Order): Shown =>
  order.ramp === 'sell'
    ? {
        ...(order.facts['delivered_to'] === undefined ? {} : { delivered_to: order.facts['delivered_to'] }),
        ...(order.terms['matchedBy'] === undefined ? {} : { matched_by: order.terms['matchedBy'] }),
      }
    : {};

/** The answer of /order, /sell/order and /liquidity/order. */
export const showNewOrder = (gateway: Gateway, order: Order, payment: Shown | undefined): Shown => ({
  order_id: order.id,
  order_status: orderStatus(order.stage),
  stage: order.stage,
  provider: providerRef(gateway, order.providerId),
  ...amountsOf(order),
  ...(order.ramp === 'buy' ? {} : { is_estimate: !order.binding }),
  ...(order.ramp === 'sell' ? { btc_price: int(priceOf(order)), order_fee: int(order.fee) } : {}),
  ...saleOf(order),
  ...(order.expiresOn === undefined ? {} : { expires_on: isoTime(order.expiresOn) }),
  ...(order.ramp === 'buy' || order.nextCheckOn === undefined ? {} : { next_check_on: isoTime(order.nextCheckOn) }),
  payment_info: payment ?? {},
});

const payable = new Set(['awaiting_payment', 'underpaid']);

/** How to pay an order while it can be paid. Of a final one the details may have been forgotten (retention), and nobody is to pay it any more. */
export const openPayment = async (gateway: Gateway, order: Order): Promise<Shown | undefined> => {
  const canBePaid = !order.final && order.paymentInfo !== '' && payable.has(order.stage) && (order.expiresOn ?? Infinity) > gateway.now();
  return canBePaid ? (JSON.parse(await gateway.seal.open(order.paymentInfo, paymentPlace(order.id))) as Shown) : undefined;
};

/** FLS01's members, and what a wallet needs that was killed between ordering and paying. */
export const showOrder = async (gateway: Gateway, order: Order): Promise<Shown> => {
  const payment = await openPayment(gateway, order);
  const quotedSats = order.ramp === 'buy' ? order.quotedReceive : order.quotedPay;
  return {
    ...amountsOf(order),
    ...(order.ramp === 'liquidity' ? {} : { btc_price: int(priceOf(order)), order_fee: int(order.fee) }),
    order_status: orderStatus(order.stage),
    order_status_date: isoTime(order.stageOn),
    stage: order.stage,
    final: order.final,
    quote_id: order.quoteId,
    provider: providerRef(gateway, order.providerId),
    ...(order.ramp === 'liquidity' ? {} : { quoted_amount_sats: int(quotedSats) }),
    ...(order.ramp === 'buy' ? { on_chain_fallback: order.facts['on_chain_fallback'] === true } : {}),
    ...saleOf(order),
    ...(payment && order.expiresOn !== undefined ? { expires_on: isoTime(order.expiresOn) } : {}),
    ...(order.nextCheckOn === undefined || order.final ? {} : { next_check_on: isoTime(order.nextCheckOn) }),
    ...(payment ? { payment_info: payment } : {}),
    ...(await redemptionOf(gateway, order)),
  };
};

/** What a channel or link is redeemed with: a bearer secret, shown to its owner only, and only where it leads to the provider's own hosts. */
const redemptionOf = async (gateway: Gateway, order: Order): Promise<Shown> => {
  if (order.ramp !== 'liquidity' || order.secret === undefined || order.stage !== 'filled') return {};
  const secret = JSON.parse(await gateway.seal.open(order.secret, orderSecretPlace(order.id))) as Json;
  const provider = providerOf(gateway, order.providerId);
  const redemption = provider.adapter.liquidity?.redemption?.({ rawStatus: order.rawStatus, secret });
  if (!redemption) return {};
  const sandbox = gateway.settings.mode === 'sandbox';
  const hosts = linkHosts(provider, provider.core.payout_hosts);
  const target = redemption.lnurl === undefined ? undefined : decodeLnurl(redemption.lnurl, { loopbackHttp: sandbox });
  const trusted = [target, redemption.link].every((link) => link === undefined || trustedLink(link, hosts, sandbox));
  if (!trusted) {
    gateway.count('untrusted_links_total', { provider: provider.id });
    gateway.log('error', 'redemption_link_untrusted', { provider: provider.id, order: order.id });
    return {};
  }
  return {
    redemption: {
      ...(redemption.lnurl === undefined ? {} : { lnurl: redemption.lnurl }),
      ...(redemption.link === undefined ? {} : { link: redemption.link }),
    },
    redemption_means: 'redeemable: the channel opens when the wallet redeems it',
  };
};
