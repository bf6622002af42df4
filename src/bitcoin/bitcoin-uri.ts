/** bitcoin: links (BIP21) that others make: in either case, since QR codes carry capitals, and with an invoice inside (BIP321). */
import { checkPayoutAddress, type BitcoinNetwork } from './address.ts';

export type BitcoinLink = {
  /** As an address is written: bech32 in lower case. Absent where the link only carries an invoice. */
  address?: string;
  /** Absent: the link names none. */
  amountSats?: bigint | 'unreadable';
  /** A BOLT11 invoice, unchecked. */
  invoice?: string;
};

const amountForm = /^(\d{0,8})(?:\.(\d{0,8})0*)?$/;

/** Undefined for what is no such link, names an address of another network, or demands what nobody here understands (`req-`). */
export const readBitcoinLink = (text: string, network: BitcoinNetwork): BitcoinLink | undefined => {
  const [, to, query = ''] = /^\s*bitcoin:(?:\/\/)?([^?\s]*)(?:\?(\S*))?\s*$/i.exec(text) ?? [];
  if (to === undefined) return undefined;
  const checked = to === '' ? undefined : checkPayoutAddress(`bitcoin:${to}${query === '' ? '' : `?${query}`}`, network);
  if (checked && 'problem' in checked) return undefined;
  const members = [...new URLSearchParams(query.replaceAll('&amp;', '&'))].map(([name, value]) => [name.toLowerCase(), value.trim()] as const);
  const amounts = [...new Set(members.flatMap(([name, value]) => (name === 'amount' ? [amountOf(value)] : [])))];
  const [amountSats] = amounts.length > 1 ? (['unreadable'] as const) : amounts;
  const invoice = members.find(([name]) => name === 'lightning')?.[1];
  if (checked === undefined && invoice === undefined) return undefined;
  return {
    ...(checked ? { address: checked.address } : {}),
    ...(amountSats === undefined ? {} : { amountSats }),
    ...(invoice === undefined || invoice === '' ? {} : { invoice }),
  };
};

/** In bitcoin, as BIP21 writes it: a plain decimal without an exponent, of at most eight places that count. */
const amountOf = (text: string): bigint | 'unreadable' => {
  const [, whole, fraction = ''] = amountForm.exec(text) ?? [];
  return whole === undefined || `${whole}${fraction}` === '' ? 'unreadable' : BigInt(`${whole}${fraction.padEnd(8, '0')}`);
};

/** An invoice without what QR codes and links put before it. */
export const bareInvoice = (text: string): string => text.trim().replace(/^lightning:(?:\/\/)?/i, '');
