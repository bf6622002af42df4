/** Providers that know their customers: one account for buying and selling, codes, pages that the customer must visit, webhooks about anything. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeLnurl } from '../../src/bitcoin/lnurl.ts';
import { createNoticeTokens, sha256Hex } from '../../src/seal/hash.ts';
import { movableClock } from '../support/clock.ts';
import { releaseName } from '../../scripts/ops/customer-data.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { knowingBank } from '../support/knowing-bank.ts';
import { opened, type Body, type Call } from '../support/wallet.ts';

const clock = movableClock();
const bank = knowingBank(clock.now);
const noticeKey = Buffer.alloc(32, 7);
const operatorToken = 'the-token-of-an-operator-of-this-gateway';
const link = 'https://app.bank.example/kyc?session=bearer-of-one-customer';
let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway(
    {},
    {
      clock,
      modules: [['knowing', bank.module]],
      blocks: {
        known: { kind: 'knowing', base_url: 'https://api.bank.example', payment_hosts: ['bank.example'], notice_key_env: 'BANK_NOTICE_KEY' },
        keyed: { kind: 'knowing', base_url: 'https://api.bank.example', payment_hosts: ['bank.example'], known_by: 'payout_to' },
        open: { kind: 'knowing', base_url: 'https://api.bank.example', payment_hosts: ['bank.example'], mode: 'off' },
      },
      environment: { BANK_NOTICE_KEY: 'the-key-that-the-bank-sends', NOTICE_KEY: `n1:${noticeKey.toString('base64')}` },
      config: {
        operator: { token_hashes: [sha256Hex(operatorToken)] },
        limits: { verify_per_minute: 10_000, quotes_per_minute: 10_000, orders_per_minute: 10_000, mails_per_hour_network: 1000 },
      },
    },
  );
});
afterAll(async () => await gateway.close());
beforeEach(() => {
  delete bank.says.refusal;
  delete bank.says.lose;
  delete bank.says.attemptsLeft;
  delete bank.says.codesRefused;
  delete bank.says.codesLost;
  delete bank.says.startRefused;
  delete bank.says.rings;
  bank.says.termsUrl = 'https://bank.example/terms';
  bank.asked.length = 0;
});

let customers = 0;
const newCustomer = async (): Promise<{ call: Call; email: string }> => ({ call: (await opened(gateway.url)).call, email: `c${(customers += 1)}@example.com` });
const codeOf = (email: string): string => bank.users.find((user) => user.email === email)?.code ?? '';
/** Signs a customer up to the step that waits for a code. */
const waiting = async () => {
  const { call, email } = await newCustomer();
  const { body } = await call('/accounts', { provider: 'known', email, phone: '+43 664 (12) 34-567', terms_accepted: true });
  return { call, email, account: { account_id: String(body['account_id']) }, body };
};
const connected = async () => {
  const signedUp = await waiting();
  const { call, email, account } = signedUp;
  await call('/account-code', account);
  const { body } = await call('/account-confirm', { ...account, code: codeOf(email) });
  if (body['account_status'] !== 'connected') throw new Error(JSON.stringify(body));
  bank.asked.length = 0;
  return signedUp;
};
const paths = { buy: { prefix: '', amount: { amount_fiat: 10_000 } }, sell: { prefix: '/sell', amount: { amount_sats: 100_000 } } };
type Ramp = keyof typeof paths;
const priced = async (call: Call, ramp: Ramp, more: object = {}) => {
  const { prefix, amount } = paths[ramp];
  const { body } = await call(`${prefix}/payment-options`, {});
  const listed = Object.values((body['currencies'] as Record<string, { currency_id: number; payment_options: { id: number }[] }>[])[0] ?? {})[0];
  const ids = { currency_id: listed?.currency_id, payment_option_id: listed?.payment_options[0]?.id };
  const answer = await call(`${prefix}/offers`, { ...amount, ...ids, ...more });
  const offers = (answer.body['offers'] ?? []) as { quote_id: string; provider: { id: string }; requires: string[] }[];
  const offer = offers.find(({ provider }) => provider.id === 'known');
  return { body: answer.body, offer, quote_id: offer?.quote_id };
};
const order = async (call: Call, ramp: Ramp, more: object = {}) => {
  const { quote_id } = await priced(call, ramp);
  return { quote_id, ...(await call(`${paths[ramp].prefix}/order`, { quote_id, ...more })) };
};

