/**
 * Customers follow a provider's links (payment pages, sign-up pages, redemption links) with money in hand. One rule covers them all: https on
 * one of the provider's own hosts or their subdomains, written so that every parser reads the same host, and passed on in one canonical form.
 * Sandbox mode also allows plain http to loopback, for the simulators.
 */
import { withoutInvisible } from './printable.ts';

const MAX_LENGTH = 4096;
/** No user info, percent sign, empty label or letter outside ASCII before the path: parsers disagree about the host of such links. */
const LINK_FORM = /^https?:\/\/(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*\.?|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:[/?#].*)?$/i;
/** Backslash, spaces, control characters, bidi and other invisible marks. */
const TRICKS = /[\\\s\p{C}\p{Default_Ignorable_Code_Point}]/u;

/** The canonical form to pass on, or undefined when the link must not be shown. */
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

/** Schemes without slashes that a phone opens. */
const BARE_SCHEME =
  /^(?:javascript|vbscript|view-source|blob|about|file|filesystem|content|intent|mailto|tel|sms|whatsapp|market|bitcoin|bitcoincash|lightning|lnurl[cpw]?|keyauth|ethereum|litecoin|monero|solana|payto|upi):/i;
/** What follows tells an unknown scheme without slashes from "Ref:LP-77Q2". */
const LIKE_A_LINK = /^[a-z][a-z0-9+.-]*:[^\s]*[/?=@\\]/i;
const DATA_LINK = /^data:[^\s]*,/i;
/** Bounded, since the provider writes the text and everybody waits while we search it. */
const LINK_INSIDE = /[a-z][a-z0-9+.-]{0,31}:[/\\]\S*/gi;
/** Browsers need no slash: https:evil.example. */
const SLASHLESS_INSIDE = /https?:[^\s/\\]/i;
/** What a wallet pays or redeems, wherever it stands. A fiat provider has no use for it. Spaces in it do not stop a wallet (BIP 173's letters do). */
const WALLET_LINK = /lnurl1[ac-hj-np-z02-9]{20,}|(?:lightning|lnurl[cpw]?|keyauth|bitcoin(?:cash)?|ethereum|litecoin|monero|solana|payto|upi):[a-z0-9]{14,}/i;
/** Wallets and mail programs make a link of it without any scheme. A bare domain they may, too, but companies are called so ("Bitcoin.de SE"). */
const WWW_INSIDE = /(?<![\p{L}\p{N}.-])www\.[^\s.]\S*/giu;
/** Other dots that a browser reads as one. */
const OTHER_DOTS = /[\u3002\uff0e\uff61]/g;
/** In a name, which has no use for a link: a scheme, www. or a domain with a path. */
const LINK_IN_NAME = /:[/\\]|(?<![\p{L}\p{N}.-])www\.\S|[\p{L}\p{N}]\.\p{L}{2,}[/\\]\S/iu;
const SENTENCE_END = '.,;:!?)]}>\'"';

const withoutSentenceEnd = (text: string): string => {
  let end = text.length;
  while (end > 0 && SENTENCE_END.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
};

/**
 * A text that may stand beside the payment link, without control characters and invisible marks, and with links in canonical form. Undefined
 * when it is, or holds, a link that customerLink refuses.
 */
export const customerText = (text: string, hosts: readonly string[], sandbox: boolean): string | undefined => {
  const shown = withoutInvisible(text);
  // Some readers take full-width letters, or letters with a tab between them, for a link.
  const plain = shown.replaceAll(OTHER_DOTS, '.').normalize('NFKC');
  const joined = plain.replaceAll(/\s+/gu, '');
  if (!/\s/u.test(shown) && isLink(plain)) return customerLink(shown, hosts, sandbox);
  const isBroken = /[\t\r\n]/.test(text.trim()) && BARE_SCHEME.test(joined);
  if (isBroken || isLink(plain.trim()) || (joined.startsWith('data:') && DATA_LINK.test(joined))) return undefined;
  if (WALLET_LINK.test(plain) || WALLET_LINK.test(joined) || SLASHLESS_INSIDE.test(plain)) return undefined;
  const inside = [...(plain.match(LINK_INSIDE) ?? []).map((found) => ({ found, link: found })), ...wwwIn(plain)];
  const areOwn = inside.every(({ found, link }) => shown.includes(found) && customerLink(withoutSentenceEnd(link), hosts, sandbox) !== undefined);
  return areOwn ? shown : undefined;
};

const wwwIn = (text: string): { found: string; link: string }[] => (text.match(WWW_INSIDE) ?? []).map((found) => ({ found, link: `https://${found}` }));

/** Whether a name holds a link, or what a wallet pays. Names stand in everybody's lists, also before customers who never chose their provider. */
export const holdsLink = (name: string): boolean => {
  const plain = name.replaceAll(OTHER_DOTS, '.').normalize('NFKC');
  return LINK_IN_NAME.test(plain) || WALLET_LINK.test(plain) || BARE_SCHEME.test(plain) || SLASHLESS_INSIDE.test(plain);
};

const isLink = (text: string): boolean => BARE_SCHEME.test(text) || DATA_LINK.test(text) || LIKE_A_LINK.test(text);
