/**
 * Who a customer is at DFX: the address that sats are sent to, and a secret that DFX keeps with it. The first sign-up of an address fixes its secret.
 * Whoever knows the secret can act as this user, and whoever signs up first with an address locks its owner out. So a secret is never stored, shown
 * or logged (it is derived again from the operator's key), and an unproven address is used only if the operator allows that (`userOf` in
 * dfx-login.ts).
 */
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { hex } from '@scure/base';
import { encodeLnurl } from '../../bitcoin/lnurl.ts';
import type { PayoutTo } from '../../domain/payout.ts';

/** Two of DFX's three forms of an address. The third is LNDHUB, for which our API has no name. */
const forms = /^(?:LNURL[A-Z0-9]{25,250}|LNNID0[23][0-9A-F]{64})$/;

/** Returns the destination as DFX writes it, or undefined if DFX has no form for it or would refuse it. */
export const addressOf = ({ kind, value }: Pick<PayoutTo, 'kind' | 'value'>): string | undefined => {
  const address = addressIn(kind, value);
  return address !== undefined && forms.test(address) ? address : undefined;
};

const addressIn = (kind: PayoutTo['kind'], value: string): string | undefined => {
  if (kind === 'node_pubkey') return `LNNID${value.toUpperCase()}`;
  if (kind === 'lnurl') return value.toUpperCase();
  const [name, host, ...more] = value.split('@');
  if (kind !== 'lightning_address' || name === undefined || host === undefined || more.length > 0) return undefined;
  return encodeLnurl(`https://${host}/.well-known/lnurlp/${name}`);
};

const leastKeyLength = 32;
/** DFX takes secrets of 140 to 146 characters from a-z and 0-9. */
const secretLength = 140;
/** 1,024 bits are up to 199 digits in base 36. The last 140 of them are almost evenly distributed. */
const secretBytes = 128;

/** Derives the secret of an address, or returns undefined if the key is too short. Must never change, or every customer would be locked out. */
export const secretOf = (operatorKey: string, address: string): string | undefined => {
  if (operatorKey.length < leastKeyLength) return undefined;
  const bytes = hkdf(sha512, utf8ToBytes(operatorKey), undefined, utf8ToBytes(`dfx custodial secret ${address}`), secretBytes);
  return BigInt(`0x${hex.encode(bytes)}`)
    .toString(36)
    .padStart(secretLength, '0')
    .slice(-secretLength);
};
