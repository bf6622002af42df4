import { describe, expect, it, vi } from 'vitest';
import { constantTimeEqual, createNoticeTokens, sha256Hex } from './hash.ts';
import { createSeal } from './seal.ts';

const key = (n: number) => new Uint8Array(32).fill(n);
const place = { table: 'orders', row: 'a', field: 'payment_info' };

describe('seal', () => {
  it('opens what it sealed, in its place and nowhere else', async () => {
    const seal = createSeal([{ id: 'k1', key: key(1) }]);
    const sealed = await seal.seal('DE89 3704', place);
    expect(sealed).toMatch(/^v1\.k1\.[\w-]{54}\.[\w-]{16}\.[\w-]+$/);
    expect(sealed).not.toContain('3704');
    expect(await seal.open(sealed, place)).toBe('DE89 3704');
    for (const other of [
      { ...place, row: 'b' },
      { ...place, field: 'secret' },
      { ...place, table: 'claims' },
    ])
      await expect(seal.open(sealed, other)).rejects.toThrow('moved or changed');
    await expect(createSeal([{ id: 'k1', key: key(2) }]).open(sealed, place)).rejects.toThrow('operation failed');
  });

  it('takes at least one key, each of 32 bytes and with a plain id', () => {
    expect(() => createSeal([])).toThrow('no sealing key');
    for (const bad of [
      { id: 'k1', key: key(1).slice(1) },
      { id: 'k.1', key: key(1) },
      { id: '', key: key(1) },
      { id: 'k'.repeat(33), key: key(1) },
    ])
      expect(() => createSeal([{ id: 'good', key: key(2) }, bad])).toThrow(
        `the sealing key "${bad.id}" must have 32 bytes, and an id of 1 to 32 letters, digits, _ or -`,
      );
    expect(createSeal([{ id: 'k'.repeat(32), key: key(1) }]).isOld('v1.k1.a.b.c')).toBe(true);
  });

  it('refuses a value of any other form', async () => {
    const seal = createSeal([{ id: 'k1', key: key(1) }]);
    const sealed = await seal.seal('x', place);
    const parts = sealed.split('.');
    const others = [`v2${sealed.slice(2)}`, `${sealed}.more`, '', ...[1, 2, 3, 4].map((n) => parts.slice(0, n).join('.'))];
    for (const other of others) {
      expect(() => seal.isOld(other)).toThrow('not a sealed value');
      await expect(seal.open(other, place)).rejects.toThrow('not a sealed value');
    }
  });

  it('caches what it opened by ciphertext and place, up to a limit', async () => {
    const seal = createSeal([{ id: 'k1', key: key(1) }], 1_000_000);
    const sealed = await seal.seal('first', place);
    const decrypt = vi.spyOn(crypto.subtle, 'decrypt');
    try {
      for (let n = 0; n < 3; n += 1) expect(await seal.open(sealed, place)).toBe('first');
      expect(decrypt).toHaveBeenCalledTimes(1);
      for (let n = 0; n < 4096; n += 1) {
        const other = { ...place, row: String(n) };
        await seal.open(await seal.seal('other', other), other);
      }
      expect(await seal.open(sealed, place)).toBe('first');
      expect(decrypt).toHaveBeenCalledTimes(1 + 4096 + 1);
    } finally {
      decrypt.mockRestore();
    }
  });

  describe('counts both forms of a kept value, and 200 characters more for each', () => {
    const valueOf = (row: string): string => `secret of ${row}`;
    /** Opens the rows in turn, under a limit that `limitFor` computes from the size of one entry. Returns which rows are still kept. */
    const keptAfter = async (rows: string[], limitFor: (one: number) => number): Promise<string[]> => {
      const sealing = createSeal([{ id: 'k1', key: key(1) }]);
      const sealed = new Map<string, string>();
      const one = (await sealing.seal(valueOf('a'), place)).length + valueOf('a').length + 200;
      const seal = createSeal([{ id: 'k1', key: key(1) }], limitFor(one));
      for (const row of rows) {
        const value = await sealing.seal(valueOf(row), { ...place, row }); // a row that comes again has a new ciphertext
        sealed.set(row, value);
        await seal.open(value, { ...place, row });
      }
      const decrypt = vi.spyOn(crypto.subtle, 'decrypt').mockRejectedValue(new Error('not kept'));
      const kept: string[] = [];
      for (const [row, value] of sealed)
        await seal.open(value, { ...place, row }).then(
          () => kept.push(row),
          () => undefined,
        );
      decrypt.mockRestore();
      return kept;
    };

    it.each<[string, string[], (one: number) => number, string[]]>([
      ['a limit that two values fill exactly keeps both', ['a', 'b'], (one) => 2 * one, ['a', 'b']],
      ['one character less drops the older', ['a', 'b'], (one) => 2 * one - 1, ['b']],
      ['a third value drops only the oldest', ['a', 'b', 'c'], (one) => 2 * one, ['b', 'c']],
      ['so does a fourth, after that', ['a', 'b', 'c', 'd'], (one) => 2 * one, ['c', 'd']],
      ['a new value of a row takes the place of the old one', ['a', 'b', 'a'], (one) => 2 * one, ['a', 'b']],
      ['a value above the limit is not kept', ['a'], (one) => one - 1, []],
    ])('%s', async (_, rows, limitFor, kept) => expect(await keptAfter(rows, limitFor)).toEqual(kept));
  });

  it('imports a master key once, and keeps and opens with no key that can be exported', async () => {
    const seal = createSeal([{ id: 'k1', key: key(1) }], 0);
    const imports = vi.spyOn(crypto.subtle, 'importKey');
    const unwraps = vi.spyOn(crypto.subtle, 'unwrapKey');
    try {
      const sealed = await seal.seal('x', place);
      for (let n = 0; n < 2; n += 1) await seal.open(sealed, place);
      const used = [...imports.mock.results, ...unwraps.mock.results].map(async ({ value }) => ((await value) as { extractable: boolean }).extractable);
      expect(await Promise.all(used)).toEqual([false, false, false]);
    } finally {
      imports.mockRestore();
      unwraps.mockRestore();
    }
  });

  it('never makes the same ciphertext twice', async () => {
    const seal = createSeal([{ id: 'k1', key: key(1) }]);
    expect(await seal.seal('x', place)).not.toBe(await seal.seal('x', place));
  });

  it('replaces the master key by wrapping the data keys again, and opens old values meanwhile', async () => {
    const before = createSeal([{ id: 'k1', key: key(1) }]);
    const sealed = await before.seal('secret', place);
    const during = createSeal([
      { id: 'k2', key: key(2) },
      { id: 'k1', key: key(1) },
    ]);
    expect(during.isOld(sealed)).toBe(true);
    expect(await during.open(sealed, place)).toBe('secret');
    const wrapped = await during.rewrap(sealed);
    expect(during.isOld(wrapped)).toBe(false);
    expect(wrapped.split('.')[4]).toBe(sealed.split('.')[4]);
    const after = createSeal([{ id: 'k2', key: key(2) }]);
    expect(await after.open(wrapped, place)).toBe('secret');
    await expect(after.open(sealed, place)).rejects.toThrow('not among the sealing keys');
  });
});

it('hashes, compares, and makes notice tokens that survive a rotation', () => {
  expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect([constantTimeEqual('ab', 'ab'), constantTimeEqual('ab', 'ac'), constantTimeEqual('ab', 'abc')]).toEqual([true, false, false]);
  const old = createNoticeTokens([key(1)]);
  const rotated = createNoticeTokens([key(2), key(1)]);
  const token = old.token('order', 'x');
  expect(token).toMatch(/^[\w-]{22}$/);
  expect([
    rotated.check('order', 'x', token),
    rotated.check('account', 'x', token),
    rotated.check('order', 'y', token),
    createNoticeTokens([key(2)]).check('order', 'x', token),
  ]).toEqual([true, false, false, false]);
});
