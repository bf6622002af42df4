/** Stored secrets have the same form on both runtimes: workerd can open what Node sealed. */
import { expect, it } from 'vitest';
import { constantTimeEqual, createNoticeTokens, sha256Hex } from '../../src/seal/hash.ts';
import { createSeal } from '../../src/seal/seal.ts';

const key = (n: number) => new Uint8Array(32).fill(n);
const place = { table: 'orders', row: 'a', field: 'payment_info' };
/** Made by src/seal/seal.ts on Node 24 with key(1). */
const fromNode = 'v1.k1.qflSqBQyWzLBLag4Nqx_zdlScGD5VaVVui24lkp0yBZgU4dIEL-lhA.yeVg46iz73khIcj2.kaKkIr-aDoIBaiQTMd5UspqP0wYHuSEz3g';

it('opens what Node has sealed, in its place and nowhere else', async () => {
  const seal = createSeal([{ id: 'k1', key: key(1) }]);
  expect(await seal.open(fromNode, place)).toBe('DE89 3704');
  await expect(seal.open(fromNode, { ...place, row: 'b' })).rejects.toThrow('moved or changed');
  await expect(createSeal([{ id: 'k1', key: key(2) }]).open(fromNode, place)).rejects.toThrow('unwrapping failed');
});

it('seals in the same form, never the same text twice', async () => {
  const seal = createSeal([{ id: 'k1', key: key(1) }]);
  const sealed = await seal.seal('DE89 3704', place);
  expect(sealed).toMatch(/^v1\.k1\.[\w-]{54}\.[\w-]{16}\.[\w-]{34}$/);
  expect(await seal.seal('DE89 3704', place)).not.toBe(sealed);
  expect(await createSeal([{ id: 'k1', key: key(1) }]).open(sealed, place)).toBe('DE89 3704');
});

it('wraps again under another master key', async () => {
  const wrapped = await createSeal([
    { id: 'k2', key: key(2) },
    { id: 'k1', key: key(1) },
  ]).rewrap(fromNode);
  expect(wrapped.split('.')[4]).toBe(fromNode.split('.')[4]);
  expect(await createSeal([{ id: 'k2', key: key(2) }]).open(wrapped, place)).toBe('DE89 3704');
});

it('hashes, compares, and makes the notice tokens that Node makes', () => {
  expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect([constantTimeEqual('ab', 'ab'), constantTimeEqual('ab', 'ac')]).toEqual([true, false]);
  expect(createNoticeTokens([key(1)]).token('order', 'x')).toBe('DCuJckZlUMaTeqO7_VFlBw');
});
