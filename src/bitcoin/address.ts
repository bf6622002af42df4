/** Checks on-chain addresses to pay out to. This is stricter than a sender has to be: it refuses addresses that no known wallet can spend from. */
import { bech32m } from '@scure/base';
import { AddressType, getAddressInfo, Network } from 'bitcoin-address-validation';
import { isCompressedKey } from './secp256k1.ts';

export type BitcoinNetwork = 'main' | 'test' | 'signet' | 'regtest';

/**
 * Takes a bare address or a bitcoin: URI. Returns the address, bech32 in lower case (QR codes carry capitals), or the problem in words for the
 * customer. Ignores the URI's parameters, but refuses a URI in which one begins with `req-` (BIP21), because we understand no such parameter.
 * Addresses of testnet and signet have the same prefixes and cannot be told apart. In base58, regtest has these prefixes, too.
 */
export function checkPayoutAddress(text: string, network: BitcoinNetwork): { address: string } | { problem: string } {
  const [, address = '', query = ''] = /^(?:bitcoin:)?([^?]*)\??(.*)$/is.exec(text) ?? [];
  if (hasDemand(query)) return { problem: 'This bitcoin: link requires something that is not supported (a "req-" parameter). Send the bare address.' };
  const info = readAddress(address);
  if (info === undefined) return { problem: 'This is not a bitcoin address, or it has a typo.' };
  if (info.network !== libraryNetwork(network, info.bech32)) return { problem: `This address does not belong to the network "${network}".` };
  // BIP350: a sender accepts future witness versions, but no customer should use one as their own address.
  if (info.type === AddressType.unknown) return { problem: 'This kind of address is not supported yet; coins sent to it could be lost.' };
  if (info.type === AddressType.p2tr && !isSpendableTaproot(address))
    return { problem: 'The key in this taproot address is not valid; coins sent to the address would be lost.' };
  return { address: info.bech32 ? address.toLowerCase() : address };
}

/** Returns whether a link has a parameter that its reader must understand (`req-`, BIP21). We understand no such parameter. */
export const hasDemand = (query: string): boolean => [...new URLSearchParams(query).keys()].some((name) => /(?:^|[;?\s])req-/i.test(name));

/** Returns whether a text can be an address and nothing else: no link, no parameters, no blanks. */
export const isBareAddress = (text: string): boolean => /^[a-z0-9]+$/i.test(text);

/**
 * Makes a bitcoin: link (BIP21). The amount is in bitcoin, without trailing zeros. Throws if the address is not bare: it could bring parameters
 * along.
 */
export function bitcoinUri(address: string, amountSats?: bigint): string {
  if (!isBareAddress(address)) throw new Error('a bitcoin: link needs a bare address');
  if (amountSats === undefined) return `bitcoin:${address}`;
  const digits = amountSats.toString().padStart(9, '0');
  const amount = `${digits.slice(0, -8)}.${digits.slice(-8)}`.replace(/\.?0+$/, '');
  return `bitcoin:${address}?amount=${amount}`;
}

function readAddress(address: string): ReturnType<typeof getAddressInfo> | undefined {
  try {
    return getAddressInfo(address);
  } catch {
    return undefined;
  }
}

function libraryNetwork(network: BitcoinNetwork, isBech32: boolean): Network {
  if (network === 'main') return Network.mainnet;
  return network === 'regtest' && isBech32 ? Network.regtest : Network.testnet;
}

function isSpendableTaproot(address: string): boolean {
  const decoded = bech32m.decodeUnsafe(address);
  const key = decoded && bech32m.fromWordsUnsafe(decoded.words.slice(1));
  return key !== undefined && isCompressedKey(Uint8Array.of(2, ...key));
}
