/** Checks where sats may be sent, before a payer sees it. */
import { bitcoinUri, checkPayoutAddress, type BitcoinNetwork } from '../../bitcoin/address.ts';
import { decodeInvoice } from '../../bitcoin/bolt11.ts';
import { decodeLnurl } from '../../bitcoin/lnurl.ts';
import type { PaymentInfo } from '../spec.ts';
import type { BringinSettings } from './bringin-settings.ts';

export type DepositForm = 'lightning_address' | 'lnurl' | 'invoice' | 'onchain';

/** Bringin does not document the form of a Lightning deposit address, so we recognise it by its text. */
export const depositForm = (address: string): DepositForm => {
  if (address.includes('@')) return 'lightning_address';
  if (/^(lightning:)?lnurl1/i.test(address)) return 'lnurl';
  return /^(lightning:)?ln(bc|tb)/i.test(address) ? 'invoice' : 'onchain';
};

export type LightningAddress = { user: string; host: string };

/** Undefined unless it is name@host on one of Bringin's hosts: a payer pays whoever answers there. */
export const readLightningAddress = (text: string, hosts: readonly string[]): LightningAddress | undefined => {
  const [, user, host] = /^([a-z0-9._+/-]{1,100})@([a-z0-9.:-]{1,253})$/i.exec(text) ?? [];
  return user !== undefined && host !== undefined && hosts.includes(host.toLowerCase()) ? { user, host: host.toLowerCase() } : undefined;
};

/** LUD-16. */
export const wellKnownUrl = ({ user, host }: LightningAddress, settings: Pick<BringinSettings, 'lightning_base_url'>): string =>
  `${settings.lightning_base_url?.replace(/\/+$/, '') ?? `https://${host}`}/.well-known/lnurlp/${encodeURIComponent(user)}`;

export type Wanted = { network: BitcoinNetwork; sats: bigint };
export type Judged = { paymentInfo: PaymentInfo; expiresOn?: number } | { problem: string };

/** Turns the text into a way to pay exactly the wanted amount, or says why not. The caller adds a Lightning address's own limits. */
export const judgeDeposit = (address: string, wanted: Wanted, hosts: readonly string[]): Judged => {
  const form = depositForm(address);
  if (form === 'invoice') return judgeInvoice(address, wanted);
  if (form === 'onchain') return judgeOnchain(address, wanted);
  if (form === 'lightning_address')
    return readLightningAddress(address, hosts)
      ? { paymentInfo: { kind: form, value: address, amountSats: wanted.sats } }
      : { problem: 'a Lightning address of another host' };
  const url = decodeLnurl(address, { loopbackHttp: true });
  const known = url !== undefined && [new URL(url).host, new URL(url).hostname].some((host) => hosts.includes(host));
  return known ? { paymentInfo: { kind: form, value: address, amountSats: wanted.sats } } : { problem: 'an LNURL of another host' };
};

/** `expiresOn` (ms) if the order states it. The invoice must have the same expiry, or a payer could pay when nobody is waiting any more. */
export const judgeInvoice = (text: string, wanted: Wanted & { expiresOn?: number; toleranceS?: number; exactAmount?: boolean }): Judged => {
  const invoice = decodeInvoice(text.replace(/^lightning:/i, ''));
  if (!invoice) return { problem: 'an invoice that cannot be read' };
  if (invoice.network !== wanted.network) return { problem: 'an invoice of another network' };
  const isOpen = invoice.amountMsat === undefined && wanted.exactAmount !== true;
  if (!isOpen && invoice.amountMsat !== wanted.sats * 1000n) return { problem: 'an invoice of another amount' };
  const expiresOn = (invoice.timestamp + invoice.expirySeconds) * 1000;
  const apart = Math.abs(expiresOn - (wanted.expiresOn ?? expiresOn));
  if (apart > (wanted.toleranceS ?? 0) * 1000) return { problem: 'an invoice that expires at another time than its order' };
  return { paymentInfo: { kind: 'invoice', value: text, amountSats: wanted.sats }, expiresOn };
};

export const judgeOnchain = (text: string, { network, sats }: Wanted): Judged => {
  const checked = checkPayoutAddress(text, network);
  if ('problem' in checked) return { problem: 'not an address of this network' };
  return { paymentInfo: { kind: 'onchain', value: checked.address, amountSats: sats, bip21: bitcoinUri(checked.address, sats) } };
};
