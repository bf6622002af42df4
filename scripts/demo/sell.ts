/** Makes two sales: one to a bank account, by a standing connection, and one to a card, by an order with an invoice of its own. */
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
  const { best } = await selling.offers(toBank);
  if (!best) throw new Error('no provider pays to a bank account');
  const order = await selling.order(best, { connection });
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
};
