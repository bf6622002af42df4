/**
 * Makes three sales: two to a bank account, by a standing connection (Bringin) and by an order with its own invoice (DFX), and one to a card.
 */
import { contextOf } from '../../packages/client/src/context.ts';
import type { Offer } from '../../packages/client/src/index.ts';
import { createSell } from '../../packages/client/src/sell.ts';
import { payAddress, type Simulators } from '../sandbox/lightning.ts';
import { follow, openDemo, priceIs, say, showOffers, shown } from './steps.ts';

const pay = 250_000n;
/** The code in the sandbox's text message. */
const code = '123456';

export const sell = async (at: string, simulators: Simulators): Promise<void> => {
  const { ramp, wallet } = openDemo(at);
  const selling = createSell(ramp);
  const toBank = { pay, currency: 'EUR', by: 'SEPA' };
  const email = `demo-${wallet.pubkey.slice(2, 10)}@example.com`;
  say('\n1  250 000 sats to a bank account: prices, before there is any account');
  const { all, not } = await selling.offers(toBank);
  showOffers(all, not, {
    pays: ({ pays }) => shown(pays),
    gets: ({ gets }) => shown(gets),
    fee: ({ fee }) => shown(fee),
    'price is': priceIs,
    requires: ({ requires }) => requires.join(', '),
  });

  /** Asks for prices again, and returns one provider's offer: once there is an account, the offer requires less. */
  const offerOf = async (id: string): Promise<Offer> => {
    const found = (await selling.offers(toBank)).all.find(({ provider }) => provider.id === id);
    if (!found) throw new Error(`${id} does not pay to a bank account`);
    return found;
  };

  say(`\n2  An account at Bringin for ${email}; the rest happens on the provider's own page`);
  const account = await selling.account('bringin', { email });
  say(`   ${account.status}: ${account.signupUrl}`);
  say(`   ${(await account.until('connected')).status}`);

  say('\n3  A Lightning address that pays the bank account, confirmed with the code of a text message');
  const bank = { iban: 'DE89370400440532013000', bic: 'COBADEFFXXX', beneficiaryName: 'Alice Example' };
  const requested = await account.connect({ name: 'Savings', lightningUsername: `demo${wallet.pubkey.slice(2, 8)}`, ...bank });
  await requested.until('code_required');
  const connection = await requested.confirm(code);
  say(`   ${connection.status}: ${connection.lightningAddress} → ${connection.ibanMasked}`);

  say('\n4  Order, pay, and the euros are on their way');
  const order = await selling.order(await offerOf('bringin'), { connection });
  if (order.pay?.kind !== 'lightning_address') throw new Error('the order has no Lightning address');
  say(`   pay ${shown(order.pay.amount)} to ${order.pay.address}, get ${shown(order.gets)}`);
  await payAddress(simulators, order.pay.address, Number(pay));
  await follow(order, 'filled');

  say('\n5  The same sats to the card: an order with an invoice of its own');
  const { best: onto } = await selling.offers({ pay, currency: 'EUR', by: 'Card balance' });
  if (!onto) throw new Error('no provider tops up a card');
  const topUp = await selling.order(onto);
  if (topUp.pay?.kind !== 'invoice') throw new Error('the order has no invoice');
  say(`   pay ${topUp.pay.invoice.slice(0, 40)}…, which a sandbox provider does itself`);
  await follow(topUp, 'finished');
  say(`   on the card: ${shown(await account.balance())}`);

  say('\n6  The other seller in the table, DFX: it knows the customer by the node key that we have proved. The customer opens a page of DFX once');
  const { inSession } = contextOf(ramp);
  const started = await inSession('/accounts', { provider: 'dfx', email: `dfx-${email}`, payout_to: { node_pubkey: wallet.pubkey } }, {});
  const atDfx = await selling.findAccount(started.account_id);
  say(`   ${atDfx.status}: ${atDfx.signupUrl?.slice(0, 40)}…`);
  if (atDfx.signupUrl !== undefined) await fetch(atDfx.signupUrl);
  say(`   ${(await atDfx.until('connected')).status}`);
  const account2 = await atDfx.connect({ name: 'Savings', lightningUsername: 'unused', ...bank });
  const other = await selling.order(await offerOf('dfx'), { connection: account2 });
  if (other.pay?.kind !== 'invoice') throw new Error('the order has no invoice');
  say(`   pay ${other.pay.invoice.slice(0, 40)}…, get ${shown(other.gets)}`);
  await follow(other, 'finished');
};
