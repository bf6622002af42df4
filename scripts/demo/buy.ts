/**
 * Makes two purchases. For the first, it gets offers from every provider, orders the best one whose sats the wallet withdraws itself, waits for the
 * payment and withdraws. For the second, it orders from a provider that sends the sats to the wallet's node.
 */
import { renderUnicodeCompact } from 'uqr';
import { verifyReceipt, type PublicKeys } from '../../packages/client/src/receipt.ts';
import { RampError, type Offer, type Ramp } from '../../packages/client/src/index.ts';
import { follow, openDemo, priceIs, say, showOffers, shown } from './steps.ts';
import { grouped } from './table.ts';

export const buy = async (at: string): Promise<void> => {
  const { ramp, wallet } = openDemo(at);
  say(`\n1  A wallet with node key ${wallet.pubkey.slice(0, 16)}… opens a session at ${at}`);
  const options = await ramp.options();
  const option = options.find(({ name, currency }) => currency === 'EUR' && name === 'SEPA') ?? options.find(({ currency }) => currency === 'EUR');
  if (!option) throw new Error('no provider takes euros');

  say(`\n2  100.00 EUR by ${option.name}: ask every provider at once`);
  const { all, not } = await ramp.offers({ pay: '100', currency: 'EUR', by: option.name, payoutKinds: ['node_pubkey'] });
  showOffers(all, not, {
    pays: ({ pays }) => shown(pays),
    gets: ({ gets }) => shown(gets),
    fee: ({ fee }) => shown(fee),
    cost: costOf,
    'price is': priceIs,
    took: ({ raw }) => `${String(raw['latency_ms'])} ms`,
    '': ({ payoutKinds, warnings }) => [...(payoutKinds ? ['sends the sats itself'] : []), ...warnings].join(', '),
  });
  const best = all.find(({ payoutKinds }) => payoutKinds === undefined);
  if (!best) throw new Error('no provider has an offer');

  say(`\n3  Order the best one of those whose sats we withdraw: ${best.provider.name}`);
  const order = await ramp.buy(best, { atLeast: (best.gets.units * 99n) / 100n });
  if (order.pay?.kind === 'bank') for (const [key, value] of Object.entries(order.pay.details)) say(`   ${key.padEnd(22)} ${value}`);
  if (order.pay?.kind === 'page') say(`   pay at ${order.pay.url}`);

  say('\n4  The customer pays; the sandbox provider sees the money a moment later');
  await follow(order, 'filled');
  const { lnurl } = await order.withdraw();
  say('\n5  The sats are there: scan the code, or let the wallet claim them\n');
  say(renderUnicodeCompact(lnurl, { border: 2 }));
  say(`   ${lnurl}`);
  const claimed = await wallet.withdraw(lnurl);
  say(`\n6  Claimed ${grouped(claimed.sats)} sats by LNURL-withdraw: ${JSON.stringify(claimed.answer)}`);
  await follow(order, 'finished');

  const { policy, receipt } = await ramp.route(order);
  const keys = (await (await fetch(`${at}/.well-known/receipt-keys`)).json()) as PublicKeys;
  const verified = await verifyReceipt(receipt, keys);
  say(`\n   Why ${best.provider.name}? POST /route keeps the whole decision: policy ${policy.name}, decided by ${policy.decidedBy}.`);
  say(`   Its receipt is signed, and its figures, ranked again here, ${verified.ok ? 'give the same ranking' : `do not hold: ${verified.problem}`}.`);

  const pushed = all.find(({ payoutKinds }) => payoutKinds?.includes('node_pubkey'));
  if (pushed) await buyPushed(ramp, pushed, { node_pubkey: wallet.pubkey });
};

/** Orders from a provider that sends the sats itself. The provider may have to identify the customer first. */
const buyPushed = async (ramp: Ramp, offer: Offer, payoutTo: { node_pubkey: string }): Promise<void> => {
  say(`\n7  ${offer.provider.name} sends the sats itself: this time to our node, without a withdrawal`);
  const order = await ramp.buy(offer, { payoutTo }).catch(async (error: unknown) => {
    const page = error instanceof RampError ? error.problem?.['action_url'] : undefined;
    if (typeof page !== 'string') throw error;
    say(`   ${offer.provider.name} must know the customer first. The customer opens its page: ${page.slice(0, 40)}…`);
    await fetch(page);
    await new Promise((done) => setTimeout(done, 1500));
    return await ramp.buy(offer, { payoutTo });
  });
  if (order.pay?.kind === 'bank') for (const [key, value] of Object.entries(order.pay.details)) say(`   ${key.padEnd(22)} ${value}`);
  const { raw } = await follow(order, 'finished');
  say(`   sent to ${payoutTo.node_pubkey.slice(0, 16)}…, payment ${String(raw['payout_id']).slice(0, 16)}…`);
};

/** Returns the cost compared with the market price or, if no market price is known, with the median of the offers. */
const costOf = ({ costBps, costVsMedianBps }: Offer): string =>
  costBps === undefined ? (costVsMedianBps === undefined ? '' : `${costVsMedianBps} bps vs median`) : `${costBps} bps`;
