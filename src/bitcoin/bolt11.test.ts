import { bech32 } from '@scure/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import vectors from './__fixtures__/bolt11.json' with { type: 'json' };
import type { BitcoinNetwork } from './address.ts';
import { decodeInvoice, encodeInvoice, type NewInvoice } from './bolt11.ts';
import { publicKeyOf } from './secp256k1.ts';

const NETWORKS: Record<string, BitcoinNetwork> = { bc: 'main', tb: 'test', tbs: 'signet', bcrt: 'regtest' };
const SAMPLE: NewInvoice = {
  network: 'main',
  amountMsat: 250_000_000n,
  timestamp: 1_795_257_904,
  expirySeconds: 900,
  paymentHash: '01'.repeat(32),
  paymentSecret: '02'.repeat(32),
  description: 'Größe ✓',
  minFinalCltv: 40,
  payeePrivateKey: '11'.repeat(32),
};

type Row = Record<'network' | 'payment_hash' | 'payee' | 'invoice', string> &
  Record<'payment_secret' | 'description' | 'description_hash', string | null> & { timestamp: number; amount_msat: number | null; expiry: number | null };

/** Turns null into undefined, which toEqual treats like an absent member. */
const facts = (row: Row) => ({
  network: NETWORKS[row.network],
  amountMsat: row.amount_msat === null ? undefined : BigInt(row.amount_msat),
  timestamp: row.timestamp,
  expirySeconds: row.expiry ?? 3600,
  paymentHash: row.payment_hash,
  paymentSecret: row.payment_secret ?? undefined,
  description: row.description ?? undefined,
  descriptionHash: row.description_hash ?? undefined,
  payee: row.payee,
});

test.each([...vectors.valid, ...vectors.more_valid])('$id decodes', (row) => {
  expect({ ...decodeInvoice(row.invoice), features: undefined, minFinalCltv: undefined }).toEqual(facts(row));
});

test.each(vectors.old_without_secret)('$id decodes only where a missing secret is allowed', (row) => {
  expect(decodeInvoice(row.invoice)).toBeUndefined();
  expect(decodeInvoice(row.invoice, { allowMissingSecret: true })).toEqual({ ...facts(row), minFinalCltv: row.min_final_cltv, features: [] });
});

test.each(vectors.invalid)('$id is refused: $reason', ({ id, invoice }) => {
  expect(decodeInvoice(invoice)).toBeUndefined();
  expect(decodeInvoice(invoice, { allowMissingSecret: true }) === undefined).toBe(id !== 'missing-payment-secret');
});

test('returns the feature bits', () => {
  const bits = (id: string) => decodeInvoice(vectors.valid.find((row) => row.id === id)!.invoice)?.features;
  expect([bits('donation'), bits('beans-features'), bits('metadata')]).toEqual([
    [8, 14],
    [8, 14, 99],
    [8, 14, 48],
  ]);
});

describe('encodeInvoice', () => {
  const payee = publicKeyOf(SAMPLE.payeePrivateKey);

  test('round trip, payee recovered or named', () => {
    const { payeePrivateKey: _, ...told } = SAMPLE;
    expect(decodeInvoice(encodeInvoice(SAMPLE))).toEqual({ ...told, payee, features: [8, 14] });
    expect(decodeInvoice(encodeInvoice({ ...SAMPLE, namePayee: true }))).toEqual({ ...told, payee, features: [8, 14] });
  });

  test('the published example comes out letter for letter', () => {
    const row = vectors.valid.find(({ id }) => id === 'donation')!;
    // This private key is published in BOLT11.
    const payeePrivateKey = 'e126f68f7eafcc8b74f54d269fe206be715000f94dac067d1c04a8ca3b2db734';
    const { timestamp, payment_hash: paymentHash, payment_secret: paymentSecret } = row;
    expect(encodeInvoice({ network: 'main', timestamp, paymentHash, paymentSecret, description: row.description ?? '', payeePrivateKey })).toBe(row.invoice);
  });

  test.each([
    [100_000_000_000n, 'lnbc1'],
    [2_000_000_000n, 'lnbc20m'],
    [250_000_000n, 'lnbc2500u'],
    [78_498_000n, 'lnbc784980n'],
    [1n, 'lnbc10p'],
    [967_878_534n, 'lnbc9678785340p'],
  ])('%d msat is written %s', (amountMsat, prefix) => {
    const invoice = encodeInvoice({ ...SAMPLE, amountMsat });
    expect(invoice.slice(0, invoice.lastIndexOf('1'))).toBe(prefix);
  });

  test('any network, amount, text and time comes back', () => {
    const invoices = fc.record({
      network: fc.constantFrom<BitcoinNetwork>('main', 'test', 'signet', 'regtest'),
      amountMsat: fc.bigInt(1n, 2_100_000_000_000_000_000n / 1000n),
      timestamp: fc.nat(2 ** 31 - 1),
      expirySeconds: fc.nat(365 * 86_400),
      description: fc.string({ unit: 'grapheme', maxLength: 100 }),
      namePayee: fc.boolean(),
    });
    const roundTrip = fc.property(invoices, ({ namePayee, ...told }) => {
      expect(decodeInvoice(encodeInvoice({ ...SAMPLE, ...told, namePayee }))).toMatchObject({ ...told, payee });
    });
    fc.assert(roundTrip, { numRuns: 30 });
  });
});

