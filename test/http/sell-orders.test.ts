import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ledgerSeller, startLedgerSeller } from '../support/ledger-seller.ts';
import { appKey, startSellWorld, type SellWorld } from '../support/sell-world.ts';
import { type Body, type Call } from '../support/wallet.ts';

let world: SellWorld;
let ledger: Awaited<ReturnType<typeof startLedgerSeller>>;
beforeAll(async () => {
  ledger = await startLedgerSeller({ centsPerBtc: 8_000_000, feeCents: 100 });
  world = await startSellWorld(
    {},
    {
      config: { trusted_proxies: ['127.0.0.1'] },
      blocks: { ledger: { kind: 'ledger', base_url: ledger.url } },
      modules: [['ledger', ledgerSeller]],
    },
  );
});
afterAll(async () => {
  await world.close();
  await ledger.close();
});
afterEach(() => {
  world.control.clearFaults();
  world.control.setOptions({ webhooks: {}, convertMs: 0 });
});

/** The header by which the trusted proxy names a customer's address. */
const from = (ip: string) => ({ 'x-forwarded-for': ip });
const known = from('203.0.113.9');
const quoteFor = async (call: Call, option: string, sats: number): Promise<Body> => {
  const { status, body } = await call('/sell/quote', { amount_sats: sats, ...(await world.optionOf(call, option)) });
  expect([status, (body['provider'] as Body | undefined)?.['id']]).toEqual([200, 'bringin']);
  return body;
};
const cardOrder = async (call: Call, sats: number, more: object = {}): Promise<Body> => {
  const quote = await quoteFor(call, 'Card balance', sats);
  const { status, body } = await call('/sell/order', { quote_id: quote['quote_id'], ...more }, known);
  expect(status).toBe(200);
  return body;
};
const invoiceOf = (order: Body): string => (order['payment_info'] as { lightning_invoice: string }).lightning_invoice;
const gatewayLooks = async (call: Call, orderId: unknown, stage: string): Promise<void> => {
  await world.gateway.pass(5_100);
  const { body } = await call('/sell/order-status', { order_id: orderId });
  expect((body[String(orderId)] as Body)['stage']).toBe(stage);
};
const newest = (list: { received: { body: string }[] }, type: string, id: unknown): Body[] =>
  list.received
    .map((one) => JSON.parse(one.body) as { type: string; data: Body })
    .flatMap((one) => (one.type === type && Object.values(one.data).includes(id) ? [one.data] : []));

describe("the customer's own IPv4", () => {
  it('is demanded where it is not known, and nothing is sent without it', async () => {
    const { opened, connected, asked, control } = world;
    const call = await opened();
    await connected(call, 'ipv6@example.com');
    const quote = await quoteFor(call, 'Card balance', 110_000);
    const before = asked('POST /offramp/order');
    for (const ip of ['2001:db8::7', '2001:db8::8']) {
      const refused = await call('/sell/order', { quote_id: quote['quote_id'] }, from(ip));
      expect([ip, refused.status, refused.body['code']]).toEqual([ip, 422, 'client-ipv4-required']);
    }
    const named = await call('/sell/order', { quote_id: quote['quote_id'], customer_ip: '198.51.100.4' }, from('2001:db8::7'));
    expect([named.status, named.body['code']]).toEqual([403, 'app-key-required']);
    expect(asked('POST /offramp/order')).toBe(before);

    const bearer = { ...from('2001:db8::7'), authorization: `Bearer ${appKey}` };
    for (const customer_ip of ['2001:db8::7', '1.2.3', '256.1.1.1', '1.2.3.4, 5.6.7.8']) {
      const bad = await call('/sell/order', { quote_id: quote['quote_id'], customer_ip }, bearer);
      expect([customer_ip, bad.status, bad.body['code']]).toEqual([customer_ip, 400, 'invalid-request']);
    }
    const order = await call('/sell/order', { quote_id: quote['quote_id'], customer_ip: '198.51.100.4' }, bearer);
    expect(order.status).toBe(200);
    expect(control.state.requests.findLast((one) => one.endpoint === 'POST /offramp/order')?.ip).toBe('198.51.100.4');
    const { body } = await call('/sell/quote', { amount_sats: 111_000, ...(await world.optionOf(call, 'Card balance')) });
    expect((await call('/sell/order', { quote_id: body['quote_id'] }, from('203.0.113.77'))).status).toBe(200);
    expect(control.state.requests.findLast((one) => one.endpoint === 'POST /offramp/order')?.ip).toBe('203.0.113.77');
  });

  it('is not needed for a bank', async () => {
    const { opened, connected, activeConnection } = world;
    const call = await opened();
    const accountId = await connected(call, 'noip@example.com');
    const connection_id = await activeConnection(call, accountId, 'Bank', 'noip');
    const quote = await quoteFor(call, 'SEPA', 120_000);
    const order = await call('/sell/order', { quote_id: quote['quote_id'], connection_id }, from('2001:db8::7'));
    expect([order.status, order.body['matched_by']]).toEqual([200, 'amount']);
    // Ordering the same quote for another bank account must not return an order that pays the first one.
    const again = await call('/sell/order', { quote_id: quote['quote_id'], connection_id });
    expect([again.status, again.body]).toEqual([200, order.body]);
    const other = await call('/sell/order', { quote_id: quote['quote_id'], connection_id: '00000000-0000-4000-8000-000000000000' });
    expect([other.status, other.body['code'], other.body['order_id']]).toEqual([409, 'quote-used', order.body['order_id']]);
  });
});

