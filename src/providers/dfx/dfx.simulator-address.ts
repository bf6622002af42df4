/** The simulated DFX's payout addresses, their users' credentials, and LNURL-pay requests to the addresses. Only hosts on loopback are contacted. */
import { bech32 } from '@scure/base';
import { decodeInvoice } from '../../bitcoin/bolt11.ts';
import { recoverNodeKey } from '../../bitcoin/node-signature.ts';

const addressForms = [/^LNURL[A-Z0-9]{25,250}$/, /^LNDHUB[A-Z0-9]{25,250}$/, /^LNNID[0-9A-F]{66}$/];
export const isAddress = (text: string): boolean => addressForms.some((form) => form.test(text));
export const isCustodial = (signature: string): boolean => /^[a-z0-9]{140,146}$/.test(signature);
const isNodeSignature = (signature: string): boolean => /^[ybndrfg8ejkmcpqxot1uwisza345h769]{104}$/.test(signature);
export const isCredential = (signature: string): boolean => isCustodial(signature) || isNodeSignature(signature);

/** Returns the sentence that DFX's wallets sign. DFX's contract gives only the end of the sentence, and the prefix that the test system adds. */
export const sentenceFor = (address: string, stage: 'live' | 'dev'): string =>
  `${stage === 'dev' ? '[dev]_' : ''}By_signing_this_message,_you_confirm_that_you_are_the_sole_owner_of_the_provided_Blockchain_address._Your_ID:_${address}`;

/** Returns whether the node of the address signed the sentence. For an LNURL, this is the node that an invoice from the LNURL would pay. */
export const isSignedByNode = async (address: string, signature: string, stage: 'live' | 'dev'): Promise<boolean> => {
  const signer = isNodeSignature(signature) ? recoverNodeKey(sentenceFor(address, stage), signature) : undefined;
  if (signer === undefined) return false;
  if (address.startsWith('LNNID')) return address === `LNNID${signer.toUpperCase()}`;
  const terms = await payTermsOf(address);
  const invoice = terms && decodeInvoice((await invoiceFrom(terms, terms.least)) ?? '');
  return invoice?.payee === signer;
};

/** `least` and `most`: in msat. */
type PayTerms = { callback: URL; least: bigint; most: bigint };

/**
 * Returns the terms of an LNURL on loopback. Returns undefined for an LNURL elsewhere, for other addresses, and for an answer that is no LNURL-pay.
 */
export const payTermsOf = async (address: string): Promise<PayTerms | undefined> => {
  const url = loopbackUrlOf(address);
  const answer = url && (await readJson(url));
  const [callback, least, most] = [String(answer?.['callback']), Number(answer?.['minSendable']), Number(answer?.['maxSendable'])];
  if (answer?.['tag'] !== 'payRequest' || !isOnLoopback(callback) || !Number.isSafeInteger(least) || !Number.isSafeInteger(most)) return undefined;
  return { callback: new URL(callback), least: BigInt(least), most: BigInt(most) };
};

/** Returns an invoice from an LNURL, or undefined if it gives none. */
export const invoiceFrom = async ({ callback }: PayTerms, msat: bigint): Promise<string | undefined> => {
  const url = new URL(callback);
  url.searchParams.set('amount', String(msat));
  const pr = (await readJson(url))?.['pr'];
  return typeof pr === 'string' ? pr : undefined;
};

export const loopbackUrlOf = (address: string): URL | undefined => {
  const decoded = address.startsWith('LNURL') ? bech32.decodeUnsafe(address, 2000) : undefined;
  const bytes = decoded?.prefix === 'lnurl' ? bech32.fromWordsUnsafe(decoded.words) : undefined;
  const text = bytes ? new TextDecoder().decode(bytes) : '';
  return isOnLoopback(text) ? new URL(text) : undefined;
};
const isOnLoopback = (url: string): boolean => URL.canParse(url) && ['127.0.0.1', 'localhost'].includes(new URL(url).hostname);

const readJson = async (url: URL): Promise<{ [member: string]: unknown } | undefined> => {
  const answer: unknown = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(5000) })
    .then(async (response) => await response.json())
    .catch(() => undefined);
  return typeof answer === 'object' && answer !== null ? (answer as { [member: string]: unknown }) : undefined;
};
