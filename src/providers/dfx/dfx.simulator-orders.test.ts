/**
 * Login, identity, orders, payments, status and webhooks of the simulated DFX, over sockets, against the words and sample figures of DFX's contract.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeInvoice, encodeInvoice } from '../../bitcoin/bolt11.ts';
import { encodeLnurl } from '../../bitcoin/lnurl.ts';
import { signNodeMessage } from '../../bitcoin/node-signature.ts';
import { publicKeyOf } from '../../bitcoin/secp256k1.ts';
import { movableClock, type Clock } from '../../../test/support/clock.ts';
import { startWebhookReceiver } from '../../../test/support/webhook-receiver.ts';
import { startDfxSimulator, type RunningSimulator, type SimulatorOptions } from './dfx.simulator.ts';

const dayMs = 86_400_000;
const minuteMs = 60_000;
const alice = encodeLnurl('https://wallet.example/.well-known/lnurlp/alice');
const bob = encodeLnurl('https://wallet.example/.well-known/lnurlp/bob');
const secretOf = (letter: string): string => letter.repeat(140);
const nodeKey = '22'.repeat(32);
const nodeAddress = `LNNID${publicKeyOf(nodeKey).toUpperCase()}`;
const euros = { currency: { id: 2 }, asset: { blockchain: 'Lightning' } };
const iban = 'DE89370400440532013000';

type Body = { [member: string]: unknown };
type Answer = { status: number; body: Body };
let clock: Clock;
let running: RunningSimulator;
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await running.close();
  for (const close of closing.splice(0)) await close();
});
const start = async (options: Partial<SimulatorOptions> = {}): Promise<RunningSimulator['control']> => {
  clock = movableClock();
  running = await startDfxSimulator({ id: 'dfx', now: clock.now, ...options });
  return running.control;
};
const call = async (method: string, path: string, body?: unknown, token?: string): Promise<Answer> => {
  const headers = { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  const answer = await fetch(`${running.url}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Body) };
};
const get = async (path: string, token?: string): Promise<Answer> => await call('GET', path, undefined, token);
const login = async (address: string, signature: string, more: Body = {}): Promise<Answer> => await call('POST', '/v1/auth', { address, signature, ...more });
const tokenOf = async (address = alice, more: Body = {}): Promise<string> => String((await login(address, secretOf('a'), more)).body['accessToken']);
/** A customer who may trade. */
const approved = async (control: RunningSimulator['control'], address = alice, more: Body = {}): Promise<string> => {
  const token = await tokenOf(address, more);
  await control.approve(address);
  return token;
};
const buy = async (token: string, more: Body = {}): Promise<Answer> => await call('PUT', '/v1/buy/paymentInfos', { ...euros, amount: 100, ...more }, token);
const sell = async (token: string, more: Body = {}): Promise<Answer> =>
  await call('PUT', '/v1/sell/paymentInfos', { ...euros, amount: 0.0025, iban, ...more }, token);
const confirm = async (token: string, id: unknown): Promise<Answer> => await call('PUT', `/v1/buy/paymentInfos/${String(id)}/confirm`, undefined, token);
const ordered = async (token: string, more: Body = {}): Promise<Body> => {
  const { status, body } = await buy(token, more);
  expect(status).toBe(200);
  await confirm(token, body['id']);
  return body;
};
const single = async (uid: unknown, token?: string): Promise<Answer> =>
  await get(`/v1/transaction/single?${String(uid).startsWith('Q') ? 'order-uid' : 'uid'}=${String(uid)}`, token);
const failure = (status: number, message: unknown): Answer => ({ status, body: expect.objectContaining({ statusCode: status, message }) as Body });