describe('amounts', () => {
  it('below the least are refused with the limit in the unit of the request', async () => {
    const call = await world.opened();
    const card = await world.optionOf(call, 'Card balance');
    const few = await call('/sell/quote', { amount_sats: 1_000, ...card });
    expect([few.status, few.body['code'], few.body['limits']]).toEqual([422, 'no-offer', { min_amount_sats: 24_208 }]);
    const exactly = await call('/sell/quote', { amount_sats: 24_208, ...card });
    expect([exactly.status, exactly.body['amount_fiat']]).toEqual([200, 2_200]);
    const cents = await call('/sell/quote', { amount_fiat: 2_199, ...card });
    expect([cents.status, cents.body['limits']]).toEqual([422, { min_amount_fiat: 2_200 }]);
    for (const amounts of [
      { amount_sats: 0 },
      { amount_sats: 1.5 },
      { amount_sats: -1 },
      { amount_sats: '1000' },
      {},
      { amount_sats: 50_000, amount_fiat: 5_000 },
    ]) {
      const bad = await call('/sell/quote', { ...amounts, ...card });
      expect([amounts, bad.status, bad.body['code']]).toEqual([amounts, 400, 'invalid-request']);
    }
  });

  it('outside what the address takes are refused at the order, with its limits', async () => {
    const { opened, connected, activeConnection, gateway } = world;
    const call = await opened();
    const accountId = await connected(call, 'limits@example.com');
    const connection_id = await activeConnection(call, accountId, 'Bank', 'limits');
    const quote = await quoteFor(call, 'SEPA', 6_000_000);
    const order = await call('/sell/order', { quote_id: quote['quote_id'], connection_id });
    expect([order.status, order.body['code'], order.body['limits']]).toEqual([
      422,
      'amount-out-of-range',
      { min_amount_sats: 21_787, max_amount_sats: 5_471_036 },
    ]);
    const [row] = await gateway.database.sql<{ n: number }[]>`select count(*)::int as n from orders where pay = 6000000`;
    expect(row?.n).toBe(0);
    const bound = await quoteFor(call, 'SEPA', 130_000);
    const bounded = await call('/sell/order', { quote_id: bound['quote_id'], connection_id, min_amount_fiat: Number(bound['amount_fiat']) + 1 });
    expect([bounded.status, (bounded.body['errors'] as Body[])[0]?.['pointer']]).toEqual([422, '/min_amount_fiat']);
  });

  it.each(['SEPA', 'Card balance'])('at a price that has become worse since the quote are refused: %s', async (option) => {
    const { opened, connected, activeConnection, control } = world;
    const name = option === 'SEPA' ? 'worse' : 'worse.card';
    const ordered = async (n: number, bringinPrice: string, more: (quote: Body) => object) => {
      const call = await opened();
      const account = await connected(call, `${name}${n}@example.com`);
      const connection = option === 'SEPA' ? { connection_id: await activeConnection(call, account, 'Bank', `${name}${n}`) } : {};
      const quote = await quoteFor(call, option, 135_000);
      control.setOptions({ bringinPrice });
      const { status, body } = await call('/sell/order', { quote_id: quote['quote_id'], ...connection, ...more(quote) }, known);
      control.setOptions({ bringinPrice: '90882.00' });
      return { status, code: body['code'], quoted: quote['amount_fiat'], ordered: body['amount_fiat'] };
    };
    // 0.1 % is within the slippage, but not within what this customer allows.
    expect(await ordered(1, '90791.00', () => ({}))).toEqual({ status: 200, code: undefined, quoted: 12_269, ordered: 12_256 });
    expect(await ordered(2, '90791.00', (quote) => ({ min_amount_fiat: quote['amount_fiat'] }))).toMatchObject({ status: 409, code: 'price-changed' });
    expect(await ordered(3, '81000.00', () => ({}))).toMatchObject({ status: 409, code: 'price-changed' });
  });

  it('that could not be told apart are never payable twice, however many ask at once', async () => {
    const { opened, connected, activeConnection } = world;
    const call = await opened();
    const accountId = await connected(call, 'clash@example.com');
    const connection_id = await activeConnection(call, accountId, 'Bank', 'clash');
    const quotes = await Promise.all(Array.from({ length: 12 }, async () => await quoteFor(call, 'SEPA', 140_000)));
    const answers = await Promise.all(
      quotes.map(async (quote, n) => {
        await new Promise((wait) => setTimeout(wait, n * 4));
        for (;;) {
          const answer = await call('/sell/order', { quote_id: quote['quote_id'], connection_id });
          if (answer.body['code'] !== 'order-pending') return answer;
          await new Promise((wait) => setTimeout(wait, 5));
        }
      }),
    );
    expect(answers.filter((one) => one.status === 200)).toHaveLength(1);
    expect(new Set(answers.filter((one) => one.status !== 200).map((one) => one.body['code']))).toEqual(new Set(['amount-in-use']));
  });
});