describe('an account', () => {
  it('is started, continued with what is missing, and confirmed with a code', async () => {
    const { call, email } = await newCustomer();
    const first = await call('/accounts', { provider: 'known', email: ` ${email.toUpperCase()} ` });
    expect([first.status, first.body]).toMatchObject([
      200,
      { provider: 'known', account_status: 'onboarding', needs: ['phone', 'terms_accepted'], terms_url: 'https://bank.example/terms', connections: [] },
    ]);
    const account = { account_id: first.body['account_id'] };
    // The wallet sends only what is missing, because the account is known already.
    const more = await call('/accounts', { provider: 'known', phone: '+43 664 (12) 34-567', terms_accepted: true, api_key: undefined });
    expect(more.body).toMatchObject({ ...account, account_status: 'onboarding', needs: ['code'] });
    expect(more.body).not.toHaveProperty('terms_url');
    expect(bank.asked.filter(({ verb }) => verb === 'start').map(({ told }) => told)).toEqual([{ email }, { phone: '+436641234567', termsAccepted: true }]);
    const sent = await call('/account-code', account);
    expect(sent.body).toMatchObject({ needs: ['code'], code_sent_by: 'sms' });
    expect(Math.abs(Date.parse(String(sent.body['code_expires_on'])) - clock.now() - 600_000)).toBeLessThan(10_000);
    const right = ` ${codeOf(email).slice(0, 3)} ${codeOf(email).slice(3)}`;
    const done = await call('/account-confirm', { ...account, code: right });
    // A wallet that missed the answer repeats the request.
    expect((await call('/account-confirm', { ...account, code: right })).body).toEqual(done.body);
    expect(bank.calls('confirm code')).toBe(1);
    expect([done.status, done.body['account_status'], done.body['needs']]).toEqual([200, 'connected', undefined]);
    // The older paths show the same account.
    const old = await call('/sell/account-status', account);
    expect(old.body).toMatchObject({ ...account, account_status: 'connected' });
  });

  it.each<[string, object, string]>([
    ['no name', { phone: '+436641234567' }, '/email'],
    ['a phone without its country', { email: 'x@example.com', phone: '0664 1234567' }, '/phone'],
    ['terms that were not accepted', { email: 'x@example.com', terms_accepted: false }, '/terms_accepted'],
    ['another provider', { provider: 'nobody', email: 'x@example.com' }, '/provider'],
    ['a provider that is off', { provider: 'open', email: 'x@example.com' }, '/provider'],
  ])('is not started with %s', async (_what, body, pointer) => {
    const { call } = await newCustomer();
    const answer = await call('/accounts', { provider: 'known', ...body });
    expect([answer.status, (answer.body['errors'] as Body[])[0]?.['pointer']]).toEqual([400, pointer]);
    expect(bank.calls('start')).toBe(0);
  });

  it('does not show terms on a foreign host', async () => {
    bank.says.termsUrl = 'https://evil.example/terms';
    const { call, email } = await newCustomer();
    const { status, body } = await call('/accounts', { provider: 'known', email });
    expect([status, body['needs'], 'terms_url' in body]).toEqual([200, ['phone', 'terms_accepted'], false]);
    expect(gateway.logs.some((line) => line.includes('account_link_dropped'))).toBe(true);
  });

  it('is nobody else’s', async () => {
    const { account } = await waiting();
    const other = await newCustomer();
    for (const path of ['/account-status', '/account-code', '/account-remove']) expect((await other.call(path, account)).status).toBe(404);
    expect((await other.call('/account-confirm', { ...account, code: '123456' })).status).toBe(404);
    expect(bank.calls('send code') + bank.calls('confirm code')).toBe(0);
  });

  it('that was made for buying sells, too, and its country is told in both directions', async () => {
    const { call } = await connected();
    for (const ramp of ['buy', 'sell'] as const) {
      const { offer } = await priced(call, ramp, { country: 'AT' });
      expect(offer?.requires).toEqual([]);
      const { status, body } = await order(call, ramp);
      expect([status, body['stage']]).toEqual([200, 'awaiting_payment']);
    }
    const [user] = bank.users.slice(-1);
    const own = bank.asked.filter(({ customer }) => customer === user?.id);
    expect(own.map(({ verb, country }) => `${verb} ${country ?? ''}`.trim())).toEqual([
      'buy quote AT',
      'buy quote',
      'buy order',
      'sell quote AT',
      'sell quote',
      'sell order',
    ]);
  });

  it('at a provider that knows its users by an address belongs to whoever named the address first', async () => {
    const start = { provider: 'keyed', payout_to: { lightning_address: ' Alice@Wallet.example ' } };
    const [one, other] = [await newCustomer(), await newCustomer()];
    const missing = await one.call('/accounts', { provider: 'keyed', email: 'alice@example.com' });
    expect((missing.body['errors'] as Body[])[0]?.['pointer']).toBe('/payout_to');
    const first = await one.call('/accounts', start);
    expect([first.status, first.body['account_status']]).toEqual([200, 'onboarding']);
    expect(bank.asked.at(-1)?.told).toEqual({ payoutTo: { kind: 'lightning_address', value: 'alice@wallet.example', isProven: false } });
    const stolen = await other.call('/accounts', start);
    expect([stolen.status, stolen.body['code']]).toEqual([409, 'customer-conflict']);
    await one.call('/account-remove', { account_id: first.body['account_id'] });
    expect((await other.call('/accounts', start)).body['code']).toBe('customer-conflict');
    expect(bank.calls('start')).toBe(1);
    // Its own customer may come back, and continue without naming the address again.
    expect((await one.call('/accounts', start)).status).toBe(200);
    expect((await one.call('/accounts', { provider: 'keyed', phone: '+436641234567' })).body['needs']).toEqual(['terms_accepted']);
    expect(gateway.logs.join('\n')).not.toContain('alice@wallet');
  });

  it('at such a provider keeps its address, however long it is not connected, until the operator releases it', async () => {
    const start = { provider: 'keyed', payout_to: { lightning_address: 'bob@wallet.example' } };
    const [one, other] = [await newCustomer(), await newCustomer()];
    const { account_id: id } = (await one.call('/accounts', start)).body;
    const taken = async (): Promise<unknown> => (await other.call('/accounts', start)).body['code'];
    await gateway.database.sql`update accounts set created_on = created_on - interval '31 days', next_check_on = created_on where id = ${String(id)}`;
    expect(await taken()).toBe('customer-conflict');
    // The gateway no longer polls it, but the bank still logs in whoever names it.
    await gateway.server.tick();
    await gateway.database.sql`update accounts set removed_on = removed_on - interval '31 days' where id = ${String(id)}`;
    expect([(await one.call('/account-status', { account_id: id })).body['code'], await taken()]).toEqual(['account-not-found', 'customer-conflict']);
    const { account_id: own } = (await one.call('/accounts', start)).body;
    expect(await releaseName(gateway.database.sql, 'keyed', ' Bob@Wallet.example ', clock.now())).toBe(2);
    expect(await releaseName(gateway.database.sql, 'keyed', 'bob@wallet.example', clock.now())).toBe(0);
    expect((await other.call('/accounts', start)).status).toBe(200);
    expect((await one.call('/account-status', { account_id: own })).body['code']).toBe('account-not-found');
    expect((await one.call('/accounts', start)).body['code']).toBe('customer-conflict');
  });

  it('at such a provider is released by its address in any writing', async () => {
    const lnurl = encodeLnurl('https://wallet.example/pay/erin');
    for (const written of [lnurl.toLowerCase(), lnurl.toUpperCase(), ` lightning:${lnurl.toLowerCase()}`]) {
      const { status } = await (await newCustomer()).call('/accounts', { provider: 'keyed', payout_to: { lnurl } });
      expect([written, status]).toEqual([written, 200]);
      expect(await releaseName(gateway.database.sql, 'keyed', written, clock.now())).toBe(1);
    }
  });

  it('at such a provider keeps its address also in the spelling of an LNURL, and the operator releases both', async () => {
    const address = 'frida@wallet.example';
    const lnurl = encodeLnurl('https://wallet.example/.well-known/lnurlp/frida');
    const [one, other] = [await newCustomer(), await newCustomer()];
    expect((await one.call('/accounts', { provider: 'keyed', payout_to: { lightning_address: address } })).status).toBe(200);
    const stolen = await other.call('/accounts', { provider: 'keyed', payout_to: { lnurl } });
    expect([stolen.status, stolen.body['code']]).toEqual([409, 'customer-conflict']);
    expect((await one.call('/accounts', { provider: 'keyed', payout_to: { lnurl } })).status).toBe(200);
    expect(await releaseName(gateway.database.sql, 'keyed', lnurl, clock.now())).toBe(1);
    const { account_id } = (await other.call('/accounts', { provider: 'keyed', payout_to: { lnurl } })).body;
    // Otherwise this account would be polled during later tests.
    expect((await other.call('/account-remove', { account_id })).status).toBe(200);
  });

  it('at such a provider keeps its address also if the release before this one stored it as an LNURL', async () => {
    const [address, lnurl] = ['gina@wallet.example', encodeLnurl('https://wallet.example/.well-known/lnurlp/gina')];
    const [one, other] = [await newCustomer(), await newCustomer()];
    const { account_id } = (await one.call('/accounts', { provider: 'keyed', payout_to: { lnurl } })).body;
    await gateway.database.sql`update accounts set email_hash = ${sha256Hex(`lnurl ${lnurl}`)} where id = ${String(account_id)}`;
    for (const payout_to of [{ lightning_address: address }, { lnurl }]) {
      const stolen = await other.call('/accounts', { provider: 'keyed', payout_to });
      expect([stolen.status, stolen.body['code']]).toEqual([409, 'customer-conflict']);
      const own = await one.call('/accounts', { provider: 'keyed', payout_to });
      expect([own.status, own.body['account_id']]).toEqual([200, account_id]);
    }
    const different = await one.call('/accounts', { provider: 'keyed', payout_to: { lightning_address: 'other@wallet.example' } });
    expect(different.status).toBe(400);
    expect(await releaseName(gateway.database.sql, 'keyed', address, clock.now())).toBe(1);
  });

  it('at such a provider gives up its address 30 days after its removal if the bank has made no user', async () => {
    const start = { provider: 'keyed', payout_to: { lightning_address: 'carol@wallet.example' } };
    const [one, other] = [await newCustomer(), await newCustomer()];
    const { account_id: id } = (await one.call('/accounts', start)).body;
    const removed = async (days: number) =>
      await gateway.database.sql`update accounts set user_hash = null, created_on = created_on - interval '90 days',
        removed_on = now() - ${days} * interval '1 day' where id = ${String(id)}`;
    await removed(29);
    expect((await other.call('/accounts', start)).body['code']).toBe('customer-conflict');
    await removed(31);
    expect((await other.call('/accounts', start)).status).toBe(200);
  });

  it('at such a provider keeps its address if the bank has made the user and refused the rest', async () => {
    const start = { provider: 'keyed', payout_to: { lightning_address: 'dora@wallet.example' } };
    const [one, other] = [await newCustomer(), await newCustomer()];
    bank.says.startRefused = true;
    const refused = await one.call('/accounts', start);
    expect([refused.status, bank.users.some(({ email }) => email === 'dora@wallet.example')]).toEqual([400, true]);
    delete bank.says.startRefused;
    expect((await other.call('/accounts', start)).body['code']).toBe('customer-conflict');
    const { body } = await one.call('/accounts', start);
    expect(body['account_status']).toBe('onboarding');
    // The same is true after the account is removed, even if the bank never said whose user it is.
    bank.says.startRefused = true;
    const erin = { provider: 'keyed', payout_to: { lightning_address: 'frida@wallet.example' } };
    const [two, third] = [await newCustomer(), await newCustomer()];
    await two.call('/accounts', erin);
    await gateway.database
      .sql`update accounts set removed_on = created_on - interval '31 days' where removed_on is null and created_on = (select max(created_on) from accounts)`;
    expect((await third.call('/accounts', erin)).body['code']).toBe('customer-conflict');
  });

  it('at a provider that knows its users by an address buys to that address only, by failover, too', async () => {
    const { call } = await newCustomer();
    const own = { lightning_address: 'own@wallet.example' };
    const { body } = await call('/accounts', { provider: 'keyed', payout_to: own, phone: '+436641234567', terms_accepted: true });
    await call('/account-code', { account_id: body['account_id'] });
    await call('/account-confirm', { account_id: body['account_id'], code: codeOf('own@wallet.example') });
    const known = await call('/accounts', { provider: 'known', email: 'own@example.com', phone: '+436641234567', terms_accepted: true });
    await call('/account-code', { account_id: known.body['account_id'] });
    await call('/account-confirm', { account_id: known.body['account_id'], code: codeOf('own@example.com') });
    const quotes = async (): Promise<Record<string, string>> => {
      const { body: priceBody } = await priced(call, 'buy', { payout_kinds: ['lightning_address'] });
      return Object.fromEntries((priceBody['offers'] as { quote_id: string; provider: { id: string } }[]).map((one) => [one.provider.id, one.quote_id]));
    };
    const payout_to = { lightning_address: 'mallory@wallet.example' };
    const { keyed, known: best } = await quotes();
    const foreign = await call('/order', { quote_id: keyed, payout_to });
    expect([foreign.status, foreign.body['code'], bank.calls('buy order')]).toEqual([422, 'payout-unsuitable', 0]);
    // The best provider declines, and the next one has an account for another destination.
    bank.says.refusal = { reason: 'declined' };
    const declined = await call('/order', { quote_id: best, payout_to, failover: { max: 2, min_amount_sats: 1000 } });
    expect([declined.status, declined.body['code'], bank.calls('buy order')]).toEqual([409, 'provider-declined', 1]);
    delete bank.says.refusal;
    // The release before this one stored the other spelling.
    const asLnurl = encodeLnurl('https://wallet.example/.well-known/lnurlp/own');
    await gateway.database.sql`update accounts set email_hash = ${sha256Hex(`lnurl ${asLnurl}`)} where id = ${String(body['account_id'])}`;
    expect((await call('/order', { quote_id: keyed, payout_to })).body['code']).toBe('payout-unsuitable');
    expect((await call('/order', { quote_id: keyed, payout_to: own })).body['payout_to']).toEqual({ ...own, is_proven: false });
  });

  it('cannot be started for a node key that the session has not proved', async () => {
    const { call } = await newCustomer();
    const answer = await call('/accounts', {
      provider: 'keyed',
      payout_to: { node_pubkey: `02${'79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'}` },
    });
    expect([answer.status, answer.body['code'], bank.calls('start')]).toEqual([403, 'proof-required', 0]);
  });

  it('is what both ramps ask for if there is none', async () => {
    const { call } = await newCustomer();
    for (const ramp of ['buy', 'sell'] as const) {
      expect((await priced(call, ramp)).offer?.requires).toEqual(['account']);
      const { status, body } = await order(call, ramp);
      expect([status, body['code'], body['action']]).toEqual([409, 'account-required', 'ask-user']);
    }
    expect(bank.calls('buy order') + bank.calls('sell order')).toBe(0);
  });

  it('that is not connected yet, or was removed since the price, orders nothing', async () => {
    const { call } = await waiting();
    const early = await order(call, 'buy');
    expect([early.status, early.body['code']]).toEqual([409, 'account-not-connected']);
    const { call: owner, account } = await connected();
    const { quote_id } = await priced(owner, 'buy');
    await owner('/account-remove', account);
    const late = await owner('/order', { quote_id });
    expect([late.status, late.body['code']]).toEqual([409, 'account-required']);
    expect(bank.calls('buy order')).toBe(0);
  });
});

