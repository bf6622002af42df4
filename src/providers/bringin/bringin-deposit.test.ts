import { describe, expect, test } from 'vitest';
import { encodeInvoice, type NewInvoice } from '../../bitcoin/bolt11.ts';
import { encodeLnurl } from '../../bitcoin/lnurl.ts';
import { depositForm, judgeDeposit, judgeInvoice, judgeOnchain, readLightningAddress, wellKnownUrl } from './bringin-deposit.ts';

const hosts = ['bringin.xyz', '127.0.0.1:8080'];
const wanted = { network: 'regtest', sats: 250_000n } as const;
const made = 1_795_255_200;
const invoice = (more: Partial<NewInvoice> = {}): string =>
  encodeInvoice({
    network: 'regtest',
    amountMsat: 250_000_000n,
    timestamp: made,
    expirySeconds: 900,
    paymentHash: '01'.repeat(32),
    paymentSecret: '02'.repeat(32),
    description: 'x',
    payeePrivateKey: '11'.repeat(32),
    ...more,
  });
const address = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const lnurl = encodeLnurl('https://bringin.xyz/.well-known/lnurlp/alice');

test('the form of a deposit address is read from its text', () => {
  expect(
    [
      `alice@bringin.xyz`,
      lnurl,
      lnurl.toLowerCase(),
      `lightning:${lnurl}`,
      invoice(),
      'lntb1x',
      'LNBC1x',
      address,
      'bc1qx',
      '3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy',
    ].map(depositForm),
  ).toEqual(['lightning_address', 'lnurl', 'lnurl', 'lnurl', 'invoice', 'invoice', 'invoice', 'onchain', 'onchain', 'onchain']);
});

describe('a Lightning address', () => {
  test.each([
    ['alice@bringin.xyz', { user: 'alice', host: 'bringin.xyz' }],
    ['alice_sepa.1@BRINGIN.xyz', { user: 'alice_sepa.1', host: 'bringin.xyz' }],
    ['alice@127.0.0.1:8080', { user: 'alice', host: '127.0.0.1:8080' }],
    ['alice@evil.example', undefined],
    ['alice@bringin.xyz.evil.example', undefined],
    ['alice@sub.bringin.xyz', undefined],
    ['alice@bringin.xyz/x', undefined],
    ['a@b@bringin.xyz', undefined],
    ['@bringin.xyz', undefined],
    ['alice bob@bringin.xyz', undefined],
  ])('%s', (text, expected) => {
    expect(readLightningAddress(text, hosts)).toEqual(expected);
  });
  test('its metadata is read at its own host, or where the setting says', () => {
    expect(wellKnownUrl({ user: 'a/b', host: 'bringin.xyz' }, {})).toBe('https://bringin.xyz/.well-known/lnurlp/a%2Fb');
    expect(wellKnownUrl({ user: 'alice', host: 'bringin.xyz' }, { lightning_base_url: 'http://127.0.0.1:1' })).toBe(
      'http://127.0.0.1:1/.well-known/lnurlp/alice',
    );
  });
});