describe('the same amount twice', () => {
  it('is only refused where nothing else tells the payments apart; each order gets its own', async () => {
    const { opened, connected, activeConnection, control, payAddress, orderIs } = world;
    const call = await opened();
    const accountId = await connected(call, 'same@example.com');
    const lightning = await activeConnection(call, accountId, 'Bank', 'same');
    const onchain = await activeConnection(call, accountId, 'Chain', 'unused', { network: 'onchain', lightning_username: undefined });
    const sepa = await world.optionOf(call, 'SEPA');
    const toBank = async (connection_id: string, network: string) => {
      const { body } = await call('/sell/quote', { amount_sats: 145_000, network, ...sepa });
      return await call('/sell/order', { quote_id: body['quote_id'], connection_id });
    };
    const card = await cardOrder(call, 145_000);
    const bank = await toBank(lightning, 'lightning');
    const later = await cardOrder(call, 145_000);
    const chain = await toBank(onchain, 'onchain');
    expect([bank.status, bank.body['matched_by'], chain.status, chain.body['matched_by']]).toEqual([200, 'amount', 200, 'amount']);
    for (const [connection, network, first] of [
      [lightning, 'lightning', bank],
      [onchain, 'onchain', chain],
    ] as const) {
      const again = await toBank(connection, network);
      expect([again.status, again.body['code'], again.body['order_ids']]).toEqual([409, 'amount-in-use', [first.body['order_id']]]);
    }
    // The payment of a card top-up is not taken for the payment to the bank, whichever was ordered first.
    await control.pay(invoiceOf(card));
    await orderIs(call, String(card['order_id']), 'finished');
    await gatewayLooks(call, bank.body['order_id'], 'awaiting_payment');
    await payAddress('same', 145_000);
    await control.pay(invoiceOf(later));
    await orderIs(call, String(bank.body['order_id']), 'filled');
    await orderIs(call, String(later['order_id']), 'finished');
    await gatewayLooks(call, chain.body['order_id'], 'awaiting_payment');
    await control.pay((chain.body['payment_info'] as { address: string }).address, 145_000n);
    await orderIs(call, String(chain.body['order_id']), 'filled');
  });

  it('is refused for two customers with one user at the provider, and neither is told about an order of the other', async () => {
    const { opened, connected, activeConnection, control, payAddress, orderIs } = world;
    const email = 'shared@example.com';
    const [first, second] = [await opened(), await opened()];
    const own = await activeConnection(first, await connected(first, email), 'Bank', 'shared');
    const pasted = await second('/sell/accounts', { provider: 'bringin', api_key: control.user(email).key });
    expect(pasted.body).toMatchObject({ account_status: 'connected', connections: [{ connection_status: 'active' }] });
    const [imported] = pasted.body['connections'] as Body[];
    const toBank = async (call: Call, connection_id: unknown, amount_sats: number) => {
      const { body } = await call('/sell/quote', { amount_sats, ...(await world.optionOf(call, 'SEPA')) });
      return await call('/sell/order', { quote_id: body['quote_id'], connection_id });
    };
    const sale = await toBank(first, own, 149_000);
    expect(sale.status).toBe(200);
    const same = await toBank(second, imported?.['connection_id'], 149_000);
    expect([same.status, same.body['code'], same.body['order_ids']]).toEqual([409, 'amount-in-use', []]);
    const other = await toBank(second, imported?.['connection_id'], 149_001);
    expect(other.status).toBe(200);
    // A card top-up has an id of its own, so its payment is not taken for the sale's.
    const card = await cardOrder(second, 149_000);
    await control.pay(invoiceOf(card));
    await gatewayLooks(first, sale.body['order_id'], 'awaiting_payment');
    await orderIs(second, String(card['order_id']), 'finished');
    await payAddress('shared', 149_000);
    await orderIs(first, String(sale.body['order_id']), 'filled');
    await gatewayLooks(second, other.body['order_id'], 'awaiting_payment');
  });

  it('is refused until no payment for an order that ended can come any more', async () => {
    const ending = await startSellWorld({}, { block: { match_window_s: 3600 } });
    try {
      const { opened, connected, activeConnection, payAddress, orderIs, gateway } = ending;
      const call = await opened();
      const connection_id = await activeConnection(call, await connected(call, 'late@example.com'), 'Bank', 'late');
      const toBank = async () => {
        const { body } = await call('/sell/quote', { amount_sats: 147_000, ...(await ending.optionOf(call, 'SEPA')) });
        return await call('/sell/order', { quote_id: body['quote_id'], connection_id });
      };
      const passTheEnd = async ({ body }: { body: Body }, ms: number) => await gateway.pass(Date.parse(String(body['expires_on'])) - gateway.clock.now() + ms);
      const first = await toBank();
      await passTheEnd(first, 1000);
      await orderIs(call, String(first.body['order_id']), 'expired');
      const second = await toBank();
      expect([second.status, second.body['code'], second.body['order_ids']]).toEqual([409, 'amount-in-use', [first.body['order_id']]]);
      // The payment was sent at the last moment.
      await payAddress('late', 147_000);
      await orderIs(call, String(first.body['order_id']), 'filled');
      const third = await toBank();
      expect(third.status).toBe(200);
      await passTheEnd(third, 40 * 60_000);
      expect((await toBank()).status).toBe(200);
    } finally {
      await ending.close();
    }
  });

  it('is refused, too, where the account was removed and connected again meanwhile', async () => {
    const { opened, connected, activeConnection, payAddress, orderIs } = world;
    const call = await opened();
    const email = 'again@example.com';
    const removed = await connected(call, email);
    const before = await activeConnection(call, removed, 'Bank', 'again');
    const toBank = async (connection_id: unknown) => {
      const { body } = await call('/sell/quote', { amount_sats: 146_000, ...(await world.optionOf(call, 'SEPA')) });
      return await call('/sell/order', { quote_id: body['quote_id'], connection_id });
    };
    const first = await toBank(before);
    await call('/sell/account-remove', { account_id: removed });
    const { body: account } = await call('/sell/accounts', { provider: 'bringin', email });
    const [connection] = account['connections'] as Body[];
    const second = await toBank(connection?.['connection_id']);
    expect([second.status, second.body['code'], second.body['order_ids']]).toEqual([409, 'amount-in-use', [first.body['order_id']]]);
    await payAddress('again', 146_000);
    await orderIs(call, String(first.body['order_id']), 'filled');
    expect((await toBank(connection?.['connection_id'])).status).toBe(200);
  });
});

