/**
 * Reads and writes LNURLs, for withdrawals and for payments: LUD-01 (bech32, lightning: and the fallback scheme) and LUD-17 (lnurlw://, lnurlp://).
 * github.com/lnurl/luds
 */
import { bech32 } from '@scure/base';

/** Longer input is refused before it is parsed. */
const MAX_LENGTH = 2000;
/**
 * Only the characters that RFC 3986 allows. A link that two parsers read differently (backslash, space, control character) could pass our check of
 * the host and lead the wallet elsewhere. For the same reason we allow no user:password@ and no percent sign in the host.
 */
const URL_CHARACTERS = /^https?:\/\/[a-z0-9.\-:[\]]+(?:[/?#][a-z0-9\-._~:/?#[\]@!$&'()*+,;=%]*)?$/i;
const LOOPBACK = ['127.0.0.1', '[::1]', 'localhost'];

/**
 * `loopbackHttp` also allows plain http on a loopback host, for the sandbox. `use`: what the link must be for; by default a withdrawal. A link need
 * not say what it is for, but one that says something else is refused.
 */
export type LnurlOptions = { loopbackHttp?: boolean; use?: LnurlUse };
type LnurlUse = 'withdraw' | 'pay';
const tags: Record<LnurlUse, string> = { withdraw: 'withdrawRequest', pay: 'payRequest' };
/** LUD-17's schemes, and the prefixes that links put before a bech32 LNURL. */
const schemes: Record<LnurlUse, { scheme: RegExp; prefix: RegExp }> = {
  withdraw: { scheme: /^lnurlw:\/\//i, prefix: /^[\s\p{Cf}]*(?:web\+)?(?:lightning|lnurlw?):(?:\/\/)?/iu },
  pay: { scheme: /^lnurlp:\/\//i, prefix: /^[\s\p{Cf}]*(?:web\+)?(?:lightning|lnurlp?):(?:\/\/)?/iu },
};

/** Encodes a URL, unchanged, as upper-case bech32, as FLS01 prints it (`LNURL1…`). */
export function encodeLnurl(url: string): string {
  return bech32.encode('lnurl', bech32.toWords(new TextEncoder().encode(url)), false).toUpperCase();
}

/**
 * Returns the URL behind a link. The link may be bech32 in upper or lower case, with a prefix such as `lightning:` and with line breaks that an
 * e-mail or a terminal added. It may also be lnurlw:// (or lnurlp://, to pay), an https or bitcoin: link with a `lightning` parameter, or a bare URL.
 * Returns undefined for anything else, for a URL that is not https (http is accepted on .onion), for one whose `tag` names another use, and for a
 * string of over 2,000 characters.
 */
export function decodeLnurl(given: string, options: LnurlOptions = {}): string | undefined {
  const text = given.trimEnd();
  if (text.length > MAX_LENGTH) return undefined;
  const url = urlIn(text, options.use ?? 'withdraw');
  if (url === undefined || !URL_CHARACTERS.test(url) || !URL.canParse(url)) return undefined;
  return isUsable(new URL(url), options) ? url : undefined;
}

/** Reads what decodeLnurl accepts, and returns the canonical text and its URL for the host check. */
export function toCanonicalLnurl(text: string, options: LnurlOptions = {}): { lnurl: string; url: URL } | undefined {
  const url = decodeLnurl(text, options);
  return url === undefined ? undefined : { lnurl: encodeLnurl(url), url: new URL(url) };
}

function urlIn(text: string, use: LnurlUse): string | undefined {
  const { scheme, prefix } = schemes[use];
  if (scheme.test(text)) {
    const rest = text.replace(scheme, '');
    const isOnion = URL.canParse(`https://${rest}`) && new URL(`https://${rest}`).hostname.endsWith('.onion');
    return `${isOnion ? 'http' : 'https'}://${rest}`;
  }
  if (!/^(?:https?:\/\/|bitcoin:)/i.test(text)) return fromBech32(text.replace(prefix, ''));
  const parameters = URL.canParse(text) ? [...new URL(text).searchParams] : [];
  const inner = parameters.find(([name]) => name.toLowerCase() === 'lightning');
  return inner === undefined ? text : fromBech32(inner[1]);
}

function fromBech32(text: string): string | undefined {
  const decoded = bech32.decodeUnsafe(text.replaceAll(/[\s\p{Cf}]/gu, ''), MAX_LENGTH);
  if (!decoded || decoded.prefix !== 'lnurl') return undefined;
  const bytes = bech32.fromWordsUnsafe(decoded.words);
  // Bytes that are not UTF-8 become U+FFFD, and we accept no URL that contains it.
  return bytes ? new TextDecoder().decode(bytes) : undefined;
}

function isUsable(url: URL, options: LnurlOptions): boolean {
  const tag = url.searchParams.get('tag');
  if (tag !== null && tag !== tags[options.use ?? 'withdraw']) return false;
  if (url.protocol === 'https:' || url.hostname.endsWith('.onion')) return true;
  return options.loopbackHttp === true && LOOPBACK.includes(url.hostname);
}
