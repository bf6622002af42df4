/** Two sales: one to a bank account by a standing connection, one onto a card by an order with an invoice. */
import { payAddress, type Simulators } from '../sandbox/lightning.ts';
import { follow, must, say, waitFor } from './steps.ts';
import { grouped, money, table } from './table.ts';
import { createWallet } from './wallet.ts';

type Body = Record<string, unknown>;
type Call = (path: string, body?: object) => Promise<Body>;
type Offer = {
  rank: number;
  provider: { name: string };
  amount_fiat: number;
  amount_sats: number;
  order_fee: number;
  is_estimate: boolean;
  requires: string[];
};
const sats = 250_000;
/** The text message of the sandbox. */
const code = '123456';

export const sell = async (at: string, simulators: Simulators): Promise<void> => {
  const wallet = createWallet(at);
  const email = `demo-${wallet.pubkey.slice(2, 10)}@example.com`;
  const { sessionId } = await wallet.open();
  const call: Call = async (path, body = {}) => await must(wallet, path, { session_id: sessionId, ...body });
  say(`\n1  ${grouped(sats)} sats to a bank account: prices before there is any account`);
  const bank = await optionOf(call, 'SEPA');
  showOffers(await call('/sell/offers', { amount_sats: sats, ...bank }));

  say(`\n2  An account at Bringin for ${email}; the provider's own page does the rest`);
  const account = await call('/sell/accounts', { provider: 'bringin', email });
  say(`   ${String(account['account_status'])}: ${String(account['signup_url'])}`);
  const accountId = account['account_id'];
  await waitFor('the account is connected', async () => {
    const seen = await call('/sell/account-status', { account_id: accountId });
    return seen['account_status'] === 'connected' ? seen : undefined;
  });
  say('   connected');

  say('\n3  A Lightning address that pays the bank account, confirmed with the code of a text message');
  const username = `demo${wallet.pubkey.slice(2, 8)}`;
  const details = { iban: 'DE89370400440532013000', bic: 'COBADEFFXXX', beneficiary_name: 'Alice Example' };
  const made = await call('/sell/connections', { account_id: accountId, name: 'Savings', lightning_username: username, ...details });
  const connectionId = made['connection_id'];
  await waitFor('a code is wanted', async () => {
    const seen = await call('/sell/connection-status', { connection_id: connectionId });
    return seen['connection_status'] === 'code_required' ? seen : undefined;
  });
  const connection = await call('/sell/connection-confirm', { connection_id: connectionId, code });
  say(`   ${String(connection['connection_status'])}: ${String(connection['lightning_address'])} → ${String(connection['iban_masked'])}`);

  say('\n4  Order, pay, and the euros are on their way');
  const quote = await call('/sell/quote', { amount_sats: sats, ...bank });
  const order = await call('/sell/order', { quote_id: quote['quote_id'], connection_id: connectionId });
  const payment = order['payment_info'] as { lightning_address: string; amount_sats: number };
  say(`   pay ${grouped(payment.amount_sats)} sats to ${payment.lightning_address}, get ${money(Number(order['amount_fiat']), 'EUR')}`);
  await payAddress(simulators, payment.lightning_address, payment.amount_sats);
  await follow(wallet, '/sell/order-status', sessionId, String(order['order_id']), 'filled');

  say('\n5  The same sats onto the card: an order with an invoice of its own');
  const card = await optionOf(call, 'Card balance');
  const topUp = await call('/sell/quote', { amount_sats: sats, ...card });
  const second = await call('/sell/order', { quote_id: topUp['quote_id'] });
  const { lightning_invoice: invoice } = second['payment_info'] as { lightning_invoice: string };
  say(`   pay ${invoice.slice(0, 40)}…, which a sandbox provider does itself`);
  await follow(wallet, '/sell/order-status', sessionId, String(second['order_id']), 'finished');
  const balance = await call('/sell/balance', { account_id: accountId });
  say(`   on the card: ${money(Number(balance['amount_fiat']), String(balance['currency_code']))}`);
};

const optionOf = async (call: Call, name: string): Promise<{ currency_id: number; payment_option_id: number }> => {
  const body = await call('/sell/payment-options', { currency_code: 'EUR' });
  const [currency] = body['currencies'] as Record<string, { currency_id: number; payment_options: { id: number; option: string }[] }>[];
  const euro = currency?.['eur'];
  const option = euro?.payment_options.find((one) => one.option === name);
  if (!euro || !option) throw new Error(`nobody sells to ${name}`);
  return { currency_id: euro.currency_id, payment_option_id: option.id };
};

const showOffers = (body: Body): void => {
  const rows = (body['offers'] as Offer[]).map((offer) => [
    String(offer.rank),
    offer.provider.name,
    `${grouped(offer.amount_sats)} sats`,
    money(offer.amount_fiat, 'EUR'),
    money(offer.order_fee, 'EUR'),
    offer.is_estimate ? 'estimate' : 'binding',
    offer.requires.join(', '),
  ]);
  say(`\n${table(['#', 'provider', 'pays', 'gets', 'fee', 'price is', 'requires'], rows)}`);
};