describe('a connection that pays another bank account', () => {
  const foreign = 'FR1420041010050500013M02606';
  const own = 'DE89370400440532013000';

  /** Returns an order that is waiting for its payment. */
  const placed = async (name: string) => {
    const { opened, connected, activeConnection, control, connectionIs } = world;
    const call = await opened();
    const email = `${name}@example.com`;
    const accountId = await connected(call, email);
    const connection_id = await activeConnection(call, accountId, 'Bank', name);
    const { body: quote } = await call('/sell/quote', { amount_sats: 144_000, ...(await world.optionOf(call, 'SEPA')) });
    const order = async () => await call('/sell/order', { quote_id: quote['quote_id'], connection_id });
    const { body: made } = await order();
    const shown = async (): Promise<unknown> => {
      const { body } = await call('/sell/order-status', { order_id: made['order_id'] });
      return (body[String(made['order_id'])] as Body)['payment_info'];
    };
    expect(await shown()).toEqual(made['payment_info']);
    const link = control.user(email).links[0];
    const pays = async (iban: string, status: string, id = connection_id): Promise<Body> => {
      Object.assign(link ?? {}, { iban });
      return await connectionIs(call, id, status);
    };
    return { call, email, accountId, connection_id, made, order, shown, pays, link };
  };
  /** Returns an order that is waiting for its payment when Bringin begins to name another IBAN for its connection. */
  const ordered = async (name: string) => {
    const one = await placed(name);
    expect(await one.pays(foreign, 'failed')).toMatchObject({ failure: 'iban-differs', iban_masked: 'DE89…3000' });
    return one;
  };

  it('takes no payment for an open order until it pays the right one again', async () => {
    const { made, order, shown, pays } = await ordered('elsewhere');
    expect(await shown()).toBeUndefined();
    const again = await order();
    expect([again.status, again.body['code'], again.body['order_id']]).toEqual([409, 'order-unpayable', made['order_id']]);
    expect(JSON.stringify(again.body)).not.toContain('@');
    expect(await pays(own, 'active')).toMatchObject({ lightning_address: 'elsewhere@dev.bringin.xyz' });
    expect([await shown(), (await order()).body]).toEqual([made['payment_info'], made]);
  });

  it('can be ended at once, and made anew', async () => {
    const { call, accountId, connection_id, shown, link } = await ordered('leaving');
    const ending = await call('/sell/connection-cancel', { connection_id });
    expect([ending.status, ending.body['connection_status'], ending.body['lightning_address']]).toEqual([200, 'code_required', undefined]);
    expect(await shown()).toBeUndefined();
    const ended = await call('/sell/connection-confirm', { connection_id, code: '123456' });
    expect([ended.status, ended.body['connection_status'], link?.status]).toEqual([200, 'inactive', 'INACTIVE']);
    expect(await shown()).toBeUndefined();
    expect(await world.activeConnection(call, accountId, 'Bank', 'leaving')).not.toBe(connection_id);
  });

  it('stays one if the account is removed and connected again, also for another customer with the same user', async () => {
    const { call, email, accountId, shown } = await ordered('returning');
    await call('/sell/account-remove', { account_id: accountId });
    const again = await call('/sell/accounts', { provider: 'bringin', email });
    const other = await world.opened();
    const pasted = await other('/sell/accounts', { provider: 'bringin', api_key: world.control.user(email).key });
    for (const { body } of [again, pasted]) {
      const [adopted] = body['connections'] as Body[];
      expect(adopted).toMatchObject({ connection_status: 'failed', failure: 'iban-differs', iban_masked: 'DE89…3000' });
      expect(adopted?.['lightning_address']).toBeUndefined();
    }
    expect(await shown()).toBeUndefined();
  });

  it('takes no payment for an order of a removed account either, once the new account has read it', async () => {
    const { call, email, accountId, made, shown, pays } = await placed('moving');
    await call('/sell/account-remove', { account_id: accountId });
    const again = await call('/sell/accounts', { provider: 'bringin', email });
    const [adopted] = again.body['connections'] as Body[];
    expect([adopted?.['connection_status'], await shown()]).toEqual(['active', made['payment_info']]);
    const id = String(adopted?.['connection_id']);
    await pays(foreign, 'failed', id);
    expect(await shown()).toBeUndefined();
    await pays(own, 'active', id);
    expect(await shown()).toEqual(made['payment_info']);
  });

  it('has its own address again afterwards, whatever Bringin named meanwhile and wherever it is connected', async () => {
    const { call, email, accountId, connection_id, pays, link } = await ordered('coming');
    Object.assign(link ?? {}, { lnAddress: 'mallory@dev.bringin.xyz' });
    expect(await pays(own, 'active')).toMatchObject({ lightning_address: 'coming@dev.bringin.xyz' });
    await pays(foreign, 'failed', connection_id);
    await call('/sell/account-remove', { account_id: accountId });
    const again = await call('/sell/accounts', { provider: 'bringin', email });
    const [adopted] = again.body['connections'] as Body[];
    expect([adopted?.['connection_status'], adopted?.['lightning_address']]).toEqual(['failed', undefined]);
    expect(await pays(own, 'active', String(adopted?.['connection_id']))).toMatchObject({ lightning_address: 'coming@dev.bringin.xyz' });
  });

  it('is adopted if it was made elsewhere, since the customer has named no other one', async () => {
    const { opened, connected, activeConnection, control } = world;
    const first = await opened();
    const email = 'outside@example.com';
    const accountId = await connected(first, email);
    await activeConnection(first, accountId, 'Bank', 'outside');
    await world.gateway.database.sql`delete from connections where account_id = ${accountId}`;
    Object.assign(control.user(email).links[0] ?? {}, { iban: foreign });
    const second = await opened();
    const pasted = await second('/sell/accounts', { provider: 'bringin', api_key: control.user(email).key });
    expect(pasted.body['connections']).toMatchObject([{ connection_status: 'active', iban_masked: 'FR14…2606' }]);
  });
});

