/** Two customers. On all three ramps, each of them owns at least one of everything that has an id in the API. */
import { createWallet } from '../../scripts/demo/wallet.ts';
import { startFiatOnRampSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { startLsps1Simulator } from '../../src/providers/lsps1/lsps1.simulator.ts';
import { movableClock } from '../support/clock.ts';
import { inbound } from '../support/scenarios/liquidity.ts';
import { startSellWorld } from '../support/sell-world.ts';
import type { Body, Call } from '../support/wallet.ts';

export type Owner = {
  session: string;
  /** The customer's ids, by the name of the member that holds such an id. */
  ids: Map<string, string[]>;
  /** Returns a valid value for that member of a request to this path, such as a quote that has not been ordered yet. */
  own: (path: string, member: string) => string | undefined;
  /** Texts that only this customer may read. */
  private: string[];
  call: ReturnType<typeof createWallet>['call'];
};
const people = {
  victim: {
    email: 'victim@mailbox.example',
    username: 'victim-bird',
    name: 'Victim Savings',
    iban: 'GB29NWBK60161331926819',
    webhook: 'victims-webhook',
    ip: '203.0.113.77',
  },
  thief: { email: 'thief@mailbox.example', username: 'magpie', name: 'Nest', iban: 'DE89370400440532013000', webhook: 'thiefs-webhook', ip: '198.51.100.66' },
};

const rampOf = (path: string): string => (path.startsWith('/sell') ? 'sell' : path.startsWith('/liquidity') ? 'liquidity' : 'buy');

export const startBolaWorld = async () => {
  const clock = movableClock();
  const alpine = await startFiatOnRampSimulator({ id: 'alpine', quoteTtlS: 36_000, now: clock.now });
  const north = await startLsps1Simulator({ id: 'north', now: clock.now });
  const world = await startSellWorld(
    {},
    {
      clock,
      config: { trusted_proxies: ['127.0.0.1'], orders: { max_open: 50 } },
      blocks: { alpine: { kind: 'fiat-on-ramp', base_url: alpine.url }, north: { kind: 'lsps1', base_url: north.url, quotes_per_node_per_day: 20 } },
    },
  );
  const { gateway, receiver } = world;

  const owner = async (who: keyof typeof people): Promise<Owner> => {
    const { email, username, name, iban, webhook, ip } = people[who];
    const wallet = createWallet(gateway.url, undefined, { 'x-forwarded-for': ip });
    const { sessionId: session_id, recoverySecret } = await wallet.open();
    const call: Call = async (path, body, headers) => await wallet.call(path, { session_id, ...body }, headers);
    const ids: Owner['ids'] = new Map();
    const latest = new Map<string, string>();
    const keep = (path: string, kind: string, id: string): void => {
      ids.set(kind, [...new Set([...(ids.get(kind) ?? []), id])]);
      latest.set(`${rampOf(path)} ${kind}`, id);
    };
    const readable: string[] = [session_id, email, username, name, iban, webhook];
    if (recoverySecret !== undefined) readable.push(recoverySecret);
    const good = async (path: string, body: object): Promise<Body> => {
      const answer = await call(path, body);
      if (answer.status !== 200) throw new Error(`${path} returned ${answer.status}: ${JSON.stringify(answer.body)}`);
      for (const kind of ['offers_id', 'quote_id', 'order_id', 'account_id', 'connection_id']) {
        const id = answer.body[kind];
        if (typeof id === 'string') keep(path, kind, id);
      }
      return answer.body;
    };
    const webhook_url = `${receiver.url}/${webhook}`;

    await good('/payment-options', {});
    const price = { amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 };
    await good('/offers', price);
    await good('/quote', price);
    const order = await good('/order', { quote_id: (await good('/quote', price))['quote_id'], webhook_url });
    readable.push((order['payment_info'] as { payment_details: Record<string, string> }).payment_details['provider_reference'] ?? '');
    await alpine.control.pay(alpine.control.history.orders.at(-1)?.orderId ?? '');
    const withdrawal = await gateway.passUntil('filled', async () => {
      const answer = await call('/withdrawal', { order_id: order['order_id'] });
      return answer.status === 200 ? answer.body : undefined;
    });
    readable.push(String(withdrawal['lnurlw']));

    const account_id = await world.connected(call, email, { webhook_url });
    keep('/sell', 'account_id', account_id);
    const connection_id = await world.activeConnection(call, account_id, name, username, { iban });
    keep('/sell', 'connection_id', connection_id);
    await good('/sell/offers', { amount_sats: 250_000, ...(await world.optionOf(call, 'SEPA')) });
    const sale = await good('/sell/quote', { amount_sats: 250_000, ...(await world.optionOf(call, 'SEPA')) });
    await good('/sell/order', { quote_id: sale['quote_id'], connection_id, webhook_url });
    const card = await good('/sell/quote', { amount_sats: 120_000, ...(await world.optionOf(call, 'Card balance')) });
    const topUp = await good('/sell/order', { quote_id: card['quote_id'] });
    readable.push((topUp['payment_info'] as { lightning_invoice: string }).lightning_invoice);
    await good('/sell/quote', { amount_sats: 260_000, ...(await world.optionOf(call, 'SEPA')) });

    const firm = async (): Promise<string | undefined> => {
      const { offers } = (await good('/liquidity/offers', { ...inbound, firm: true })) as { offers: { quote_id: string }[] };
      const id = offers[0]?.quote_id;
      if (id !== undefined) keep('/liquidity', 'quote_id', id);
      return id;
    };
    const channel = await good('/liquidity/order', { quote_id: await firm(), webhook_url });
    readable.push((channel['payment_info'] as { lightning_invoice: string }).lightning_invoice);
    await good('/quote', price);
    return {
      session: session_id,
      ids,
      own: (path, member) => latest.get(`${rampOf(path)} ${member}`),
      private: [...readable, ...[...ids.values()].flat()].filter((text) => text !== ''),
      call: wallet.call,
    };
  };

  return {
    gateway,
    people,
    /** Returns how many orders each provider has, for both customers together. */
    upstream: () => ({ bought: alpine.control.history.orders.length, channels: north.control.orders.size, sold: world.asked('POST /offramp/order') }),
    owner,
    close: async (): Promise<void> => {
      await world.close();
      await Promise.all([alpine.close(), north.close()]);
    },
  };
};
