/**
 * The Merkle tree of RFC 6962 section 2.1 over SHA-256, as Certificate Transparency uses it. The root commits to every leaf and its position,
 * and a short proof shows that the tree holds one leaf. Leaves are bytes; hashes are lower-case hex.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';

const leafPrefix = Uint8Array.of(0);
const nodePrefix = Uint8Array.of(1);

export const leafHash = (leaf: Uint8Array): string => bytesToHex(sha256(concatBytes(leafPrefix, leaf)));
const nodeHash = (left: string, right: string): string => bytesToHex(sha256(concatBytes(nodePrefix, hexToBytes(left), hexToBytes(right))));

/** Returns the largest power of two that is smaller than `n`, which must be at least 2. */
const splitOf = (n: number): number => 2 ** Math.floor(Math.log2(n - 1));

/** Returns the root over hashed leaves. Without leaves, it is the hash of the empty string. */
export const rootOf = (leaves: readonly string[]): string => {
  const [only] = leaves;
  if (only === undefined) return bytesToHex(sha256(new Uint8Array()));
  if (leaves.length === 1) return only;
  const split = splitOf(leaves.length);
  return nodeHash(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
};

/** Returns the RFC's PATH(m, D[n]): the sibling hashes from leaf `index` up to the root, lowest first. Throws RangeError for a missing leaf. */
export const inclusionProof = (leaves: readonly string[], index: number): string[] => {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length) throw new RangeError(`there is no leaf ${index} of ${leaves.length}`);
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  return index < split
    ? [...inclusionProof(leaves.slice(0, split), index), rootOf(leaves.slice(split))]
    : [...inclusionProof(leaves.slice(split), index - split), rootOf(leaves.slice(0, split))];
};

/**
 * The number of leaves in a block. It is a power of two, so each block is a subtree of the RFC's tree: the tree over the roots of all blocks has the
 * same root, and a leaf's proof is its proof within the block followed by the block's proof.
 */
export const blockSize = 256;

/** Returns the proof of leaf `index` from the leaves of its own block and the roots of all blocks. Throws RangeError as `inclusionProof` does. */
export const inclusionProofInBlocks = (block: readonly string[], blockRoots: readonly string[], index: number): string[] => [
  ...inclusionProof(block, index % blockSize),
  ...inclusionProof(blockRoots, Math.floor(index / blockSize)),
];

/** Returns whether the hashed leaf is at `index` in a tree of `size` leaves with this root (RFC 9162 section 2.1.3.2). */
export const provesInclusion = (leaf: string, index: number, size: number, proof: readonly string[], root: string): boolean => {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  if (!Array.isArray(proof) || ![leaf, root, ...proof].every((hash) => /^[0-9a-f]{64}$/.test(hash))) return false;
  let [place, last, hash] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      hash = nodeHash(sibling, hash);
      while (place % 2 === 0 && place !== 0) [place, last] = [place / 2, Math.floor(last / 2)];
    } else hash = nodeHash(hash, sibling);
    [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
  }
  return last === 0 && hash === root;
};