describe('a code', () => {
  it('that is wrong may be tried five times, whatever the provider allows, and not again until another was sent', async () => {
    const { call, email, account } = await waiting();
    expect((await call('/account-confirm', { ...account, code: '1' })).body['code']).toBe('code-expired');
    await call('/account-code', account);
    const answers: unknown[] = [];
    for (let tries = 0; tries < 6; tries += 1) {
      const { status, body } = await call('/account-confirm', { ...account, code: '000000' });
      answers.push([status, body['code'], body['attempts_left']]);
    }
    expect(answers).toEqual([...[4, 3, 2, 1].map((left) => [422, 'code-wrong', left]), [410, 'code-expired', undefined], [410, 'code-expired', undefined]]);
    // The right code comes too late, and does not reach the provider.
    const before = bank.calls('confirm code');
    expect((await call('/account-confirm', { ...account, code: codeOf(email) })).status).toBe(410);
    expect(bank.calls('confirm code')).toBe(before);
    await call('/account-code', account);
    expect((await call('/account-confirm', { ...account, code: codeOf(email) })).body['account_status']).toBe('connected');
  });

  it('cannot be tried or sent more often by removing the account and starting it again', async () => {
    const { call, email, account } = await waiting();
    for (let times = 0; times < 5; times += 1) await call('/account-code', account);
    for (let tries = 0; tries < 5; tries += 1) await call('/account-confirm', { ...account, code: '000000' });
    await call('/account-remove', account);
    await call('/accounts', { provider: 'known', email });
    const { body } = await call('/accounts', { provider: 'known', terms_accepted: true });
    const again = { account_id: body['account_id'] };
    const right = codeOf(email);
    expect([body['needs'], right.length]).toEqual([['code'], 6]);
    expect((await call('/account-confirm', { ...again, code: right })).status).toBe(410);
    expect((await call('/account-code', again)).status).toBe(429);
    clock.move(3_600_000);
    await call('/account-code', again);
    expect((await call('/account-confirm', { ...again, code: codeOf(email) })).body['account_status']).toBe('connected');
  });

  it.each(['codesRefused', 'codesLost'] as const)('cannot be tried more often by asking for another that is not sent (%s)', async (says) => {
    const { call, email, account } = await waiting();
    await call('/account-code', account);
    const before = bank.calls('confirm code');
    for (let times = 0; times < 5; times += 1) {
      for (let tries = 0; tries < 5; tries += 1) await call('/account-confirm', { ...account, code: '000000' });
      bank.says[says] = true;
      await call('/account-code', account);
    }
    expect([bank.calls('confirm code') - before, bank.calls('send code')]).toEqual([5, 5]);
    delete bank.says[says];
    clock.move(3_600_000);
    await call('/account-code', account);
    expect((await call('/account-confirm', { ...account, code: codeOf(email) })).body['account_status']).toBe('connected');
  });

  it('cannot be tried more often at the same time', async () => {
    const { call, account } = await waiting();
    await call('/account-code', account);
    const before = bank.calls('confirm code');
    await Promise.all(Array.from({ length: 20 }, async () => await call('/account-confirm', { ...account, code: '000000' })));
    expect(bank.calls('confirm code') - before).toBeLessThanOrEqual(5);
  });

  it('is told the provider’s own tries if they are fewer', async () => {
    bank.says.attemptsLeft = 1;
    const { call, account } = await waiting();
    await call('/account-code', account);
    expect((await call('/account-confirm', { ...account, code: '000000' })).body).toMatchObject({ code: 'code-wrong', attempts_left: 1 });
  });

  it('is sent at most five times an hour for one account', async () => {
    const { call, account } = await waiting();
    const sent: number[] = [];
    for (let times = 0; times < 6; times += 1) sent.push((await call('/account-code', account)).status);
    expect([sent, bank.calls('send code')]).toEqual([[200, 200, 200, 200, 200, 429], 5]);
    clock.move(3_600_000);
    expect((await call('/account-code', account)).status).toBe(200);
  });

  it('is not sent if the provider sends none for now, or the account waits for none', async () => {
    const { call, account } = await waiting();
    bank.says.codesRefused = true;
    expect((await call('/account-code', account)).body['code']).toBe('code-expired');
    delete bank.says.codesRefused;
    const { call: done, account: own } = await connected();
    const answer = await done('/account-code', own);
    expect([answer.status, (answer.body['errors'] as Body[])[0]?.['pointer']]).toEqual([400, '/account_id']);
  });

  it('is never logged or stored', async () => {
    const { call, email, account } = await waiting();
    await call('/account-code', account);
    const code = codeOf(email);
    await call('/account-confirm', { ...account, code: '924173' });
    await call('/account-confirm', { ...account, code });
    const log = gateway.logs.join('\n');
    expect([log.includes(`"${code}"`), log.includes('924173'), log.includes(email)]).toEqual([false, false, false]);
  });
});

