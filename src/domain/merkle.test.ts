import { hexToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockSize, inclusionProof, inclusionProofInBlocks, leafHash, provesInclusion, rootOf } from './merkle.ts';

/**
 * Test vectors published with the reference implementation of Certificate Transparency (github.com/transparency-dev/merkle, testonly/constants.go).
 */
const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const roots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const leaves = inputs.map((hex) => leafHash(hexToBytes(hex)));

describe('the tree of RFC 6962', () => {
  it('has the published roots, and the hash of nothing over no leaves', () => {
    expect(roots.map((_, index) => rootOf(leaves.slice(0, index + 1)))).toEqual(roots);
    expect(rootOf([])).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  it('proves each leaf of each size, and no other leaf, place, size or root', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat(), (size, a, b) => {
        const all = Array.from({ length: size }, (_, n) => leafHash(Uint8Array.of(n)));
        const [index, other] = [a % size, b % size];
        const [leaf = '', root] = [all[index], rootOf(all)];
        const proof = inclusionProof(all, index);
        expect(provesInclusion(leaf, index, size, proof, root)).toBe(true);
        expect(provesInclusion(leaf, other, size, proof, root)).toBe(other === index);
        expect(provesInclusion(leafHash(Uint8Array.of(200)), index, size, proof, root)).toBe(false);
        expect(provesInclusion(leaf, index, size, [...proof, root], root)).toBe(false);
        expect(provesInclusion(leaf, index, size, proof.slice(1), root)).toBe(proof.length === 0);
        expect(provesInclusion(leaf, index, size, proof, rootOf([...all, leaf]))).toBe(false);
      }),
    );
  });

  it('is the same from the roots of its blocks', () => {
    const all = Array.from({ length: 4 * blockSize + 3 }, (_, n) => leafHash(Uint8Array.of(n % 256, Math.floor(n / 256))));
    for (const size of [1, 2, blockSize - 1, blockSize, blockSize + 1, 2 * blockSize, 3 * blockSize, 3 * blockSize + 1, 4 * blockSize + 3]) {
      const leaves = all.slice(0, size);
      const blocks = Array.from({ length: Math.ceil(size / blockSize) }, (_, n) => leaves.slice(n * blockSize, (n + 1) * blockSize));
      const blockRoots = blocks.map(rootOf);
      expect(rootOf(blockRoots)).toBe(rootOf(leaves));
      for (const index of new Set([0, 1, Math.floor(size / 2), blockSize, size - 1].filter((one) => one < size)))
        expect(inclusionProofInBlocks(blocks[Math.floor(index / blockSize)] ?? [], blockRoots, index)).toEqual(inclusionProof(leaves, index));
    }
  });

  it('throws for a leaf that is not there', () => {
    expect(() => inclusionProof(leaves, 8)).toThrow(RangeError);
    expect(provesInclusion(leaves[0] ?? '', 8, 8, [], roots[7] ?? '')).toBe(false);
    expect(provesInclusion('not a hash', 0, 1, [], 'not a hash')).toBe(false);
  });
});
