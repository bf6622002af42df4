/** Checks an address or invoice that sats will be sent to, before a payer sees it. */
import { bitcoinUri, checkPayoutAddress, type BitcoinNetwork } from '../../bitcoin/address.ts';
import { withoutLightningScheme } from '../../bitcoin/bitcoin-uri.ts';
import { decodeInvoice, invoiceExpiry } from '../../bitcoin/bolt11.ts';
import { toCanonicalLnurl } from '../../bitcoin/lnurl.ts';
import { customerLink } from '../../domain/links.ts';
import type { PaymentInfo } from '../spec.ts';
import type { BringinSettings } from './bringin-settings.ts';

export type DepositForm = 'lightning_address' | 'lnurl' | 'invoice' | 'onchain';

/** Recognises the form of a deposit address by its text, since Bringin does not document the forms that it uses for Lightning. */
export const depositForm = (address: string): DepositForm => {
  const text = withoutLightningScheme(address);
  if (text.includes('@')) return 'lightning_address';
  if (/^lnurl1/i.test(text)) return 'lnurl';
  return /^ln(bc|tb)/i.test(text) ? 'invoice' : 'onchain';
};

export type LightningAddress = { user: string; host: string };

/** Reads name@host. Returns undefined unless the host is one of Bringin's: the payer pays whoever answers there. */
export const readLightningAddress = (text: string, hosts: readonly string[]): LightningAddress | undefined => {
  const [, user, host] = /^([a-z0-9._+/-]{1,100})@([a-z0-9.:-]{1,253})$/i.exec(text) ?? [];
  return user !== undefined && host !== undefined && hosts.includes(host.toLowerCase()) ? { user, host: host.toLowerCase() } : undefined;
};

/** Returns the URL of a Lightning address's metadata (LUD-16). */
export const wellKnownUrl = ({ user, host }: LightningAddress, settings: Pick<BringinSettings, 'lightning_base_url'>): string =>
  `${settings.lightning_base_url?.replace(/\/+$/, '') ?? `https://${host}`}/.well-known/lnurlp/${encodeURIComponent(user)}`;

export type Wanted = { network: BitcoinNetwork; sats: bigint };
export type Judged = { paymentInfo: PaymentInfo; expiresOn?: number } | { problem: string };

/**
 * Turns a deposit address in any form into a way to pay exactly the wanted amount, or returns why it cannot be paid. Does not check a Lightning
 * address's own limits. `loopbackHttp`: whether an LNURL may lead to a loopback address over plain HTTP, as in the sandbox.
 */
export const judgeDeposit = (address: string, wanted: Wanted, { hosts, loopbackHttp }: { hosts: readonly string[]; loopbackHttp: boolean }): Judged => {
  const form = depositForm(address);
  if (form === 'invoice') return judgeInvoice(address, wanted);
  if (form === 'onchain') return judgeOnchain(address, wanted);
  const way = (value: string): Judged => ({ paymentInfo: { kind: form, value, amountSats: wanted.sats } });
  if (form === 'lightning_address') {
    const known = readLightningAddress(withoutLightningScheme(address), hosts);
    return known ? way(`${known.user}@${known.host}`) : { problem: 'the Lightning address is at another host' };
  }
  const canonical = toCanonicalLnurl(address, { loopbackHttp });
  const isKnown = canonical !== undefined && (hosts.includes(canonical.url.host) || hosts.includes(canonical.url.hostname));
  if (!isKnown || customerLink(canonical.url.href, [canonical.url.hostname], loopbackHttp) === undefined) return { problem: 'the LNURL is at another host' };
  // An LNURL-withdraw link would ask the paying wallet to withdraw.
  return canonical.url.searchParams.has('tag') ? { problem: 'the LNURL is not for payments' } : way(canonical.lnurl);
};

/**
 * Checks an invoice. If the order states `expiresOn` (ms), the invoice must expire at the same time (within `toleranceS`), so that it cannot be paid
 * after the order has expired.
 */
export const judgeInvoice = (text: string, wanted: Wanted & { expiresOn?: number; toleranceS?: number; exactAmount?: boolean }): Judged => {
  const bare = withoutLightningScheme(text);
  const invoice = decodeInvoice(bare);
  if (!invoice) return { problem: 'the invoice cannot be read' };
  if (invoice.network !== wanted.network) return { problem: 'the invoice is for another network' };
  const isOpen = invoice.amountMsat === undefined && wanted.exactAmount !== true;
  if (!isOpen && invoice.amountMsat !== wanted.sats * 1000n) return { problem: 'the invoice is for another amount' };
  const expiresOn = invoiceExpiry(invoice);
  const apart = Math.abs(expiresOn - (wanted.expiresOn ?? expiresOn));
  if (apart > (wanted.toleranceS ?? 0) * 1000) return { problem: 'the invoice and its order expire at different times' };
  return { paymentInfo: { kind: 'invoice', value: bare, amountSats: wanted.sats }, expiresOn };
};

export const judgeOnchain = (text: string, { network, sats }: Wanted): Judged => {
  const checked = checkPayoutAddress(text, network);
  if ('problem' in checked) return { problem: 'the address is not on this network' };
  return { paymentInfo: { kind: 'onchain', value: checked.address, amountSats: sats, bip21: bitcoinUri(checked.address, sats) } };
};
