/**
 * Reads bitcoin: links (BIP21) that others made. They may be in upper case, as in QR codes, and may contain an invoice (BIP321).
 */
import { checkPayoutAddress, hasDemand, type BitcoinNetwork } from './address.ts';

export type BitcoinLink = {
  /** The address, bech32 in lower case. Absent if the link only carries an invoice. */
  address?: string;
  /** Absent if the link names no amount. `unreadable` if the amount cannot be read, or if the link names different amounts. */
  amountSats?: bigint | 'unreadable';
  /** A BOLT11 invoice, unchecked. */
  invoice?: string;
};

const amountForm = /^(\d{0,8})(?:\.(\d{0,8})0*)?$/;

/**
 * Reads a link. Returns undefined if it is not a bitcoin: link, if it has neither an address nor an invoice, if it has a `req-` parameter, or if
 * checkPayoutAddress refuses its address.
 */
export const readBitcoinLink = (text: string, network: BitcoinNetwork): BitcoinLink | undefined => {
  const [, to, query = ''] = /^\s*bitcoin:(?:\/\/)?([^?\s]*)(?:\?(\S*))?\s*$/i.exec(text) ?? [];
  if (to === undefined || hasDemand(query)) return undefined;
  const checked = to === '' ? undefined : checkPayoutAddress(`bitcoin:${to}`, network);
  if (checked && 'problem' in checked) return undefined;
  const members = [...new URLSearchParams(query.replaceAll('&amp;', '&'))].map(([name, value]) => [name.toLowerCase(), value.trim()] as const);
  const amounts = [...new Set(members.flatMap(([name, value]) => (name === 'amount' ? [amountOf(value)] : [])))];
  const [amountSats] = amounts.length > 1 ? (['unreadable'] as const) : amounts;
  const invoice = members.find(([name, value]) => name === 'lightning' && value !== '')?.[1];
  if (checked === undefined && invoice === undefined) return undefined;
  return {
    ...(checked ? { address: checked.address } : {}),
    ...(amountSats === undefined ? {} : { amountSats }),
    ...(invoice === undefined ? {} : { invoice }),
  };
};

/** Reads an amount in bitcoin, as BIP21 writes it: a plain decimal without an exponent, with at most eight significant decimal places. */
const amountOf = (text: string): bigint | 'unreadable' => {
  const [, whole, fraction = ''] = amountForm.exec(text) ?? [];
  return whole === undefined || `${whole}${fraction}` === '' ? 'unreadable' : BigInt(`${whole}${fraction.padEnd(8, '0')}`);
};

/** Strips `lightning:` in front, which QR codes and links add, and spaces and line breaks on both sides, as wallets do. */
export const withoutLightningScheme = (text: string): string => text.trim().replace(/^lightning:(?:\/\/)?/i, '');

/** Returns an invoice or a Lightning address in one form, whatever its scheme and letter case. */
export const bareLightning = (text: string): string => withoutLightningScheme(text).toLowerCase();
