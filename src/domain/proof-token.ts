/**
 * Texts that a wallet signs with its node key. FLS01 signs a provider's token bare, so whoever supplies a text gets a signature over it. That
 * signature must be worthless anywhere but at that provider. Our own tokens name their gateway; no provider's token may look like one of ours,
 * or be a sentence that logs in somewhere for good.
 */

/** Every token of every ramp-gateway begins with this. */
const mark = 'ramp-gateway:';
/** `host`: the host and port of public_url. Wallets check how the token begins before they sign it (docs/wallet-http.md). */
export const gatewayToken = (host: string, secret: string): string => `${mark}${host}:${secret}`;

export type TokenFlaw = 'not-printable' | 'names-a-gateway' | 'opens-elsewhere' | 'of-another-party';

const printable = /^[\x20-\x7e]{1,200}$/;
/**
 * A signed sentence with an address in it can be a permanent password. DFX, for one, accepts the signature over its fixed sentence and the
 * customer's LNNID, LNURL or LNDHUB, without a nonce.
 */
const permanent = /(?:lnnid|(?<![0-9a-f]))0[23][0-9a-f]{64}(?![0-9a-f])|ln(?:url|dhub)[a-z0-9]{25,}/i;
/** How the release before the mark began its tokens, anywhere: a host, and 16 random bytes. Gateways of that release may still be in use. */
const unmarked = /[a-z0-9-]\.[a-z0-9-]{2,63}(?::\d{1,5})?:[\w-]{22}(?![\w-])/;
/** Shorter words occur in other tokens by chance. */
const leastInside = 16;

type Own = { host: string; token: string; templates: readonly string[] };

/** Why we do not pass a provider's token on, judged alone. `host`: this gateway's own; the previous release began its tokens with it. */
export const tokenFlaw = (token: string, host?: string): TokenFlaw | undefined => {
  if (!printable.test(token)) return 'not-printable';
  const squeezed = token.toLowerCase().replaceAll(' ', '');
  if (squeezed.includes(mark) || unmarked.test(squeezed) || (host !== undefined && squeezed.includes(`${host.toLowerCase()}:`))) return 'names-a-gateway';
  return permanent.test(token) ? 'opens-elsewhere' : undefined;
};

/**
 * The providers of one session whose tokens we do not pass on. When one signature would serve two tokens, we pass on neither: nobody can tell
 * which is the copy. A token that contains another's is the copy.
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