describe('an invoice', () => {
  const exact = { ...wanted, expiresOn: (made + 900) * 1000, toleranceS: 1, exactAmount: true };
  const good = { paymentInfo: { kind: 'invoice', value: invoice(), amountSats: 250_000n }, expiresOn: (made + 900) * 1000 };
  test('an invoice that agrees with its order', () => {
    expect(judgeInvoice(invoice(), exact)).toEqual(good);
    expect(judgeInvoice(invoice(), { ...exact, expiresOn: exact.expiresOn + 1000 })).toEqual(good);
  });
  test.each([
    ['no text', '', 'the invoice cannot be read'],
    ['not an invoice', 'lnbcrt1nonsense', 'the invoice cannot be read'],
    ['a broken checksum', `${invoice().slice(0, -1)}${invoice().endsWith('q') ? 'p' : 'q'}`, 'the invoice cannot be read'],
    ['main network', invoice({ network: 'main' }), 'the invoice is for another network'],
    ['one sat more', invoice({ amountMsat: 250_001_000n }), 'the invoice is for another amount'],
    ['a millisat more', invoice({ amountMsat: 250_000_001n }), 'the invoice is for another amount'],
    ['two seconds later', invoice({ expirySeconds: 902 }), 'the invoice and its order expire at different times'],
    ['an hour earlier', invoice({ timestamp: made - 3600 }), 'the invoice and its order expire at different times'],
  ])('%s', (_name, text, problem) => {
    expect(judgeInvoice(text, exact)).toEqual({ problem });
  });
  test('an invoice without an amount is accepted only if no exact amount was ordered', () => {
    const { amountMsat: _none, ...open } = {
      network: 'regtest',
      amountMsat: 1n,
      timestamp: made,
      expirySeconds: 900,
      paymentHash: '01'.repeat(32),
      paymentSecret: '02'.repeat(32),
      description: 'x',
      payeePrivateKey: '11'.repeat(32),
    } as const;
    const text = encodeInvoice(open);
    expect(judgeInvoice(text, exact)).toEqual({ problem: 'the invoice is for another amount' });
    expect(judgeInvoice(text, wanted)).toEqual({ paymentInfo: { kind: 'invoice', value: text, amountSats: 250_000n }, expiresOn: (made + 900) * 1000 });
  });
});

test('an address on chain belongs to the network, and comes with its BIP21', () => {
  expect(judgeOnchain(address, wanted)).toEqual({
    paymentInfo: { kind: 'onchain', value: address, amountSats: 250_000n, bip21: `bitcoin:${address}?amount=0.0025` },
  });
  expect(['', 'nonsense', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', `${address}x`].map((text) => judgeOnchain(text, wanted))).toEqual(
    Array(4).fill({ problem: 'the address is not on this network' }),
  );
});

const trusted = { hosts, loopbackHttp: false };
test('each form of a deposit is judged by its own rules', () => {
  expect(judgeDeposit('alice@bringin.xyz', wanted, trusted)).toEqual({
    paymentInfo: { kind: 'lightning_address', value: 'alice@bringin.xyz', amountSats: 250_000n },
  });
  expect(judgeDeposit('alice@evil.example', wanted, trusted)).toEqual({ problem: 'the Lightning address is at another host' });
  expect(judgeDeposit(lnurl, wanted, trusted)).toEqual({ paymentInfo: { kind: 'lnurl', value: lnurl, amountSats: 250_000n } });
  expect(judgeDeposit(encodeLnurl('https://evil.example/bringin.xyz'), wanted, trusted)).toEqual({ problem: 'the LNURL is at another host' });
  expect(judgeDeposit('lnurl1broken', wanted, trusted)).toEqual({ problem: 'the LNURL is at another host' });
  expect(judgeDeposit(invoice(), wanted, trusted)).toMatchObject({ paymentInfo: { kind: 'invoice' } });
  expect(judgeDeposit(address, wanted, trusted)).toMatchObject({ paymentInfo: { kind: 'onchain' } });
});

test('what is handed out is canonical, however it was written', () => {
  const value = (text: string): string | undefined => {
    const judged = judgeDeposit(text, wanted, trusted);
    return 'paymentInfo' in judged && 'value' in judged.paymentInfo ? judged.paymentInfo.value : undefined;
  };
  const bare = invoice();
  for (const written of [lnurl, lnurl.toLowerCase(), `lightning:${lnurl}`, `LIGHTNING:${lnurl}`, `lightning://${lnurl.toLowerCase()}`, ` ${lnurl}\r\n`])
    expect([written, value(written)]).toEqual([written, lnurl]);
  for (const written of ['alice@bringin.xyz', 'alice@BRINGIN.xyz', 'lightning:alice@bringin.xyz\n'])
    expect([written, value(written)]).toEqual([written, 'alice@bringin.xyz']);
  for (const written of [bare, `lightning:${bare}`, `lightning://${bare}`, `${bare}\n`]) expect([written, value(written)]).toEqual([written, bare]);
  expect(value(encodeLnurl('http://127.0.0.1:1/.well-known/lnurlp/alice'))).toBeUndefined();
  expect(judgeDeposit(encodeLnurl('https://bringin.xyz/w?tag=withdrawRequest'), wanted, trusted)).toEqual({ problem: 'the LNURL is not for payments' });
});