describe('an order', () => {
  it('is resumed from one call by a wallet that was killed before it paid, and shows nothing to pay once it was paid', async () => {
    const { opened, connected, control, orderIs } = world;
    const call = await opened();
    await connected(call, 'resume@example.com');
    const order = await cardOrder(call, 150_000);
    const orderId = String(order['order_id']);
    const { body } = await call('/sell/order-status', {});
    const entry = body[orderId] as Body;
    expect(entry['payment_info']).toEqual(order['payment_info']);
    expect([entry['expires_on'], entry['stage'], entry['order_status']]).toEqual([order['expires_on'], 'awaiting_payment', 'placed']);
    await control.pay(invoiceOf(order));
    const finished = await orderIs(call, orderId, 'finished');
    expect([finished['payment_info'], finished['expires_on'], finished['final'], finished['order_status']]).toEqual([undefined, undefined, true, 'finished']);
  });

  it('tells its route: what was offered, who refused, which rule decided', async () => {
    const { opened, connected } = world;
    const call = await opened();
    const accountId = await connected(call, 'route@example.com');
    const connection_id = await world.activeConnection(call, accountId, 'Bank', 'route');
    const quote = await quoteFor(call, 'SEPA', 160_000);
    const before = await call('/route', { quote_id: quote['quote_id'] });
    expect(before.body).toMatchObject({ chosen_rank: 1, amount_sats: 160_000, policy: { name: 'most-received', decided_by: 'expected_fiat' } });
    expect((before.body['offers'] as { provider: Body }[]).map((one) => one.provider['id'])).toEqual(['bringin', 'ledger']);
    const order = await call('/sell/order', { quote_id: quote['quote_id'], connection_id });
    const after = await call('/route', { order_id: order.body['order_id'] });
    expect(after.body['offers']).toEqual(before.body['offers']);
    expect(JSON.stringify(after.body)).not.toMatch(/DE89|upstream|@dev/);
    const stranger = await opened();
    for (const body of [{ quote_id: quote['quote_id'] }, { order_id: order.body['order_id'] }]) expect((await stranger('/route', body)).status).toBe(404);
    const foreign = await stranger('/sell/order', { quote_id: quote['quote_id'] });
    expect([foreign.status, foreign.body['code']]).toEqual([404, 'quote-not-found']);
    const read = await stranger('/sell/order-status', { order_id: order.body['order_id'] });
    expect([read.status, read.body['code']]).toEqual([404, 'order-not-found']);
    // The other ramps do not know the order or its quote either.
    expect((await call('/liquidity/order-status', { order_id: order.body['order_id'] })).body['code']).toBe('order-not-found');
    expect((await call('/order', { quote_id: quote['quote_id'] })).body['code']).toBe('quote-not-found');
  });

  it('tells the webhook of its account when it names none of its own', async () => {
    const { opened, connected, control, receiver, gateway } = world;
    const call = await opened();
    await connected(call, 'hooked@example.com', { webhook_url: `${receiver.url}/account`, webhook_events: ['order_status_changed'] });
    const order = await cardOrder(call, 170_000);
    await control.pay(invoiceOf(order));
    await receiver.waitFor(
      'finished',
      (one) => one.path === '/account' && one.body.includes(String(order['order_id'])) && one.body.includes('"finished"'),
      gateway,
    );
    const own = await cardOrder(call, 171_000, { webhook_url: `${receiver.url}/own` });
    await control.pay(invoiceOf(own));
    await receiver.waitFor('finished', (one) => one.path === '/own' && one.body.includes(String(own['order_id'])), gateway);
    expect(receiver.received.filter((one) => one.path === '/account' && one.body.includes(String(own['order_id'])))).toEqual([]);
    // The account's webhook gets only the events that were asked for.
    expect(receiver.received.filter((one) => one.path === '/account').map((one) => (JSON.parse(one.body) as { type: string }).type)).toEqual(
      receiver.received.filter((one) => one.path === '/account').map(() => 'order_status_changed'),
    );
  });

  it('is driven by notices that come twice, late and in the wrong order', async () => {
    const { opened, connected, control, receiver, orderIs } = world;
    const call = await opened();
    await connected(call, 'order@example.com', { webhook_url: receiver.url });
    control.setOptions({ webhooks: { duplicates: 2, hold: true } });
    const order = await cardOrder(call, 180_000);
    const other = await cardOrder(call, 181_000);
    await control.pay(invoiceOf(order));
    await control.pay(invoiceOf(other));
    await control.releaseReversed();
    for (const one of [order, other]) await orderIs(call, String(one['order_id']), 'finished');
    const told = await world.gateway.passUntil('told', () => {
      const of = newest(receiver, 'order_status_changed', order['order_id']);
      return Promise.resolve(of.length > 0 ? of : undefined);
    });
    expect(told).toEqual([{ order_id: order['order_id'], order_status: 'finished', stage: 'finished' }]);
  });

  it('whose answer never came is made anew, and the lost one is shown to nobody', async () => {
    const { opened, connected, control, asked } = world;
    const call = await opened();
    await connected(call, 'lost@example.com');
    const quote = await quoteFor(call, 'Card balance', 190_000);
    const before = asked('POST /offramp/order');
    control.setFault({ endpoint: 'POST /offramp/order', fault: 'lost-answer', times: 1 });
    const lost = await call('/sell/order', { quote_id: quote['quote_id'] }, known);
    expect([lost.status, lost.body['code']]).toEqual([503, 'order-pending']);
    const order = await world.gateway.passUntil('made anew', async () => {
      const answer = await call('/sell/order', { quote_id: quote['quote_id'] }, known);
      return answer.status === 200 ? answer.body : undefined;
    });
    expect(asked('POST /offramp/order') - before).toBe(2);
    const sources = control.state.requests
      .filter((one) => one.endpoint === 'POST /offramp/order')
      .slice(-2)
      .map((one) => (one.body as { sourceId: string }).sourceId);
    expect(sources[1]).toBe(`${sources[0]?.slice(0, -1)}2`);
    const { body } = await call('/sell/order-status', {});
    expect(Object.keys(body)).toEqual([order['order_id']]);
  });

  it('whose answer never came is looked at once its account is connected again, and holds up no other order from then on', async () => {
    const { opened, connected, control, accountIs, gateway } = world;
    const call = await opened();
    const accountId = await connected(call, 'holdup@example.com');
    const [first, second] = [await quoteFor(call, 'Card balance', 194_000), await quoteFor(call, 'Card balance', 195_000)];
    control.setFault({ endpoint: 'POST /offramp/order', fault: 'lost-answer', times: 1 });
    const lost = await call('/sell/order', { quote_id: first['quote_id'] }, known);
    expect([lost.status, lost.body['code']]).toEqual([503, 'order-pending']);
    // The account's key is revoked before the request is sent again. That the key is refused says nothing about the order.
    control.disconnect('holdup@example.com');
    const { intents } = gateway.server.gateway.stores;
    const placing = async () =>
      (
        await gateway.database.sql<{ id: string; state: string; evidence: { tries: number; reply?: string } }[]>`
      select id, state, evidence from intents where quote_id = ${String(first['quote_id'])}`
      )[0];
    await world.gateway.passUntil('refused', async () => (((await placing())?.evidence.tries ?? 0) >= 2 ? true : undefined));
    expect((await placing())?.evidence.reply).toBeUndefined();
    // The next check of the placing is now far in the future.
    const { id } = (await placing()) ?? { id: '' };
    await intents.wake(id, world.gateway.clock.now() + 600_000);
    gateway.clock.move(2_100);
    await accountIs(call, accountId, 'needs_reconnect');
    await call('/sell/accounts', { provider: 'bringin', email: 'holdup@example.com' });
    await control.consent('holdup@example.com');
    await accountIs(call, accountId, 'connected');
    await world.gateway.passUntil('placed', async () =>
      (await call('/sell/order', { quote_id: first['quote_id'] }, known)).status === 200 ? true : undefined,
    );
    expect((await call('/sell/order', { quote_id: second['quote_id'] }, known)).status).toBe(200);
  });

  it('that waits for the outcome of another is told which, and when that is looked at next', async () => {
    const { opened, connected, control, gateway } = world;
    const call = await opened();
    await connected(call, 'behind@example.com');
    const [first, second] = [await quoteFor(call, 'Card balance', 196_000), await quoteFor(call, 'Card balance', 197_000)];
    control.setFault({ endpoint: 'POST /offramp/order', fault: 'lost-answer', times: 5 });
    await call('/sell/order', { quote_id: first['quote_id'] }, known);
    const [row] = await gateway.database.sql<
      { id: string; order_id: string }[]
    >`select id, order_id from intents where quote_id = ${String(first['quote_id'])}`;
    const behind = async (ms: number) => {
      await gateway.server.gateway.stores.intents.wake(row?.id ?? '', world.gateway.clock.now() + ms);
      return await call('/sell/order', { quote_id: second['quote_id'] }, known);
    };
    const far = await behind(600_000);
    expect([far.status, far.body['code'], far.body['retry_after_ms'], far.body['order_id'], far.body['quote_id']]).toEqual([
      503,
      'order-pending',
      30_000,
      row?.order_id,
      first['quote_id'],
    ]);
    const near = Number((await behind(20_000)).body['retry_after_ms']);
    expect(near > 15_000 && near <= 20_000).toBe(true);
  });

  it('with the provider down is not lost: the same request gets it once it is back', async () => {
    const { opened, connected, activeConnection, control } = world;
    const call = await opened();
    const accountId = await connected(call, 'away@example.com');
    const connection_id = await activeConnection(call, accountId, 'Bank', 'away');
    for (const [option, endpoint, sats] of [
      ['SEPA', 'GET /bringin-link/{id}', 230_000],
      ['SEPA', 'GET /.well-known/lnurlp', 231_000],
      ['Card balance', 'POST /offramp/order', 232_000],
    ] as const) {
      const quote = await quoteFor(call, option, sats);
      const request = { quote_id: quote['quote_id'], ...(option === 'SEPA' ? { connection_id } : {}) };
      control.setFault({ endpoint, fault: '503', times: 1 });
      const down = await call('/sell/order', request, known);
      expect([endpoint, down.status, down.body['retryable']]).toEqual([endpoint, 503, true]);
      await world.gateway.passUntil('back', async () => ((await call('/sell/order', request, known)).status === 200 ? true : undefined));
    }
    expect(Object.keys((await call('/sell/order-status', {})).body)).toHaveLength(3);
  });

  it.each(['other-amount', 'other-network', 'other-expiry'] as const)('that differs (%s) is shown to nobody', async (fault) => {
    const { opened, connected, control } = world;
    const call = await opened();
    await connected(call, `${fault}@example.com`);
    const quote = await quoteFor(call, 'Card balance', 200_000);
    control.setFault({ endpoint: 'POST /offramp/order', fault });
    const odd = await call('/sell/order', { quote_id: quote['quote_id'] }, known);
    expect([odd.status, odd.body['code'], JSON.stringify(odd.body).includes('lnbc')]).toEqual([503, 'order-pending', false]);
  });
});

