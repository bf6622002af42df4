/**
 * Customers follow a provider's links (payment pages, sign-up pages, redemption links) with money in hand. One rule covers all links: https, on
 * one of the provider's own hosts or a subdomain, written so that every parser reads the same host. We pass them on in one canonical form.
 * Sandbox mode also allows plain http to loopback, for the simulators.
 */
import { withoutInvisible } from './printable.ts';

const MAX_LENGTH = 4096;
/** Allows no user info, percent sign, empty label or non-ASCII letter before the path: parsers disagree about the host of such links. */
const LINK_FORM = /^https?:\/\/(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*\.?|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:[/?#].*)?$/i;
/** Matches backslashes, spaces, control characters, bidi and other invisible marks. */
const TRICKS = /[\\\s\p{C}\p{Default_Ignorable_Code_Point}]/u;

/**
 * An entry in a list of hosts whose links may be shown: a name with a dot. `com` would allow every host under it, and an entry with a scheme, a port
 * or a path would match none. Addresses need no entry: loopback is allowed in the sandbox, and no other address ever is.
 */
export const linkHost = {
  form: /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z][A-Za-z0-9-]*$/,
  says: 'must be a host name with a dot, like pay.bank.example, without a scheme, port or path, and not an IP address. Its subdomains are included',
} as const;

/** Returns the link in its canonical form, or undefined when it must not be shown. */
export const customerLink = (link: string, hosts: readonly string[], sandbox: boolean): string | undefined => {
  if (link.length > MAX_LENGTH || TRICKS.test(link) || !LINK_FORM.test(link) || !URL.canParse(link)) return undefined;
  const url = new URL(link);
  if (url.port === '0') return undefined;
  const host = url.hostname.replace(/\.$/, '');
  const isAllowed = sandbox && isLoopback(host) ? true : url.protocol === 'https:' && !isAddress(host) && isOneOf(host, hosts);
  if (!isAllowed) return undefined;
  url.hostname = host;
  return url.href;
};

const isLoopback = (host: string): boolean => host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
const isAddress = (host: string): boolean => /^[\d.]+$/.test(host) || host.startsWith('[');
const isOneOf = (host: string, hosts: readonly string[]): boolean =>
  hosts.some((allowed) => host === allowed.toLowerCase() || host.endsWith(`.${allowed.toLowerCase()}`));

/** Schemes that a phone opens even without slashes. */
const BARE =
  'javascript|vbscript|view-source|blob|filesystem|sms|whatsapp|bitcoin(?:cash)?|lightning|lnurl[cpw]?|keyauth|ethereum|litecoin|monero|solana|payto|upi|web\\+[a-z]+';
/** Schemes that are also ordinary words ("File:12"). They lead somewhere only if one of the characters in LEADS follows. */
const WORD = '(?:file|content|intent|market):';
const LEADS = /[/?=#@]/;
/** Leads somewhere only if a comma follows. */
const DATA = 'data:(?:text|image|application)/';
const BARE_SCHEME = new RegExp(`^(?:(?:${BARE}|about|mailto|tel):|${WORD}[^\\s/?=#@]*[/?=#@]|${DATA}[^\\s,]*,)`, 'i');
const NOT_WITHIN_A_WORD = '(?<![\\p{L}\\p{N}.-])';
/**
 * Finds, inside a sentence, a scheme that a phone opens without slashes. A scheme with a space after its colon is allowed there, and so are
 * `mailto:`, `tel:` and `about:`.
 */
const BARE_INSIDE = new RegExp(`${NOT_WITHIN_A_WORD}(?:${BARE}):[^\\s]`, 'iu');
const WORD_INSIDE = new RegExp(`${NOT_WITHIN_A_WORD}${WORD}\\S*`, 'giu');
const DATA_INSIDE = new RegExp(`${NOT_WITHIN_A_WORD}${DATA}\\S*`, 'giu');

/**
 * Returns the parts of a text that begin with a scheme which is also a word. A part extends to the next space, and the search continues after it. So
 * no character is read twice, whatever a provider writes ("file:file:file:…"). Only the first such scheme before a space needs to be found, because
 * whatever follows a later one also follows the first.
 */
export const wordsInside = (text: string): { words: string[]; data: string[] } => ({
  words: text.match(WORD_INSIDE) ?? [],
  data: text.match(DATA_INSIDE) ?? [],
});
/** Returns whether a text holds a link without slashes. */
const holdsBare = (text: string): boolean => {
  if (BARE_INSIDE.test(text)) return true;
  const { words, data } = wordsInside(text);
  return words.some((word) => LEADS.test(word)) || data.some((one) => one.includes(','));
};
/**
 * Matches a link with any scheme, but not a reference like "Ref:LP-77Q2": the text after the colon must contain a slash, backslash, `?`, `=` or `@`.
 */
const LIKE_A_LINK = /^[a-z][a-z0-9+.-]*:[^\s]*[/?=@\\]/i;
const DATA_LINK = /^data:[^\s]*,/i;
/** The length of the scheme is limited, because a provider writes the text, and all other requests wait while we search it. */
const LINK_INSIDE = /[a-z][a-z0-9+.-]{0,31}:[/\\]\S*/gi;
/** Browsers open `https:evil.example`, without any slash. */
const SLASHLESS_INSIDE = /https?:[^\s/\\]/i;
/**
 * Finds something that a wallet pays or redeems, anywhere in the text. A fiat provider has no reason to send that. The text is also searched without
 * its spaces, because wallets skip them. An LNURL consists of BIP 173's characters only.
 */
const WALLET_LINK = /lnurl1[ac-hj-np-z02-9]{20,}|(?:lightning|lnurl[cpw]?|keyauth|bitcoin(?:cash)?|ethereum|litecoin|monero|solana|payto|upi):[a-z0-9]{14,}/i;
/**
 * Finds `www.…`, which wallets and mail programs turn into a link although it has no scheme. Some of them also turn a bare domain into a link, but a
 * bare domain can be a company's name ("Bitcoin.de SE"), so it is allowed.
 */
const WWW_INSIDE = /(?<![\p{L}\p{N}.-])www\.[^\s.]\S*/giu;
/** Other characters that a browser reads as a dot. */
const OTHER_DOTS = /[\u3002\uff0e\uff61]/g;
/** Finds a link in a name: a scheme, `www.` or a domain with a path. */
const LINK_IN_NAME = /:[/\\]|(?<![\p{L}\p{N}.-])www\.\S|[\p{L}\p{N}]\.\p{L}{2,}[/\\]\S/iu;
const SENTENCE_END = '.,;:!?)]}>\'"';

const withoutSentenceEnd = (text: string): string => {
  let end = text.length;
  while (end > 0 && SENTENCE_END.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
};

/**
 * Returns a provider's text as it may be shown next to the payment link: without control characters and invisible marks. A text that is itself a link
 * comes back in canonical form. Returns undefined when the text must not be shown: for example, because it is or holds a link that customerLink
 * refuses, or something that a wallet pays.
 */
export const customerText = (text: string, hosts: readonly string[], sandbox: boolean): string | undefined => {
  const shown = withoutInvisible(text);
  // Some apps also read full-width letters, or letters with a tab between them, as a link.
  const plain = shown.replaceAll(OTHER_DOTS, '.').normalize('NFKC');
  const joined = plain.replaceAll(/\s+/gu, '');
  if (!/\s/u.test(shown) && isLink(plain)) return customerLink(shown, hosts, sandbox);
  const isBroken = /[\t\r\n]/.test(text.trim()) && BARE_SCHEME.test(joined);
  if (isBroken || isLink(plain.trim()) || (joined.startsWith('data:') && DATA_LINK.test(joined))) return undefined;
  if (WALLET_LINK.test(plain) || WALLET_LINK.test(joined) || SLASHLESS_INSIDE.test(plain) || holdsBare(plain)) return undefined;
  const inside = [...(plain.match(LINK_INSIDE) ?? []).map((found) => ({ found, link: found })), ...wwwIn(plain)];
  const areOwn = inside.every(({ found, link }) => shown.includes(found) && customerLink(withoutSentenceEnd(link), hosts, sandbox) !== undefined);
  return areOwn ? shown : undefined;
};

const wwwIn = (text: string): { found: string; link: string }[] => (text.match(WWW_INSIDE) ?? []).map((found) => ({ found, link: `https://${found}` }));

/**
 * Returns whether a name holds a link or something that a wallet pays. The lists that every customer sees show names, even those of providers that
 * the customer never chose.
 */
export const holdsLink = (name: string): boolean => {
  const plain = name.replaceAll(OTHER_DOTS, '.').normalize('NFKC');
  return LINK_IN_NAME.test(plain) || WALLET_LINK.test(plain) || BARE_SCHEME.test(plain) || holdsBare(plain) || SLASHLESS_INSIDE.test(plain);
};

const isLink = (text: string): boolean => BARE_SCHEME.test(text) || DATA_LINK.test(text) || LIKE_A_LINK.test(text);