describe('forged or broken', () => {
  const NAMED = { ...SAMPLE, namePayee: true };
  const { expirySeconds: _, ...WITHOUT_EXPIRY } = SAMPLE;
  /** Changes the words of an invoice and makes a valid checksum: a forger can do that without the key. */
  function forge(change: (words: number[]) => void, prefix?: string, invoice: NewInvoice = NAMED): string {
    const { prefix: own, words } = bech32.decode(encodeInvoice(invoice), false);
    change(words);
    return bech32.encode(prefix ?? own, words, false);
  }
  /** Inserts words in front of the signature and decodes the invoice. The changed invoice names no payee, so decoding recovers another payee. */
  const insert = (...added: number[]) => decodeInvoice(forge((words) => words.splice(-104, 0, ...added), undefined, WITHOUT_EXPIRY));
  const untouched = (): void => undefined;

  test('a changed amount, time or field breaks the signature of a named payee', () => {
    expect(decodeInvoice(forge(untouched))).toBeDefined();
    expect(decodeInvoice(forge(untouched, 'lnbc2501u'))).toBeUndefined();
    expect(decodeInvoice(forge((words) => (words[6] = (words[6] ?? 0) ^ 1)))).toBeUndefined();
    expect(decodeInvoice(forge((words) => (words[20] = (words[20] ?? 0) ^ 1)))).toBeUndefined();
  });

  test('and gives another payee where the invoice names none', () => {
    const payee = decodeInvoice(forge(untouched, 'lnbc2501u', SAMPLE))?.payee;
    expect(payee).toMatch(/^0[23][0-9a-f]{64}$/);
    expect(payee).not.toBe(publicKeyOf(SAMPLE.payeePrivateKey));
  });

  test('prefixes: unknown network, leading zero, unknown multiplier, another coin', () => {
    const prefixes = ['lnxx1u', 'lnbc01u', 'lnbc0u', 'lnbc1x', 'lnbc1uu', 'bc1u', 'lnltc1u', 'lnbcu', 'lnbc1234567890123456789'];
    expect(prefixes.map((prefix) => decodeInvoice(forge(untouched, prefix, SAMPLE)))).toEqual(prefixes.map(() => undefined));
  });

  test('a field that runs over the end', () => {
    // The features are the last field: type, two words of length, three words, then the 104 of the signature.
    expect(decodeInvoice(forge((words) => (words[words.length - 104 - 4] = 4), undefined, SAMPLE))).toBeUndefined();
  });

  test('a recovery id above 3, no text', () => {
    expect(decodeInvoice(forge((words) => (words[words.length - 1] = 4), undefined, SAMPLE))).toBeUndefined();
    expect(decodeInvoice('')).toBeUndefined();
  });

  test('left-over bits in a hash, a description that is not UTF-8', () => {
    // The timestamp has 7 words, the secret 3 + 52, the hash 3 + 52, and the description 3 + its text.
    expect(decodeInvoice(forge((words) => (words[116] = 1), undefined, SAMPLE))).toBeUndefined();
    expect(decodeInvoice(forge((words) => words.splice(120, 2, 31, 31), undefined, SAMPLE))).toBeUndefined();
  });

  test('of a repeated field the first counts', () => {
    expect(insert(13, 0, 2, 0, 0)?.description).toBe('Größe ✓');
  });

  test('an expiry of any length is at most a year, so that its end is a date', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(31), { minLength: 1, maxLength: 60 }), (words) => {
        const told = words.reduce((value, word) => value * 32n + BigInt(word), 0n);
        const invoice = insert(6, words.length >> 5, words.length & 31, ...words);
        expect(invoice?.expirySeconds).toBe(told > 31_536_000n ? 31_536_000 : Number(told));
        expect(() => new Date(((invoice?.timestamp ?? 0) + (invoice?.expirySeconds ?? 0)) * 1000).toISOString()).not.toThrow();
      }),
      { numRuns: 50 },
    );
  });

  test('unknown fields are skipped, up to 4,296 characters in all', () => {
    const unknown = [22, 31, 31, ...Array<number>(1023).fill(0)];
    expect(insert(...unknown, ...unknown, ...unknown)?.paymentHash).toBe(SAMPLE.paymentHash);
    expect(insert(...unknown, ...unknown, ...unknown, ...unknown)).toBeUndefined();
  });

  test('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => decodeInvoice(text) === undefined));
    fc.assert(
      fc.property(fc.array(fc.nat(31), { minLength: 100, maxLength: 200 }), (words) => decodeInvoice(bech32.encode('lnbc', words, false)) === undefined),
    );
  });
});
