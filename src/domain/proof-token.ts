/**
 * Tokens that a wallet signs with its node key. In FLS01 a wallet signs a provider's token as it is, so a provider gets a signature over any text it
 * likes. That signature must be worthless everywhere except at that provider. Our own tokens name the gateway, so no provider's token may look like a
 * gateway's. Nor may a provider's token be a sentence whose signature another service accepts as a permanent login.
 */

/** Every token of a ramp-gateway starts with this mark, except for the tokens of the early release that `unmarked` describes. */
const mark = 'ramp-gateway:';
/** Makes our own token. `host` is the host and port of public_url. Wallets check the token's start before they sign it (docs/wallet-http.md). */
export const gatewayToken = (host: string, secret: string): string => `${mark}${host}:${secret}`;

export const tokenFlaws = ['not-printable', 'names-a-gateway', 'opens-elsewhere', 'of-another-party'] as const;
export type TokenFlaw = (typeof tokenFlaws)[number];

const printable = /^[\x20-\x7e]{1,200}$/;
/**
 * A signature over a sentence that contains an address can be a permanent password. DFX, for one, accepts a signature over its fixed sentence
 * followed by the customer's LNNID, LNURL or LNDHUB, without a nonce.
 */
const permanent = /(?:lnnid|(?<![0-9a-f]))0[23][0-9a-f]{64}(?![0-9a-f])|ln(?:url|dhub)[a-z0-9]{25,}/i;
/**
 * Finds a token of the early release, which had no mark, anywhere in a string: a host, a colon and 16 random bytes in base64url. Gateways of that
 * release may still be in use.
 */
const unmarked = /[a-z0-9-]\.[a-z0-9-]{2,63}(?::\d{1,5})?:[\w-]{22}(?![\w-])/;
/** A token shorter than this could occur inside another token by chance. */
const leastInside = 16;

type Own = { host: string; token: string; templates: readonly string[] };

/**
 * Returns why we do not pass a provider's token on, or undefined when the token by itself is fine. `host` is this gateway's own host: the early
 * release started its tokens with it.
 */
export const tokenFlaw = (token: string, host?: string): TokenFlaw | undefined => {
  if (!printable.test(token)) return 'not-printable';
  const squeezed = token.toLowerCase().replaceAll(' ', '');
  if (squeezed.includes(mark) || unmarked.test(squeezed) || (host !== undefined && squeezed.includes(`${host.toLowerCase()}:`))) return 'names-a-gateway';
  return permanent.test(token) ? 'opens-elsewhere' : undefined;
};

/**
 * Returns the providers of one session whose tokens we do not pass on, with the reason. If one signature would be valid for two tokens, we pass on
 * neither, because we cannot tell which of them is the copy. If one token contains another, the longer one is the copy.
 */
export const flawedTokens = (tokens: ReadonlyMap<string, string>, own: Own): Map<string, TokenFlaw> => {
  const flawed = new Map<string, TokenFlaw>();
  const forms = (token: string): string[] => [token, ...own.templates.map((template) => template.split('TOKEN').join(token))];
  const others = (id: string): string[] => [own.token, ...[...tokens].flatMap(([other, token]) => (other === id ? [] : [token]))];
  for (const [id, token] of tokens) {
    const isOthers = others(id).some(
      (other) => forms(token).some((form) => forms(other).includes(form)) || (other.length >= leastInside && token.includes(other)),
    );
    const flaw = tokenFlaw(token, own.host) ?? (isOthers ? 'of-another-party' : undefined);
    if (flaw !== undefined) flawed.set(id, flaw);
  }
  return flawed;
};