describe('a user whom another customer has named, too', () => {
  const conflict = [409, 'customer-conflict'];
  const outcome = ({ status, body }: { status: number; body: Body }): unknown[] => [status, body['code'] ?? body['account_status']];
  const asks = (): number => bank.calls('start') + bank.calls('send code') + bank.calls('confirm code');

  it('is nobody’s by a code that is sent to a phone which one of them named', async () => {
    const owner = await newCustomer();
    const thief = await newCustomer();
    const own = await owner.call('/accounts', { provider: 'known', email: owner.email });
    const stolen = await thief.call('/accounts', { provider: 'known', email: owner.email, phone: '+436640000000', terms_accepted: true });
    expect(stolen.body['needs']).toEqual(['code']);
    bank.asked.length = 0;
    const account = { account_id: stolen.body['account_id'] };
    const sent = await thief.call('/account-code', account);
    expect([outcome(sent), sent.body['action']]).toEqual([conflict, 'ask-user']);
    // This bank has no keys, so none can be pasted.
    expect(sent.body['detail']).not.toContain('api_key');
    expect(outcome(await thief.call('/account-confirm', { ...account, code: '123456' }))).toEqual(conflict);
    expect(asks()).toBe(0);
    expect((await owner.call('/account-status', { account_id: own.body['account_id'] })).body['account_status']).toBe('onboarding');
  });

  it('stays the user of the customer who is connected, whatever a neighbour has started before', async () => {
    const owner = await connected();
    const userId = bank.users.find(({ email }) => email === owner.email)?.id ?? '';
    const thief = await waiting();
    await thief.call('/account-code', thief.account);
    // As if the owner had connected with a pasted key after the neighbour had named their e-mail.
    const user = bank.users.find(({ email }) => email === thief.email);
    await gateway.database.sql`update accounts set email_hash = null, user_hash = ${sha256Hex(user?.id ?? '')} where user_hash = ${sha256Hex(userId)}`;
    bank.asked.length = 0;
    for (const [path, body] of [
      ['/account-code', thief.account],
      ['/account-confirm', { ...thief.account, code: codeOf(thief.email) }],
      ['/accounts', { provider: 'known', phone: '+436640000000' }],
    ] as const)
      expect(outcome(await thief.call(path, body))).toEqual(conflict);
    expect(asks()).toBe(0);
    // If the gateway learns only from the bank's answer who the user is, it withholds the answer.
    await gateway.database.sql`update accounts set user_hash = null where id = ${thief.account.account_id}`;
    expect(outcome(await thief.call('/account-confirm', { ...thief.account, code: codeOf(thief.email) }))).toEqual(conflict);
    clock.move(3_000);
    expect([user?.isConfirmed, (await thief.call('/account-status', thief.account)).body['account_status']]).toEqual([true, 'pending']);
  });
});

