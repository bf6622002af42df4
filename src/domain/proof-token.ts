/**
 * Texts that a wallet signs with its node key. FLS01 signs a provider's token bare, so whoever hands out a text gets a signature over it: a
 * provider's token must be worth nothing anywhere but there. Our own tokens name the gateway they are for, no provider's token may look like one,
 * and none may be a sentence that logs in somewhere for good.
 */

/** What begins every token of every gateway of this kind. */
const mark = 'ramp-gateway:';
/** `host`: of public_url, with its port. Wallets check the beginning before they sign (docs/wallet.md). */
export const gatewayToken = (host: string, secret: string): string => `${mark}${host}:${secret}`;

export type TokenFlaw = 'not-printable' | 'names-a-gateway' | 'opens-elsewhere' | 'of-another-party';

const printable = /^[\x20-\x7e]{1,200}$/;
/**
 * Sentences with an address in them are permanent passwords: DFX, for one, takes the signature over its fixed sentence and the customer's LNNID,
 * LNURL or LNDHUB, without any nonce.
 */
const permanent = /(?:lnnid|(?<![0-9a-f]))0[23][0-9a-f]{64}(?![0-9a-f])|ln(?:url|dhub)[a-z0-9]{25,}/i;
/** Shorter words are in other tokens by chance. */
const leastInside = 16;

type Own = { host: string; token: string; templates: readonly string[] };

/** Why a provider's token is not passed on, by itself. `host`: of this gateway, whose release before this one began its tokens with it. */
export const tokenFlaw = (token: string, host?: string): TokenFlaw | undefined => {
  if (!printable.test(token)) return 'not-printable';
  const squeezed = token.toLowerCase().replaceAll(' ', '');
  if (squeezed.includes(mark) || (host !== undefined && squeezed.includes(`${host.toLowerCase()}:`))) return 'names-a-gateway';
  return permanent.test(token) ? 'opens-elsewhere' : undefined;
};

/**
 * The providers of one session whose tokens are not passed on. Of two that a signature would serve alike neither is: who copied whom cannot be
 * told. One that has another's token inside is the copy.
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
