/**
 * Gets liquidity. Compares sellers of inbound capacity and buys from the best one, then buys two turbo channels: the wallet redeems a link for the
 * first, and the second opens automatically.
 */
import { renderUnicodeCompact } from 'uqr';
import type { Order } from '../../packages/client/src/index.ts';
import { createLiquidity, type LiquidityOffers } from '../../packages/client/src/liquidity.ts';
import { redeemChannel } from '../sandbox/lightning.ts';
import { follow, openDemo, priceIs, say, showOffers, shown } from './steps.ts';
import { grouped } from './table.ts';

export const liquidity = async (at: string): Promise<void> => {
  const { ramp, wallet } = openDemo(at);
  const sellers = createLiquidity(ramp);
  say(`\n1  Can node ${wallet.pubkey.slice(0, 16)}… receive 1 000 000 sats for a month? Firm prices for its proven key`);
  const inbound = await sellers.offers({ product: 'inbound', sats: 1_000_000n, leaseBlocks: 4320, firm: true });
  show(inbound);
  const { best } = inbound;
  if (!best) throw new Error('no seller sells inbound capacity');

  say(`\n2  Buy it from ${best.provider.name}; the sandbox seller sees the payment a moment later`);
  const order = await sellers.order(best, { atMost: best.pays });
  sayInvoice(order);
  await follow(order, 'finished');

  say('\n3  A turbo channel with 500 000 sats on both sides, from Bitrefill, without a promise of how long it stays open');
  const turbo = await sellers.offers({ product: 'turbo', sats: 500_000n });
  show(turbo);
  const thor = turbo.all.find(({ provider }) => provider.id === 'thor');
  if (!thor) throw new Error('Bitrefill has no offer');
  const second = await sellers.order(thor);
  sayInvoice(second);
  const { redemption } = await follow(second, 'filled');
  const lnurl = redemption?.lnurl;
  if (lnurl === undefined) throw new Error('the order has no link');
  say(`\n${renderUnicodeCompact(lnurl, { border: 2 })}`);
  say(`4  Redeemed by LNURL-channel: ${JSON.stringify(await redeemChannel(lnurl, wallet.pubkey))}`);

  say('\n5  The same from Blocktank, for a lease in weeks: once it is paid, the gateway has the channel opened to the proven node');
  const tank = turbo.all.find(({ provider }) => provider.id === 'tank');
  if (!tank) throw new Error('Blocktank has no offer');
  const third = await sellers.order(tank);
  sayInvoice(third);
  await follow(third, 'finished');
};

const sayInvoice = ({ pay, pays }: Order): void => {
  if (pay?.kind !== 'invoice') throw new Error('the order has no invoice');
  say(`   pay ${shown(pays)}: ${pay.invoice.slice(0, 48)}…`);
};

const show = ({ all, not }: LiquidityOffers): void =>
  showOffers(all, not, {
    pays: ({ pays }) => shown(pays),
    fee: ({ fee }) => shown(fee),
    receives: ({ inboundSats = 0n }) => `${grouped(Number(inboundSats))} in`,
    spends: ({ gets }) => `${grouped(Number(gets.units))} own`,
    stays: ({ leaseBlocks }) => (leaseBlocks === undefined ? 'no promise' : `${leaseBlocks} blocks`),
    'price is': priceIs,
    '': ({ warnings }) => warnings.join(', '),
  });