describe('payments straight to the address', () => {
  it('are told once each, those of orders never', async () => {
    const { opened, connected, activeConnection, payAddress, gateway, receiver } = world;
    const call = await opened();
    const accountId = await connected(call, 'direct@example.com', { webhook_url: receiver.url });
    const connection_id = await activeConnection(call, accountId, 'Bank', 'direct');
    const quote = await quoteFor(call, 'SEPA', 210_000);
    const order = await call('/sell/order', { quote_id: quote['quote_id'], connection_id });
    await payAddress('direct', 210_000);
    const straight = [await payAddress('direct', 61_000), await payAddress('direct', 62_000)];
    const settled = () => newest(receiver, 'sell_settled', accountId);
    await world.gateway.passUntil('both', async () => {
      await gateway.server.gateway.stores.accounts.wake(accountId, world.gateway.clock.now());
      return settled().length >= 2 ? true : undefined;
    });
    await gateway.server.gateway.stores.accounts.wake(accountId, world.gateway.clock.now());
    await gateway.pass(1_500);
    expect(settled().toSorted((a, b) => straight.indexOf(String(a['transaction_id'])) - straight.indexOf(String(b['transaction_id'])))).toEqual(
      straight.map((transaction_id) => ({ account_id: accountId, connection_id, transaction_id })),
    );
    const filled = await world.orderIs(call, String(order.body['order_id']), 'filled');
    expect(filled['matched_by']).toBe('amount');
    // A status word is the provider's own text.
    const row = [...world.control.state.users.values()].flatMap(({ transactions }) => transactions).find(({ orderId }) => orderId === straight[1]);
    if (!row) throw new Error('no row');
    Object.assign(row, { status: 'DONE\u202e\u200b ' });
    const { body } = await call('/sell/transactions', { account_id: accountId, limit: 2 });
    expect((body['transactions'] as Body[]).map((one) => [one['amount_sats'], one['status']])).toEqual([
      [62_000, 'DONE'],
      [61_000, 'SUCCESSFUL'],
    ]);
  });

  it("of the same amount before an order are not the order's, whose own payment is found though the provider's clock is slow", async () => {
    const { opened, connected, activeConnection, control, payAddress } = world;
    const call = await opened();
    const accountId = await connected(call, 'slow@example.com');
    const connection_id = await activeConnection(call, accountId, 'Bank', 'slow');
    const quote = await quoteFor(call, 'SEPA', 133_000);
    control.moveClock(-60_000);
    await payAddress('slow', 133_000);
    const { body } = await call('/sell/order', { quote_id: quote['quote_id'], connection_id });
    await gatewayLooks(call, body['order_id'], 'awaiting_payment');
    await payAddress('slow', 133_000);
    await gatewayLooks(call, body['order_id'], 'filled');
    control.moveClock(60_000);
  });

  it('of the same amount as an order, twice: a person looks, nobody guesses', async () => {
    const { opened, connected, activeConnection, payAddress, orderIs } = world;
    const call = await opened();
    const accountId = await connected(call, 'double@example.com');
    const connection_id = await activeConnection(call, accountId, 'Bank', 'double');
    const quote = await quoteFor(call, 'SEPA', 220_000);
    const order = await call('/sell/order', { quote_id: quote['quote_id'], connection_id });
    await payAddress('double', 220_000);
    await payAddress('double', 220_000);
    await orderIs(call, String(order.body['order_id']), 'review');
  });
});

