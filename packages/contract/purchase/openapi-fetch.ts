/** Makes a whole purchase, and asks for prices of a sale and of liquidity, with openapi-fetch and openapi-typescript's types, without a type cast. */
import createClient from 'openapi-fetch';
import type { components, paths } from '../dist/openapi-typescript.ts';
import { gatewayUrl, say, sleep } from './world.ts';

type Schemas = components['schemas'];
const api = createClient<paths>({ baseUrl: gatewayUrl });

class Refused extends Error {
  readonly action: Schemas['Action'];
  constructor(problem: Schemas['Problem']) {
    super(`${problem.code}: ${problem.detail} (${problem.instance})`);
    this.action = problem.action;
  }
}
const good = <T>({ data, error }: { data?: T; error?: Schemas['Problem'] }): T => {
  if (data === undefined) throw error ? new Refused(error) : new Error('no answer');
  return data;
};

/** Returns how to pay. It compiles only because the switch has every way to pay sats. */
const payTo = (payment: Schemas['SatsPayment']): string => {
  switch (payment.kind) {
    case 'invoice':
      return payment.lightning_invoice;
    case 'lightning_address':
      return `${payment.lightning_address} for ${payment.amount_sats} sats`;
    case 'lnurl':
      return payment.lnurl;
    case 'onchain':
      return payment.bip21;
    case 'altcoin':
      return `${payment.altcoin_amount ?? 'as the invoice says'} ${payment.altcoin_code} to ${payment.address}`;
    case 'none':
      return 'nothing';
  }
};

const { session_id } = good(await api.GET('/verify'));
good(await api.POST('/session', { body: { session_id } }));
const { currencies } = good(await api.POST('/payment-options', { body: { session_id, currency_code: 'EUR' } }));
const euro = currencies.flatMap((one) => Object.values(one))[0];
const sepa = euro?.payment_options.find(({ option }) => option === 'SEPA');
if (!euro || !sepa) throw new Error('no provider takes euros by SEPA');
const option = { currency_id: euro.currency_id, payment_option_id: sepa.id };

const { offers, refused } = good(await api.POST('/offers', { body: { session_id, amount_fiat: 10_000, ...option } }));
for (const { provider, amount_sats, fee_bps, requires } of offers) say(`${provider.name}: ${amount_sats} sats, fee ${fee_bps / 100} % ${requires.join()}`);
for (const { provider, reason, min_amount_fiat } of refused) say(`${provider.name} refuses: ${reason} ${min_amount_fiat ?? ''}`);
const best = offers.find(({ requires }) => requires.length === 0);
if (!best) throw new Error('no offer');

const order = good(await api.POST('/order', { body: { session_id, quote_id: best.quote_id, min_amount_sats: Math.floor(best.amount_sats * 0.99) } }));
const { payment_details: bank, payment_url: page, epc_qr: code } = order.payment_info;
say(
  `pay ${order.amount_fiat / 100} EUR ${page ? `at ${page}` : `to ${bank?.['provider_iban']} with ${bank?.['provider_reference']} (${code?.length ?? 0} characters of EPC)`}`,
);

let state: Schemas['BuyOrderState'] | undefined;
for (let look = 0; look < 60 && state?.stage !== 'filled'; look += 1) {
  await sleep(1000);
  state = good(await api.POST('/order-status', { body: { session_id, order_id: order.order_id } }))[order.order_id];
  if (state?.final === true) throw new Error(`it ended as ${state.stage}`);
}
const { lnurlw } = good(await api.POST('/withdrawal', { body: { session_id, order_id: order.order_id } }));
say(`filled; withdraw by ${lnurlw.slice(0, 12)}…`);

const route = good(await api.POST('/route', { body: { session_id, order_id: order.order_id } }));
if (route.ramp === 'buy') say(`decided by ${route.policy.decided_by}, market price ${route.policy.reference?.btc_price ?? 0}: ${route.offers.length} offers`);

const banks = good(await api.POST('/sell/payment-options', { body: { session_id } })).currencies.flatMap((one) => Object.values(one))[0];
const bankTransfer = { currency_id: banks?.currency_id ?? 0, payment_option_id: banks?.payment_options[0]?.id ?? 0 };
const sale = await api.POST('/sell/offers', { body: { session_id, amount_sats: 250_000, ...bankTransfer } });
if (sale.error) say(`no sale: ${sale.error.code}, ${sale.error.action}`);
else say(`sale: ${sale.data.offers.map(({ amount_fiat, requires }) => `${amount_fiat / 100} EUR, needs ${requires.join(' and ')}`).join('; ')}`);

const liquidity = good(await api.POST('/liquidity/offers', { body: { session_id, product: 'recharge', amount_sats: 100_000, pay_with: 'lightning' } }));
const recharge = liquidity.offers.find(({ requires }) => requires.every((one) => one === 'invoice'));
say(`liquidity: ${recharge ? `${recharge.pay_sats} sats for ${recharge.client_sats}` : liquidity.refused.map(({ reason }) => reason).join()}`);
say(`how to pay: ${payTo({ kind: 'lightning_address', lightning_address: 'alice@example.com', amount_sats: 5000 })}`);

// The list of reasons is open, so an unknown reason compiles. The list of stages is closed, because a client must act on each stage.
const later: Schemas['RefusalReason'] = 'a-reason-of-next-year';
// @ts-expect-error the list of stages is complete
const unknown: Schemas['Stage'] = 'teleported';
say(`words: ${later}, ${unknown}`);