describe('a page that the customer must visit', () => {
  const refusing = (actionUrl: string | undefined) => {
    bank.says.refusal = { reason: 'kyc-required', detail: 'KycRequired', ...(actionUrl === undefined ? {} : { actionUrl }) };
  };

  it.each(['buy', 'sell'] as const)('is shown with the refused order, every time it is repeated (%s)', async (ramp) => {
    const { call } = await connected();
    refusing(link);
    const { quote_id, status, body } = await order(call, ramp);
    expect([status, body]).toMatchObject([409, { code: 'account-not-connected', action: 'ask-user', retryable: false, action_url: link }]);
    // A wallet that knows no action_url still says what to do, without the secret.
    expect(body['detail']).toContain('The provider must verify the customer first.');
    expect(body['detail']).not.toContain('bearer');
    refusing(`${link}-2`);
    const again = await call(`${paths[ramp].prefix}/order`, { quote_id });
    expect(again.body['action_url']).toBe(`${link}-2`);
    // Once the customer has visited the page, the same quote can be ordered.
    delete bank.says.refusal;
    expect((await call(`${paths[ramp].prefix}/order`, { quote_id })).status).toBe(200);
  });

  it.each<[string, string]>([
    ['on a foreign host', 'https://evil.example/kyc?session=bearer-elsewhere'],
    ['without TLS', 'http://bank.example/kyc?session=bearer-plain'],
    ['that parsers read differently', 'https://bank.example\\@evil.example/kyc'],
    ['that is none', 'javascript:alert(1)'],
  ])('is dropped if it is a link %s, and the answer stands', async (_what, foreign) => {
    const { call } = await connected();
    refusing(foreign);
    const before = gateway.logs.length;
    const { status, body } = await order(call, 'buy');
    expect([status, body['code'], 'action_url' in body]).toEqual([409, 'account-not-connected', false]);
    expect(gateway.logs.slice(before).filter((line) => line.includes('action_link_dropped'))).toHaveLength(1);
  });

  it('is not in prices, the stored decision, the operator’s view or another customer’s answer', async () => {
    const { call } = await connected();
    const { quote_id } = await priced(call, 'buy');
    refusing(link);
    await call('/order', { quote_id });
    const other = await newCustomer();
    const stolen = await other.call('/order', { quote_id });
    expect([stolen.status, JSON.stringify(stolen.body).includes('bearer')]).toEqual([404, false]);
    const route = await call('/route', { quote_id });
    const [row] = await gateway.database.sql<{ order_id: string; text: string }[]>`
      select order_id, intents::text as text from intents where quote_id = ${String(quote_id)}`;
    const response = await fetch(`${gateway.url}/operator/orders/${row?.order_id}`, { headers: { authorization: `Bearer ${operatorToken}` } });
    const seen = await response.text();
    expect(response.status).toBe(200);
    bank.says.refusal = { reason: 'busy', actionUrl: link };
    const { body } = await priced(call, 'buy');
    const stored = await gateway.database.sql`select routes::text as text from routes`;
    for (const text of [JSON.stringify(route.body), row?.text, seen, JSON.stringify(body), JSON.stringify(stored)]) expect(text).not.toContain('bearer');
    expect(gateway.logs.join('\n')).not.toContain('bearer');
  });
});