describe('a notice', () => {
  it("with an attacker's valid key changes nothing, wherever it arrives", async () => {
    const { opened, connected, control, gateway, accountIs } = world;
    const attacker = await opened();
    await connected(attacker, 'attacker@example.com');
    const call = await opened();
    const accountId = await connected(call, 'target@example.com');
    const real = control.user('target@example.com').callback ?? '';
    expect(real).toContain(`/notices/bringin/account/${accountId}/`);
    const body = {
      userId: control.user('attacker@example.com').id,
      apikey: control.user('attacker@example.com').key,
      verificationStatus: 'APPROVED',
      ref: accountId,
    };
    const forgedBefore = gateway.logs.filter((line) => line.includes('notice_forged')).length;
    const metricsBefore = await (await fetch(`${gateway.url}/metrics`)).text();
    await control.forge(`${real.slice(0, real.lastIndexOf('/'))}/${'A'.repeat(43)}/verification-status`, body);
    expect(gateway.logs.filter((line) => line.includes('notice_forged')).length).toBe(forgedBefore + 1);
    // Even at the genuine address, nothing in the body is believed.
    await control.forge(`${real}/verification-status`, body);
    await control.forge(real, body);
    await gateway.pass(1_500);
    await accountIs(call, accountId, 'connected');
    const balances = control.state.requests.length;
    await call('/sell/balance', { account_id: accountId });
    expect(control.state.requests.slice(balances).find((one) => one.endpoint === 'POST /account/get-balance')?.key).toBe(
      control.user('target@example.com').key,
    );
    expect(gateway.logs.join('\n')).not.toContain(control.user('attacker@example.com').key);
    const counted = /ramp_notices_total\{provider="bringin",genuine="false"\} (\d+)/;
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(Number(counted.exec(metrics)?.[1])).toBe(Number(counted.exec(metricsBefore)?.[1] ?? 0) + 1);
  });
});

