/** Reads where a customer wants bought sats to go. What the text alone cannot show, such as whose Lightning address it is, is not checked here. */
import { hex } from '@scure/base';
import { checkPayoutAddress, type BitcoinNetwork } from './address.ts';
import { bareLightning } from './bitcoin-uri.ts';
import { decodeInvoice, type Invoice } from './bolt11.ts';
import { encodeLnurl, toCanonicalLnurl } from './lnurl.ts';
import { isCompressedKey } from './secp256k1.ts';

/**
 * The same words as PayoutKind of src/domain/payout.ts, which this folder does not import. If the two differ, the code that uses both does not
 * compile.
 */
export type DestinationKind = 'lightning_address' | 'lnurl' | 'invoice' | 'node_pubkey' | 'onchain';
/**
 * A destination in its one canonical form: ways to write it that differ in case, or in a prefix such as `lightning:`, become equal. `calls`: the URL
 * that a payer calls, whose host must be public. The network is checked where the text shows it (invoices and addresses).
 */
export type Destination = { kind: DestinationKind; value: string; calls?: string; invoice?: Invoice };
type Read = Destination | { problem: string };

/** LUD-16, with the `+tag` that many servers accept. No port: LUD-16 knows none, and a payer would ignore it. */
const ADDRESS = /^([a-z0-9._+-]{1,64})@((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63})$/;
/** Where the server of a Lightning address answers. */
const WELL_KNOWN = /^https:\/\/([^/:@]+)\/\.well-known\/lnurlp\/([^/?#]+)$/;
const wellKnown = (user: string, host: string): string => `https://${host}/.well-known/lnurlp/${user}`;

/**
 * Returns a string that names the destination; accounts are found by its hash. Two destinations have the same string only if they lead to the same
 * receiver. An LNURL that is the URL of a Lightning address (LUD-16) gets that address's string, because both pay the same receiver, and a provider
 * knows both as the same user.
 */
export const destinationName = ({ kind, value }: Pick<Destination, 'kind' | 'value'>): string => {
  const [, host, name] = (kind === 'lnurl' && WELL_KNOWN.exec(toCanonicalLnurl(value, { use: 'pay' })?.url.href ?? '')) || [];
  const address = `${name}@${host}`;
  return host !== undefined && ADDRESS.test(address) ? `lightning_address ${address}` : `${kind} ${value}`;
};

/**
 * Returns every name under which an account for this destination may be stored, the current one first. The previous release gave the LNURL of a
 * Lightning address a name of its own, so such a destination had two names.
 */
export const destinationNames = (destination: Pick<Destination, 'kind' | 'value'>): string[] => {
  const name = destinationName(destination);
  const [, user, host] = /^lightning_address (.+)@(.+)$/.exec(name) ?? [];
  const asLnurl = host === undefined ? [] : [`lnurl ${encodeLnurl(wellKnown(`${user}`, host))}`];
  return [...new Set([name, `${destination.kind} ${destination.value}`, ...asLnurl])];
};

/** Returns the destination, or the problem in words for the customer. */
export const readDestination = (kind: DestinationKind, text: string, network: BitcoinNetwork): Read => readers[kind](text, network);

const readers: Record<DestinationKind, (text: string, network: BitcoinNetwork) => Read> = {
  lightning_address: (text) => {
    const value = bareLightning(text);
    const [, name, host] = ADDRESS.exec(value) ?? [];
    if (name === undefined || host === undefined) return { problem: 'This is not a Lightning address, such as alice@wallet.example.' };
    return { kind: 'lightning_address', value, calls: wellKnown(name, host) };
  },
  lnurl: (text) => {
    const read = toCanonicalLnurl(text.trim(), { use: 'pay' });
    if (!read) return { problem: 'This is not an LNURL-pay link, or it has a typo.' };
    return { kind: 'lnurl', value: read.lnurl, calls: read.url.href };
  },
  invoice: (text, network) => {
    const value = bareLightning(text);
    const invoice = decodeInvoice(value);
    if (!invoice) return { problem: 'This is not a BOLT11 invoice that can be paid, or it has a typo.' };
    if (invoice.network !== network) return { problem: `This invoice does not belong to the network "${network}".` };
    return { kind: 'invoice', value, invoice };
  },
  node_pubkey: (text) => {
    const value = text.trim().toLowerCase();
    if (!/^0[23][0-9a-f]{64}$/.test(value) || !isCompressedKey(hex.decode(value)))
      return { problem: 'This is not the public key of a node (33 bytes as hex).' };
    return { kind: 'node_pubkey', value };
  },
  onchain: (text, network) => {
    const read = checkPayoutAddress(text.trim(), network);
    return 'problem' in read ? read : { kind: 'onchain', value: read.address };
  },
};