describe('the one URL for all webhooks of a provider', () => {
  const token = createNoticeTokens([noticeKey]).token('provider', 'known');
  const url = (more: { provider?: string; target?: string; token?: string } = {}) =>
    `${gateway.url}/notices/${more.provider ?? 'known'}/provider/${more.target ?? 'known'}/${more.token ?? token}`;
  const bankKey = 'the-key-that-the-bank-sends';
  const post = async (body: string, { to = url(), key = bankKey }: { to?: string; key?: string } = {}) =>
    await fetch(to, { method: 'POST', body, headers: { 'content-type': 'application/json', ...(key === '' ? {} : { 'x-api-key': key }) } });
  /** Sends a webhook, and waits until the gateway has nothing more to do. */
  const ring = async (body: object | string, how: Parameters<typeof post>[1] = {}) => {
    const response = await post(typeof body === 'string' ? body : JSON.stringify(body), how);
    await gateway.server.idle();
    return [response.status, await response.text()];
  };
  const received = [202, '{"received":true}'];
  const rows = async () => await gateway.database.sql<{ purpose: string; body: string | null; count: number }[]>`select purpose, body, count from notices`;
  const placed = async () => {
    const { call, account } = await connected();
    const { body } = await order(call, 'buy');
    const made = bank.orders.at(-1);
    if (body['stage'] !== 'awaiting_payment' || !made) throw new Error(JSON.stringify(body));
    return { call, account, made, order_id: String(body['order_id']) };
  };
  /** Orders, and returns how long after it was made the order is first read, in milliseconds. The clock stands still, so it is not read yet. */
  const firstCheckMs = async (call: Call): Promise<number> =>
    await clock.still(async () => {
      const { status, body } = await order(call, 'buy');
      expect(status).toBe(200);
      await gateway.server.idle();
      const [row] = await gateway.database.sql<
        { ms: string }[]
      >`select extract(epoch from next_check_on - created_on) * 1000 as ms from orders where id = ${String(body['order_id'])}`;
      return Number(row?.ms);
    });
  const stageOf = async (orderId: string) => (await gateway.database.sql<{ stage: string }[]>`select stage from orders where id = ${orderId}`)[0]?.stage;

  it('has the order read that a body names, and believes nothing else in it', async () => {
    const { made, order_id } = await placed();
    expect(await ring({ orders: [made.id], stage: 'finished' })).toEqual(received);
    expect([bank.calls(`read ${made.id}`), await stageOf(order_id)]).toEqual([1, 'awaiting_payment']);
    made.stage = 'paid';
    // Within two seconds the order is not read again; afterwards it is.
    await ring({ orders: [made.id] });
    expect(bank.calls(`read ${made.id}`)).toBe(1);
    await gateway.pass(2_100);
    expect([bank.calls(`read ${made.id}`), await stageOf(order_id)]).toEqual([2, 'paid']);
  });

  it('has two orders read that one body names', async () => {
    const [one, other] = [await placed(), await placed()];
    await ring({ orders: [one.made.id, other.made.id] });
    expect([bank.calls(`read ${one.made.id}`), bank.calls(`read ${other.made.id}`)]).toEqual([1, 1]);
  });

  it.each<[string, () => { to?: string; key?: string }]>([
    ['a wrong key', () => ({ key: 'the-key-that-the-bank-senD' })],
    ['no key', () => ({ key: '' })],
    ['a wrong token', () => ({ to: url({ token: 'A'.repeat(22) }) })],
    ['another provider’s name', () => ({ to: url({ provider: 'open' }) })],
    ['the token of another target', () => ({ to: url({ target: 'open' }) })],
  ])('is answered alike with %s, and nothing is read or stored', async (_what, how) => {
    const { made } = await placed();
    const before = (await rows()).length;
    expect(await ring({ orders: [made.id] }, how())).toEqual(received);
    expect([bank.calls(`read ${made.id}`), (await rows()).length]).toEqual([0, before]);
  });

  it('leaves nothing behind for orders that are unknown here, for nonsense, and keeps no body', async () => {
    const before = (await rows()).length;
    for (const body of [{ orders: ['somebody-elses'] }, { orders: Array.from({ length: 500 }, (_, n) => `x-${n}`) }, {}, 'no json', ''])
      expect(await ring(body)).toEqual(received);
    expect((await rows()).length).toBe(before);
    const { made } = await placed();
    await ring({ orders: [made.id], name: 'Alice Nakamoto' });
    expect((await rows()).map(({ body }) => body).filter((body) => body !== null)).toEqual([]);
  });

  it('has an order read at once whose webhook was quicker than its answer', async () => {
    const { call } = await connected();
    bank.says.rings = async (id) => await post(JSON.stringify({ orders: [id] }));
    expect(await firstCheckMs(call)).toBe(500);
  });

  it('has an order read at once whose webhook came just before the order was stored', async () => {
    const { call } = await connected();
    const { intents } = gateway.server.gateway.stores;
    const confirm = intents.confirm.bind(intents);
    vi.spyOn(intents, 'confirm').mockImplementationOnce(async (...args) => {
      await post(JSON.stringify({ orders: [bank.orders.at(-1)?.id] }));
      return await confirm(...args);
    });
    expect(await firstCheckMs(call)).toBe(500);
  });

  it('has an order read at once that was stored while its webhook looked for it', async () => {
    const { call } = await connected();
    const { intents } = gateway.server.gateway.stores;
    const before = bank.orders.length;
    let answer: () => void = () => undefined;
    const answering = new Promise<void>((done) => (answer = done));
    bank.says.rings = async () => await answering;
    const ordering = order(call, 'buy');
    await vi.waitUntil(() => bank.orders.length > before, { timeout: 30_000, interval: 1 });
    const isPlacingAt = intents.isPlacingAt.bind(intents);
    vi.spyOn(intents, 'isPlacingAt').mockImplementationOnce(async (...args) => {
      answer();
      await ordering;
      return await isPlacingAt(...args);
    });
    const id = bank.orders.at(-1)?.id;
    await ring({ orders: [id] });
    await gateway.server.idle();
    expect(bank.calls(`read ${id}`)).toBe(1);
  });

  it('brings an attempt forward whose answer was lost, and only that often', async () => {
    const { call } = await connected();
    bank.says.lose = true;
    const lost = await order(call, 'buy');
    expect(lost.body['code']).toBe('order-pending');
    const nextTry = async () =>
      Number(
        (
          await gateway.database.sql<
            { ms: string }[]
          >`select extract(epoch from next_try_on) * 1000 as ms from intents where quote_id = ${String(lost.quote_id)}`
        )[0]?.ms,
      );
    await gateway.database.sql`update intents set next_try_on = now() + interval '1 year' where quote_id = ${String(lost.quote_id)}`;
    clock.move(2_100);
    const before = (await rows()).length;
    await ring({ orders: [bank.orders.at(-1)?.id] });
    expect(await nextTry()).toBeLessThanOrEqual(clock.now());
    for (let n = 0; n < 5; n += 1) await ring({ orders: [bank.orders.at(-1)?.id] });
    expect((await rows()).length).toBe(before + 2);
    await gateway.database.sql`update intents set state = 'dead' where quote_id = ${String(lost.quote_id)}`;
  });

  /** Leaves no account due. On a slow machine, the background reads those of earlier tests again: each is due 30 s after it was started. */
  const noneIsDue = async (): Promise<void> => {
    await gateway.database.sql`update accounts set next_check_on = now() + interval '1 year'`;
    await gateway.server.idle();
    bank.asked.length = 0;
  };

  it('has the account read of a user whom a body names', async () => {
    const { call, account, email } = await waiting();
    await noneIsDue();
    const user = bank.users.find((one) => one.email === email);
    Object.assign(user ?? {}, { isConfirmed: true });
    expect(await ring({ user: user?.id })).toEqual(received);
    expect(bank.calls('read account')).toBe(1);
    expect((await call('/account-status', account)).body['account_status']).toBe('connected');
    await ring({ user: 'nobody-here' });
  });

  it('rings for the connected account of a user, whoever else has named the user', async () => {
    const { account, email } = await connected();
    const user = bank.users.find((one) => one.email === email);
    const rivals = await Promise.all(Array.from({ length: 6 }, async () => await waiting()));
    const ids = rivals.map((rival) => rival.account.account_id);
    await gateway.database.sql`update accounts set user_hash = ${sha256Hex(user?.id ?? '')} where id in ${gateway.database.sql(ids)}`;
    // A row that was written last is often found first.
    await gateway.database.sql`update accounts set created_on = created_on - interval '1 day' where id = ${account.account_id}`;
    await noneIsDue();
    await ring({ user: user?.id });
    expect(bank.asked.filter(({ verb, customer }) => verb === 'read account' && customer === user?.id)).toHaveLength(1);
    expect(bank.calls('read account')).toBe(5);
    await gateway.database.sql`update accounts set user_hash = null where id in ${gateway.database.sql(ids)}`;
  });
});