describe('starting an account twice at the same time', () => {
  it('makes one, and one Idempotency-Key gives one answer', async () => {
    const { opened, control, gateway } = world;
    const call = await opened();
    const start = { provider: 'bringin', email: 'pair@example.com' };
    const both = await Promise.all([call('/sell/accounts', start), call('/sell/accounts', start), call('/sell/accounts', start)]);
    expect(both.map((one) => one.status).filter((status) => status !== 200 && status !== 409)).toEqual([]);
    const made = both.filter((one) => one.status === 200);
    expect(new Set(made.map((one) => one.body['account_id'])).size).toBe(1);
    const key = { 'idempotency-key': 'start-once' };
    const keyed = { provider: 'bringin', email: 'keyed@example.com' };
    const other = await opened();
    const pair = await Promise.all([other('/sell/accounts', keyed, key), other('/sell/accounts', keyed, key)]);
    const first = pair.find((one) => one.status === 200);
    expect(pair.filter((one) => one.status !== 200 && one.body['code'] !== 'idempotency-in-progress')).toEqual([]);
    expect(await other('/sell/accounts', keyed, key)).toEqual(first);
    expect(control.state.mails.filter((one) => one.to === 'keyed@example.com')).toHaveLength(1);
    const [row] = await gateway.database.sql<
      { n: number }[]
    >`select count(*)::int as n from accounts where email_hash in (${['pair@example.com', 'keyed@example.com'].map((one) => gateway.server.gateway.hash(one))[0] ?? ''}, ${gateway.server.gateway.hash('keyed@example.com')})`;
    expect(row?.n).toBe(2);
  });

  it.each(['', 'nobody', 'two@at@example.com', 'blank @example.com', 'a@b', `${'x'.repeat(250)}@example.com`])('"%s" is no e-mail', async (email) => {
    const { opened, asked } = world;
    const call = await opened();
    const before = asked('POST /application/connect');
    const refused = await call('/sell/accounts', { provider: 'bringin', email });
    expect([refused.status, refused.body['code'], (refused.body['errors'] as Body[])[0]?.['pointer']]).toEqual([400, 'invalid-request', '/email']);
    expect(asked('POST /application/connect')).toBe(before);
    const right = await call('/sell/accounts', { provider: 'bringin', email: `right.${email.replaceAll(/\W/g, '').slice(0, 20)}@example.com` });
    expect(right.status).toBe(200);
  });
});