describe('login', () => {
  it('fixes the custodial secret by the first sign-up', async () => {
    await start();
    const first = await login(alice, secretOf('a'));
    expect(first.status).toBe(201);
    expect((await login(alice, secretOf('a'))).status).toBe(201);
    expect(await login(alice, secretOf('b'))).toEqual(failure(401, 'Invalid credentials'));
    expect((await login(bob, secretOf('b'))).status).toBe(201);
    const claims: unknown = JSON.parse(Buffer.from(String(first.body['accessToken']).split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({ address: alice, role: 'User', blockchains: ['Lightning'], ip: '127.0.0.1' });
  });

  it.each([
    ['LNURL', alice, 201],
    ['LNDHUB', `LNDHUB${'A1'.repeat(20)}`, 201],
    ['LNNID', nodeAddress, 201],
    ['a key in lower case', nodeAddress.toLowerCase().replace('lnnid', 'LNNID'), 400],
    ['an LNURL in lower case', alice.toLowerCase(), 400],
    ['a Lightning address', 'alice@wallet.example', 400],
    ['a chain address', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', 400],
  ])('%s', async (_form, address, status) => {
    await start();
    expect((await login(address, secretOf('a'))).status).toBe(status);
  });

  it('takes 140 to 146 small letters and digits, or a signature of 104 characters', async () => {
    await start();
    for (const [length, status] of [
      [139, 400],
      [140, 201],
      [146, 201],
      [147, 400],
    ] as const)
      expect((await login(encodeLnurl(`https://wallet.example/${length}`), 'a'.repeat(length))).status).toBe(status);
    expect(await login(alice, secretOf('A'))).toEqual(failure(400, [expect.stringContaining('signature must match')]));
  });

  it('checks the signature of the node that an address names, over the sentence of its stage', async () => {
    const control = await start();
    const sentence = String((await get(`/v1/auth/signMessage?address=${nodeAddress}`)).body['message']);
    expect(sentence.endsWith(nodeAddress)).toBe(true);
    expect((await login(nodeAddress, signNodeMessage(sentence, nodeKey))).status).toBe(201);
    expect((await login(nodeAddress, signNodeMessage(sentence, '33'.repeat(32)))).status).toBe(401);
    expect((await login(alice, signNodeMessage(sentence, nodeKey))).status).toBe(401);
    expect((await login(nodeAddress, secretOf('a'))).status).toBe(401);
    control.setOptions({ stage: 'dev' });
    expect((await get(`/v1/auth/signMessage?address=${nodeAddress}`)).body['message']).toBe(`[dev]_${sentence}`);
    expect((await login(nodeAddress, signNodeMessage(sentence, nodeKey))).status).toBe(401);
  });

  it('ends a token by the clock, and takes no token of another provider', async () => {
    await start({ jwtLifeMs: 60_000 });
    const token = await tokenOf();
    expect((await get('/v2/user', token)).status).toBe(200);
    expect((await get('/v2/user', `${token.slice(0, -2)}AA`)).status).toBe(401);
    clock.move(60_000);
    expect(await get('/v2/user', token)).toEqual(failure(401, 'Unauthorized'));
    expect((await get('/v2/user', await tokenOf())).status).toBe(200);
  });

  it('refuses a country, a linked address, and more sign-ups a day than allowed', async () => {
    const control = await start({ signUpLimit: 2, signUpLimitOn: 'any' });
    control.setFault({ endpoint: 'POST /v1/auth', fault: 'country-403', times: 1 });
    expect(await login(alice, secretOf('a'))).toEqual(failure(403, 'The country of IP address is not allowed'));
    control.setFault({ endpoint: 'POST /v1/auth', fault: 'address-linked', times: 1 });
    expect(await login(alice, secretOf('a'))).toEqual(failure(409, expect.stringContaining('Address already linked')));
    expect([(await login(alice, secretOf('a'))).status, (await login(bob, secretOf('a'))).status]).toEqual([201, 201]);
    expect((await login(nodeAddress, secretOf('a'))).status).toBe(429);
    expect((await login(alice, secretOf('a'))).status).toBe(201);
    clock.move(dayMs);
    expect((await login(nodeAddress, secretOf('a'))).status).toBe(201);
    const body = { address: bob, signature: secretOf('a') };
    expect([(await call('POST', '/v1/auth/signUp', body)).status, (await call('POST', '/v1/auth/signIn', body)).status]).toEqual([409, 201]);
  });
});

describe('identity', () => {
  it('sets the first e-mail address at once, and another one by a code', async () => {
    const control = await start();
    const token = await tokenOf();
    expect((await get('/v2/user', token)).body).toMatchObject({
      kyc: { level: 0, dataComplete: false },
      tradingLimit: { limit: 1000, remaining: 1000, period: 'Month' },
    });
    expect((await call('PUT', '/v2/user/mail', { mail: 'alice' }, token)).status).toBe(400);
    expect(await call('PUT', '/v2/user/mail', { mail: 'alice@example.com' }, token)).toMatchObject({
      status: 200,
      body: { mail: 'alice@example.com', kyc: { level: 10 } },
    });
    expect((await call('PUT', '/v2/user/mail', { mail: 'new@example.com' }, token)).status).toBe(202);
    expect((await call('POST', '/v2/user/mail/verify', { token: 'WRONG1' }, token)).status).toBe(403);
    expect((await call('POST', '/v2/user/mail/verify', { token: control.books.mails[0]?.code }, token)).body['mail']).toBe('new@example.com');
    for (let calls = 5; calls < 10; calls += 1) await call('PUT', '/v2/user/mail', { mail: 'new@example.com' }, token);
    expect((await call('PUT', '/v2/user/mail', { mail: 'new@example.com' }, token)).status).toBe(429);
    await control.approve(alice);
    expect((await get('/v2/user', token)).body).toMatchObject({
      kyc: { level: 50, dataComplete: true },
      tradingLimit: { period: 'Year' },
      addresses: [{ address: alice }],
    });
  });

  it('answers 409 for the e-mail address of another account, or merges: then the token names the other code', async () => {
    const control = await start();
    const [first, second] = [await tokenOf(alice), await tokenOf(bob)];
    await call('PUT', '/v2/user/mail', { mail: 'both@example.com' }, first);
    expect((await call('PUT', '/v2/user/mail', { mail: 'both@example.com' }, second)).status).toBe(409);
    const { hash } = (await get('/v2/user', first)).body['kyc'] as { hash: string };
    control.setOptions({ mailOfAnother: 'merged' });
    expect(await call('PUT', '/v2/user/mail', { mail: 'both@example.com' }, second)).toMatchObject({ status: 401, body: { switchToCode: hash } });
    expect(await get('/v2/user', second)).toMatchObject({ status: 401, body: { switchToCode: hash } });
    expect((await get('/v2/user', await tokenOf(bob))).body).toMatchObject({ mail: 'both@example.com', addresses: [{ address: alice }, { address: bob }] });
  });

  it('approves by itself after a while, and by its page, whose two links are bearer', async () => {
    await start({ autoApproveMs: 1500 });
    const token = await tokenOf();
    const { hash } = (await get('/v2/user', token)).body['kyc'] as { hash: string };
    const pages = [`/kyc?session=${token}`, `/kyc?code=${hash}`, '/kyc?code=guessed'];
    expect(await Promise.all(pages.map(async (page) => (await fetch(`${running.url}${page}`)).status))).toEqual([200, 200, 401]);
    expect(await buy(token)).toEqual(failure(400, 'EmailRequired'));
    clock.move(1500);
    expect((await buy(token)).body['isValid']).toBe(true);
  });

  it('says in order what is missing: in quotes with a user, and in orders', async () => {
    const control = await start();
    const token = await tokenOf();
    const reasonsOf = async (ramp: string, more: Body = {}): Promise<unknown> => {
      const { body } = await call('PUT', `/v1/${ramp}/quote`, { ...euros, amount: ramp === 'buy' ? 100 : 0.0025, ...more }, token);
      return (body['errors'] as { error: string }[]).map(({ error }) => error);
    };
    expect([await reasonsOf('buy'), await buy(token)]).toEqual([['EmailRequired'], failure(400, 'EmailRequired')]);
    await call('PUT', '/v2/user/mail', { mail: 'alice@example.com' }, token);
    expect([await reasonsOf('buy'), await buy(token)]).toEqual([['RecommendationRequired'], failure(400, 'RecommendationRequired')]);
    await control.setAccount(alice, { approved: true });
    expect([await reasonsOf('buy'), await reasonsOf('sell')]).toEqual([[], ['KycDataRequired']]);
    expect((await sell(token)).body).toMatchObject({ isValid: false, error: 'KycDataRequired' });
    await control.setAccount(alice, { dataComplete: true, level: 20 });
    expect((await sell(token)).body['isValid']).toBe(true);
    expect(await reasonsOf('buy', { amount: 1100 })).toEqual(['LimitExceeded']);
    expect(await reasonsOf('sell', { amount: 0.02 })).toEqual(['BankTransactionOrVideoMissing', 'LimitExceeded']);
    await control.setAccount(alice, { level: 50 });
    expect(await reasonsOf('sell', { amount: 0.02 })).toEqual(['BankTransactionOrVideoMissing']);
    await control.setAccount(alice, { transferSeen: true, nationality: 'IR', country: 'KP' });
    expect(await reasonsOf('sell', { amount: 0.02 })).toEqual(['CountryNotAllowed', 'NationalityNotAllowed']);
    control.setOptions({ assets: control.options.assets.map((asset) => ({ ...asset, instantBuyable: true })) });
    await control.setAccount(alice, { nationality: 'CH', country: 'CH' });
    expect(await reasonsOf('buy', { paymentMethod: 'Instant' })).toEqual(['KycRequiredInstant']);
    await control.setAccount(alice, { instantAllowed: true });
    expect(await reasonsOf('buy', { paymentMethod: 'Instant' })).toEqual([]);
    for (const changed of [{ blocked: true }, { blocked: false, level: -10 }]) {
      await control.setAccount(alice, changed);
      expect([await buy(token), await sell(token)]).toEqual([failure(403, 'Forbidden resource'), failure(403, 'Forbidden resource')]);
    }
  });

  it('needs no recommendation with the wallet of a partner that DFX trusts', async () => {
    await start({ wallets: { trusted: { platformBps: 50, autoTradeApproval: true }, plain: { platformBps: 0 } } });
    const tokens = [await tokenOf(alice, { wallet: 'trusted' }), await tokenOf(bob, { wallet: 'plain' })];
    for (const [at, token] of tokens.entries()) await call('PUT', '/v2/user/mail', { mail: `${at}@example.com` }, token);
    expect((await buy(String(tokens[0]))).body).toMatchObject({ isValid: true, fees: { platform: 0.5, total: 1.99 } });
    expect(await buy(String(tokens[1]))).toEqual(failure(400, 'RecommendationRequired'));
  });

  it('needs no approval after a login with the code of another customer', async () => {
    const control = await start({ recommendationCodes: ['FRIEND'] });
    for (const [address, recommendationCode] of [
      [alice, 'FRIEND'],
      [bob, 'GUESS'],
    ] as const)
      await login(address, secretOf('a'), { recommendationCode });
    expect(control.books.accounts.map(({ approved: isApproved }) => isApproved)).toEqual([true, false]);
  });
});

describe('a buy order', () => {
  it('has the sample figures, and a place to pay to', async () => {
    const control = await start();
    const token = await approved(control);
    const { body } = await buy(token, { externalTransactionId: 'ours-1' });
    expect(body).toMatchObject({ amount: 100, estimatedAmount: 0.0012314, exchangeRate: 80_000, rate: 81_210.03, isValid: true, errors: [] });
    expect(body).toMatchObject({ id: 481_207, routeId: 5121, iban: 'LI75088110105923K000E', isPersonalIban: false, exactPrice: false });
    expect(body['uid']).toMatch(/^Q[A-Za-z0-9]{16}$/);
    expect(body['remittanceInfo']).toMatch(/^[A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4}$/);
    expect(Date.parse(String(body['expiryDate'])) - Date.parse(String(body['timestamp']))).toBe(30 * minuteMs);
    expect(String(body['paymentRequest']).split('\n')).toEqual(expect.arrayContaining(['BCD', 'EUR100.00', String(body['remittanceInfo'])]));
    const francs = (await buy(token, { currency: { id: 1 } })).body;
    expect(String(francs['paymentRequest'])).toMatch(/^SPC\n0200\n[\s\S]*\n100\.00\nCHF\n/);
  });

  it('shares its reference with the other orders of the user, and with nobody else', async () => {
    const control = await start();
    const token = await approved(control);
    const [one, two, other] = [(await buy(token)).body, (await buy(token, { amount: 50 })).body, (await buy(await approved(control, bob))).body];
    expect([two['routeId'], two['remittanceInfo']]).toEqual([one['routeId'], one['remittanceInfo']]);
    expect(new Set([one['uid'], two['uid'], other['uid']]).size).toBe(3);
    expect(other['remittanceInfo']).not.toBe(one['remittanceInfo']);
  });

  it('refuses what it cannot do: with 400, or with isValid: false beside the bank details', async () => {
    const control = await start();
    const token = await approved(control);
    expect((await call('PUT', '/v1/buy/paymentInfos', { ...euros, amount: 100 })).status).toBe(401);
    const messages: [Body, unknown][] = [
      [{ currency: { name: 'EUR' } }, [expect.stringContaining('currency.id')]],
      [{ currency: { id: 17 } }, 'CurrencyUnsupported'],
      [{ asset: { blockchain: 'Bitcoin' } }, 'AssetUnsupported'],
      [{ paymentMethod: 'Card' }, 'PaymentMethodNotAllowed'],
      [{ exactPrice: 'yes' }, [expect.stringContaining('exactPrice')]],
    ];
    for (const [more, message] of messages) expect(await buy(token, more)).toEqual(failure(400, message));
    const low = (await buy(token, { amount: 9.99 })).body;
    expect(low).toMatchObject({ isValid: false, error: 'AmountTooLow', errors: [{ limit: 10, limitTarget: 0.000125 }], iban: 'LI75088110105923K000E' });
    expect((await confirm(token, low['id'])).status).toBe(400);
    control.setOptions({ detailsIfInvalid: false });
    expect('iban' in (await buy(token, { amount: 9.99 })).body).toBe(false);
    control.setOptions({ noBank: { currencies: ['EUR'], message: 'No Bank for the given amount/currency' } });
    expect(await buy(token)).toEqual(failure(400, 'No Bank for the given amount/currency'));
    control.setOptions({ noBank: { currencies: [], message: 'NoBankAvailableForThisCurrency' }, refuse: ['KycRequired'] });
    expect((await buy(token)).body).toMatchObject({ isValid: false, error: 'KycRequired' });
    control.setOptions({ refuseOrdersBy: '400' });
    expect(await buy(token)).toEqual(failure(400, 'KycRequired'));
  });

  it('is confirmed once, within 7 days, by its owner', async () => {
    const control = await start();
    const token = await approved(control);
    const [one, two] = [(await buy(token)).body, (await buy(token)).body];
    expect((await confirm(await approved(control, bob), one['id'])).status).toBe(404);
    expect((await single(one['uid'])).body['state']).toBe('Created');
    expect([(await confirm(token, one['id'])).status, (await confirm(token, one['id'])).status]).toEqual([200, 409]);
    expect((await single(one['uid'])).body['state']).toBe('WaitingForPayment');
    clock.move(7 * dayMs + 1000);
    expect((await confirm(await tokenOf(), two['id'])).status).toBe(400);
  });

  it('has no reference with an account number of the customer’s own', async () => {
    const control = await start({ personalIban: true });
    const { body } = await buy(await approved(control));
    expect([body['isPersonalIban'], 'remittanceInfo' in body]).toEqual([true, false]);
  });
});

describe('a sell order', () => {
  it('has the sample figures, an invoice over its amount, and an LNURL for ever', async () => {
    const control = await start();
    const token = await approved(control);
    const { body } = await sell(token);
    expect(body).toMatchObject({
      amount: 0.0025,
      estimatedAmount: 198.02,
      rate: 0.000012625,
      fees: { total: 0.00002475 },
      feesTarget: { total: 1.98 },
      minVolume: 0.000125,
    });
    expect(body['beneficiary']).toEqual({ iban, name: 'Alice Example' });
    expect(String(body['paymentRequest'])).toMatch(/^lnbcrt2500u1/);
    expect(decodeInvoice(String(body['paymentRequest']))).toMatchObject({ amountMsat: 250_000_000n, network: 'regtest', expirySeconds: 3600 });
    const again = (await sell(token, { amount: 0.00123457 })).body;
    expect([again['depositAddress'], again['amount']]).toEqual([body['depositAddress'], 0.0012345]);
    expect(decodeInvoice(String(again['paymentRequest']))?.amountMsat).toBe(123_450_000n);
    const francs = (await sell(token, { currency: { id: 1 }, iban: 'CH9300762011623852957' })).body;
    expect(francs['depositAddress']).not.toBe(body['depositAddress']);
  });

  it('refuses account numbers: bad ones, for francs elsewhere, and of other countries', async () => {
    const control = await start();
    const token = await approved(control);
    expect((await sell(token, { iban: 'DE00' })).status).toBe(400);
    expect(await sell(token, { currency: { id: 1 } })).toEqual(failure(400, expect.stringContaining('CHF transactions are only permitted')));
    const { body } = await sell(token, { iban: 'GB33BUKB20201555555555' });
    expect(body).toMatchObject({ isValid: false, error: 'IbanCurrencyMismatch' });
    expect(['depositAddress' in body, 'paymentRequest' in body]).toEqual([false, false]);
  });

  it('pays out what arrives by the LNURL, from 100 to 100,000,000 sats', async () => {
    const control = await start();
    const token = await approved(control);
    const order = (await sell(token)).body;
    const lnurlId = control.books.routes[0]?.lnurlId ?? '';
    const request = (await get(`/v1/lnurlp/${lnurlId}`)).body;
    expect(request).toMatchObject({ tag: 'payRequest', minSendable: 100_000, maxSendable: 100_000_000_000 });
    expect(order['depositAddress']).toBe(encodeLnurl(`${running.url}/v1/lnurlp/${lnurlId}`));
    expect((await get(`/v1/lnurlp/${lnurlId}/callback?amount=99000`)).body['status']).toBe('ERROR');
    const { pr } = (await get(`/v1/lnurlp/${lnurlId}/callback?amount=249000000`)).body;
    const uid = await control.payInvoice(String(pr));
    await expect(control.payInvoice(String(pr))).rejects.toThrow('can no longer be paid');
    expect((await single(uid, token)).body).toMatchObject({
      orderUid: order['uid'],
      state: 'Created',
      type: 'Sell',
      inputAmount: 0.00249,
      targetAccount: iban,
    });
    expect([await control.step(uid), await control.step(uid)]).toEqual(['Processing', 'PayoutInProgress']);
    expect(await control.deliver(uid)).toBe('Completed');
    expect((await single(order['uid'])).body).toMatchObject({
      inputAsset: 'BTC',
      outputAsset: 'EUR',
      outputAmount: 197.23,
      outputDate: expect.any(String) as unknown,
    });
    const late = (await sell(token)).body;
    clock.move(3600_000);
    await expect(control.payInvoice(String(late['paymentRequest']))).rejects.toThrow('can no longer be paid');
  });
});

describe('which order a payment is for', () => {
  const paidFor = async (control: RunningSimulator['control'], reference: unknown, amount: number): Promise<unknown> => {
    const uid = await control.transfer({ reference: String(reference), amount, currency: 'EUR' });
    return (await single(uid)).body['orderUid'];
  };

  it.each([
    ['exact', 10_000, 0, true],
    ['0.5 % less', 9950, 0, true],
    ['1 % more', 10_100, 0, true],
    ['a cent over 1 % more', 10_101, 0, false],
    ['2 % less', 9800, 0, false],
    ['40 minutes later', 10_000, 40 * minuteMs, true],
    ['7 days later', 10_000, 7 * dayMs - minuteMs, true],
    ['8 days later', 10_000, 8 * dayMs, false],
  ])('%s', async (_how, amount, laterMs, isLinked) => {
    const control = await start();
    const order = await ordered(await approved(control));
    clock.move(laterMs);
    expect(await paidFor(control, order['remittanceInfo'], amount)).toBe(isLinked ? order['uid'] : null);
    const token = await tokenOf();
    expect((await single(order['uid'], token)).body['state']).toBe(isLinked ? 'Created' : 'WaitingForPayment');
    const states = ((await get('/v1/transaction/detail', token)).body as unknown as Body[]).map(({ state, inputAmount }) => [state, inputAmount]);
    expect(states).toEqual([['Created', amount / 100], ...(isLinked ? [] : [['WaitingForPayment', 100]])]);
  });

  it('takes confirmed orders first, there the exact amount, then the newest; never one twice', async () => {
    const control = await start();
    const token = await approved(control);
    const exact = await ordered(token, { amount: 100 });
    const near = await ordered(token, { amount: 100.5 });
    const unconfirmed = (await buy(token, { amount: 100 })).body;
    const newest = (await buy(token, { amount: 99.5 })).body;
    const francs = await ordered(token, { amount: 100, currency: { id: 1 } });
    const found: unknown[] = [];
    for (let payment = 0; payment < 5; payment += 1) found.push(await paidFor(control, exact['remittanceInfo'], 10_000));
    expect(found).toEqual([exact['uid'], near['uid'], newest['uid'], unconfirmed['uid'], null]);
    expect((await single(francs['uid'])).body['state']).toBe('WaitingForPayment');
  });

  it('leaves a transfer with an unknown reference unassigned', async () => {
    const control = await start();
    const order = await ordered(await approved(control));
    const uid = await control.transfer({ reference: 'ZZZZ-ZZZZ-ZZZZ', amount: 10_000, currency: 'EUR' });
    expect([(await single(uid)).body['state'], (await single(order['uid'])).body['state']]).toEqual(['Unassigned', 'WaitingForPayment']);
    expect(await control.deliver(uid)).toBe('Unassigned');
  });
});

describe('the status', () => {
  const reasonsToSell = async (token: string): Promise<unknown> =>
    ((await call('PUT', '/v1/sell/quote', { ...euros, amount: 0.02 }, token)).body['errors'] as Body[]).map(({ error }) => error);

  it('follows the sample from the order to the payout, in public without what is private', async () => {
    const control = await start();
    const token = await approved(control);
    const order = await ordered(token, { externalTransactionId: 'ours-1' });
    const waiting = {
      id: null,
      uid: order['uid'],
      type: 'Buy',
      state: 'WaitingForPayment',
      inputAmount: 100,
      inputAsset: 'EUR',
      outputAsset: 'BTC',
      outputBlockchain: 'Lightning',
    };
    expect((await single(order['uid'])).body).toMatchObject(waiting);
    const uid = await control.pay(String(order['uid']));
    expect([(await single(order['uid'])).body['state'], await control.step(uid), await control.step(uid)]).toEqual([
      'Created',
      'Processing',
      'PayoutInProgress',
    ]);
    expect((await single(order['uid'])).body).toMatchObject({ outputDate: null, outputTxId: null });
    expect(await control.deliver(uid)).toBe('Completed');
    const open = (await single(order['uid'])).body;
    const done = { id: 90_211, uid, orderUid: order['uid'], state: 'Completed', outputAmount: 0.0012314, outputDate: expect.any(String) as unknown };
    expect(open).toMatchObject({ ...done, outputTxId: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown });
    expect(['feeAmount' in open, 'externalTransactionId' in open]).toEqual([false, false]);
    expect((await single(order['uid'], token)).body).toMatchObject({ ...done, feeAmount: 1.49, externalTransactionId: 'ours-1' });
    expect(control.books.payouts).toMatchObject([{ address: alice, sats: 123_137 }]);
    control.setOptions({ output: 'exact' });
    expect((await single(order['uid'])).body['outputAmount']).toBe(0.00123137);
  });

  it('finds by four names, never by the external id, and in detail only for the owner', async () => {
    const control = await start();
    const token = await approved(control);
    const order = await ordered(token, { externalTransactionId: 'ours-1' });
    await control.pay(String(order['uid']));
    const { id, uid } = (await single(order['uid'])).body;
    const detail = async (query: string, by = token): Promise<number> => (await get(`/v1/transaction/detail/single?${query}`, by)).status;
    const names = [`id=${String(id)}`, `uid=${String(uid)}`, `order-id=${String(order['id'])}`, `order-uid=${String(order['uid'])}`];
    for (const name of names) expect([await detail(name), await detail(name, await tokenOf(bob))]).toEqual([200, 404]);
    expect([await detail('external-id=ours-1'), (await get('/v1/transaction/single?external-id=ours-1', token)).status]).toEqual([404, 404]);
    expect((await get('/v1/transaction/detail')).status).toBe(401);
  });

  it('says Completed for a moment before the transaction is booked', async () => {
    const control = await start({ unbookedReads: 1 });
    const order = await ordered(await approved(control));
    await control.pay(String(order['uid']));
    const first = (await single(order['uid'])).body;
    expect([first['state'], first['id'], 'outputDate' in first]).toEqual(['Completed', null, false]);
    expect((await single(order['uid'])).body).toMatchObject({ id: 90_211, state: 'Created' });
  });

  it('holds, masks, releases, gives back and fails', async () => {
    const control = await start();
    const token = await approved(control);
    expect(await reasonsToSell(token)).toEqual(['BankTransactionOrVideoMissing']);
    const order = await ordered(token);
    const uid = await control.pay(String(order['uid']));
    const both = async (): Promise<unknown[]> => [(await single(uid)).body, (await single(uid, token)).body].flatMap(({ state, reason }) => [state, reason]);
    await control.hold(uid, 'KycRequired', 'NameMissing');
    expect(await both()).toEqual(['CheckPending', null, 'KycRequired', 'NameMissing']);
    expect(await control.deliver(uid)).toBe('KycRequired');
    await control.hold(uid, 'LimitExceeded');
    expect(await both()).toEqual(['LimitExceeded', null, 'LimitExceeded', null]);
    await control.release(uid);
    expect((await single(uid)).body['state']).toBe('Created');
    expect(await reasonsToSell(token)).toEqual([]);
    await control.setState(uid, 'Failed');
    expect((await single(uid)).body).toMatchObject({ state: 'Failed', chargebackTxId: null });
    await control.giveBack(uid);
    expect((await single(uid)).body).toMatchObject({ state: 'ReturnPending', chargebackAmount: null });
    await control.giveBack(uid);
    expect((await single(uid)).body).toMatchObject({ state: 'Returned', chargebackAmount: 100, chargebackDate: expect.any(String) as unknown });
  });

  it('forgets an unpaid order after 90 days, and no other', async () => {
    const control = await start();
    const token = await approved(control);
    const [paid, unpaid] = [await ordered(token), await ordered(token)];
    await control.pay(String(paid['uid']));
    await control.pay(String(paid['uid']));
    const kept = await ordered(token);
    clock.move(90 * dayMs - minuteMs);
    expect((await single(kept['uid'])).status).toBe(200);
    clock.move(minuteMs);
    expect((await single(kept['uid'])).status).toBe(404);
    expect([(await single(paid['uid'])).status, (await single(unpaid['uid'])).status]).toEqual([200, 200]);
  });

  it('counts what was traded in 30 days', async () => {
    const control = await start();
    const token = await approved(control);
    await control.setAccount(alice, { level: 20 });
    const order = await ordered(token, { amount: 1000 });
    await control.pay(String(order['uid']));
    expect((await get('/v2/user', token)).body['tradingLimit']).toEqual({ limit: 1000, remaining: 71.25, period: 'Month' });
    expect((await buy(token)).body).toMatchObject({ isValid: false, error: 'LimitExceeded' });
    clock.move(30 * dayMs);
    expect((await buy(await tokenOf())).body['isValid']).toBe(true);
  });
});

describe('the payout', () => {
  const paid = async (control: RunningSimulator['control'], laterMs = 0): Promise<{ state: string; row: Body }> => {
    const order = await ordered(await approved(control));
    const uid = await control.pay(String(order['uid']));
    control.setPrice('EUR', 8_500_000);
    clock.move(laterMs);
    return { state: await control.deliver(uid), row: (await single(uid)).body };
  };

  it.each([
    ['takes the fee twice within 30 minutes of the order', { guaranteedPrice: true }, 0, 0.001213],
    ['has the price of the day afterwards', { guaranteedPrice: true }, 31 * minuteMs, 0.0011589],
    ['has the price of the day if no price is guaranteed', {}, 0, 0.0011589],
  ])('%s', async (_what, options, laterMs, outputAmount) => {
    expect((await paid(await start(options), laterMs)).row['outputAmount']).toBe(outputAmount);
  });

  it.each([
    ['routing-error', 'Completed', 2],
    ['below-minimum', 'Failed', 1],
    ['unclear', 'Stopped', 1],
  ] as const)('meets %s: %s', async (payout, state, tries) => {
    const control = await start({ payout });
    expect((await paid(control)).state).toBe(state);
    expect(control.books.transactions[0]?.payoutTries).toBe(tries);
  });

  it('asks an LNURL on loopback for an invoice over the exact sats, and fails below its minimum', async () => {
    const asked: string[] = [];
    let least = 1000;
    const server = createServer((request, response) => {
      const amount = new URL(request.url ?? '', 'http://wallet').searchParams.get('amount');
      asked.push(amount ?? 'terms');
      const { port } = server.address() as AddressInfo;
      const terms = { tag: 'payRequest', callback: `http://127.0.0.1:${port}/pay`, minSendable: least, maxSendable: 1e12, metadata: '[]' };
      const made = {
        timestamp: Math.floor(Date.now() / 1000),
        paymentHash: 'ab'.repeat(32),
        paymentSecret: 'cd'.repeat(32),
        description: '',
        payeePrivateKey: nodeKey,
      };
      const pr = amount === null ? '' : encodeInvoice({ network: 'regtest', amountMsat: BigInt(amount), ...made });
      response.end(JSON.stringify(amount === null ? terms : { pr, routes: [] }));
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    closing.push(async () => await new Promise((done) => void server.close(() => done())));
    const address = encodeLnurl(`http://127.0.0.1:${(server.address() as AddressInfo).port}/lnurlp/alice`);
    const control = await start();
    const token = await approved(control, address);
    const uids = [await ordered(token), await ordered(token, { amount: 50 })].map(({ uid }) => String(uid));
    for (const uid of uids) await control.pay(uid);
    expect(await control.deliver(uids[0] ?? '')).toBe('Completed');
    expect((await single(uids[0])).body['outputTxId']).toBe('ab'.repeat(32));
    expect(asked).toEqual(['terms', '123137000']);
    least = 1e9;
    expect(await control.deliver(uids[1] ?? '')).toBe('Failed');

    const { body } = await get(`/v1/auth/signMessage?address=${address}`);
    least = 1000;
    expect((await login(address, signNodeMessage(String(body['message']), nodeKey))).status).toBe(201);
    expect((await login(address, signNodeMessage(String(body['message']), '33'.repeat(32)))).status).toBe(401);
  });

  it('does all of it by itself, as the sandbox needs it, in both directions', async () => {
    const control = await start({ autoPayMs: 3 * minuteMs, stepMs: minuteMs });
    const token = await approved(control);
    const [bought, sold] = [await ordered(token), (await sell(token)).body];
    for (const [ms, states] of [
      [0, ['WaitingForPayment', 'Created']],
      [3 * minuteMs, ['Created', 'Created']],
      [minuteMs, ['Processing', 'Processing']],
      [minuteMs, ['PayoutInProgress', 'PayoutInProgress']],
      [minuteMs, ['Completed', 'Completed']],
    ] as const) {
      clock.move(ms);
      expect([(await single(bought['uid'])).body['state'], (await single(sold['uid'])).body['state']]).toEqual(states);
    }
    expect(control.books.transactions).toHaveLength(2);
  });

  it('goes on by itself after a hold, and no faster', async () => {
    const control = await start({ stepMs: minuteMs });
    const uid = await control.pay(String((await ordered(await approved(control)))['uid']));
    const stateAfter = async (ms: number): Promise<unknown> => {
      clock.move(ms);
      return (await single(uid)).body['state'];
    };
    await control.hold(uid, 'CheckPending');
    expect(await stateAfter(5 * minuteMs)).toBe('CheckPending');
    await control.release(uid);
    expect(await stateAfter(minuteMs * 0.8)).toBe('Created');
    await control.hold(uid, 'FeeTooHigh');
    await control.release(uid);
    const states: unknown[] = [];
    for (let minute = 0; minute < 4; minute += 1) states.push(await stateAfter(minuteMs / 2), await stateAfter(minuteMs / 2));
    expect(states).toEqual(['Created', 'Processing', 'Processing', 'PayoutInProgress', 'PayoutInProgress', 'Completed', 'Completed', 'Completed']);
  });

  it('is steered over HTTP, too', async () => {
    const control = await start();
    const order = await ordered(await approved(control));
    const command = async (name: string, ...args: unknown[]): Promise<Answer> => await call('POST', '/__control', { do: name, args });
    const { result } = (await command('pay', order['uid'])).body;
    expect(await command('deliver', result)).toMatchObject({ status: 200, body: { result: 'Completed', transactions: [{ uid: result, state: 'Completed' }] } });
    expect(await command('pay', 'Q-nobody')).toEqual(failure(400, 'no order Q-nobody'));
    expect(JSON.stringify((await command('look')).body)).not.toContain('Bearer');
  });
});

describe('webhooks', () => {
  const withPartner = async (webhooks: SimulatorOptions['webhooks'] = 'sent') => {
    const receiver = await startWebhookReceiver();
    closing.push(receiver.close);
    const control = await start({ webhooks, wallets: { gateway: { platformBps: 0, apiUrl: `${receiver.url}/dfx`, apiKey: 'static-key' } } });
    const token = await approved(control, alice, { wallet: 'gateway' });
    const order = await ordered(token);
    return { control, order, receiver, payments: () => receiver.received.filter(({ body }) => body.includes('"Payment"')) };
  };

  it('tell of each state of a payment once, with a static key, and of identity', async () => {
    const { control, order, receiver, payments } = await withPartner();
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({ id: alice, accountId: 30_119, type: 'KycChanged', data: { name: 'Alice Example' } });
    const uid = await control.pay(String(order['uid']));
    await control.setState(uid, 'Created');
    await control.deliver(uid);
    const bodies = payments().map(({ body }) => JSON.parse(body) as { type: string; data: Body });
    expect(bodies.map(({ data }) => data['state'])).toEqual(['Created', 'Processing', 'PayoutInProgress', 'Completed']);
    expect(bodies[3]).toMatchObject({ id: alice, type: 'Payment', reason: null, data: { orderUid: order['uid'], feeAmount: 1.49, dfxReference: 90_211 } });
    expect(payments()[0]?.headers).toMatchObject({ 'x-api-key': 'static-key' });
  });

  it.each([
    ['wrong-key', ['another-key']],
    ['no-key', [undefined]],
    ['duplicated', ['static-key', 'static-key']],
    ['missing', []],
  ] as const)('%s', async (style, keys) => {
    const { control, order, payments } = await withPartner(style);
    await control.pay(String(order['uid']));
    expect(payments().map(({ headers }) => headers['x-api-key'])).toEqual(keys);
  });

  it('are tried three times, 5 s apart, and then no more', async () => {
    const { control, order, receiver, payments } = await withPartner();
    receiver.respond(500);
    await control.pay(String(order['uid']));
    for (const sofar of [1, 2, 3, 3]) {
      expect(payments()).toHaveLength(sofar);
      clock.move(5000);
      await control.catchUp();
    }
    expect(new Set(payments().map(({ body }) => body)).size).toBe(1);
    await control.forge(`${receiver.url}/dfx`, { type: 'Payment' }, 'guessed');
    expect(payments().at(-1)).toMatchObject({ path: '/dfx', body: '{"type":"Payment"}', headers: { 'x-api-key': 'guessed' } });
  });
});

describe('lies', () => {
  const lying = async (fault: Parameters<RunningSimulator['control']['setFault']>[0]['fault']) => {
    const control = await start();
    const token = await approved(control);
    await buy(await approved(control, bob));
    const truth = await ordered(token);
    control.setFault({ endpoint: '*', fault, times: 1 });
    return { control, token, truth };
  };

  it.each([
    ['other-amount', { amount: 200 }],
    ['other-estimate', { estimatedAmount: 0.0024628 }],
    ['bad-iban', { iban: 'LI75088110105923K000X' }],
    ['unknown-member', { somethingNew: {} }],
  ] as const)('a buy order: %s', async (fault, said) => {
    const { token } = await lying(fault);
    expect((await buy(token)).body).toMatchObject(said);
    expect((await buy(token)).body).not.toMatchObject(said);
  });

  it('a buy order with the uid of another customer’s, without details, with 4 MB more, or lost', async () => {
    const { control, token } = await lying('foreign-uid');
    expect((await buy(token)).body['uid']).toBe(control.books.orders[0]?.uid);
    control.setFault({ endpoint: 'PUT /v1/buy/paymentInfos', fault: 'no-details', times: 1 });
    expect('iban' in (await buy(token)).body).toBe(false);
    control.setFault({ endpoint: 'PUT /v1/buy/paymentInfos', fault: 'oversized', times: 1 });
    expect(String((await buy(token)).body['padding'])).toHaveLength(4_000_000);
    const before = control.books.orders.length;
    control.setFault({ endpoint: 'PUT /v1/buy/paymentInfos', fault: 'lost-answer', times: 1 });
    await expect(buy(token)).rejects.toThrow('fetch failed');
    expect(control.books.orders).toHaveLength(before + 1);
    control.setFault({ endpoint: 'PUT /v1/buy/paymentInfos', fault: 'unauthorized', times: 1 });
    expect((await buy(token)).status).toBe(401);
  });

  it.each([
    ['invoice-amount', { amountMsat: 250_001_000n }],
    ['other-network', { network: 'main' }],
  ] as const)('a sell order: %s', async (fault, said) => {
    const { token } = await lying(fault);
    expect(decodeInvoice(String((await sell(token)).body['paymentRequest']))).toMatchObject(said);
  });

  it.each([
    ['other-uid', { uid: 'QAnotherCustomer1' }],
    ['other-input', { inputAmount: 200 }],
    ['other-currency', { inputAsset: 'USD' }],
    ['unknown-state', { state: 'SwapInProgress' }],
    ['absurd-output', { outputAmount: 1e21 }],
  ] as const)('a status: %s', async (fault, said) => {
    const { truth } = await lying(fault);
    expect((await single(truth['uid'])).body).toMatchObject(said);
    expect((await single(truth['uid'])).body).not.toMatchObject(said);
  });
});
