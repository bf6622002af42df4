/** Currencies: which codes may be listed, and how many decimals ISO 4217 gives them. */

/** The codes in ISO 4217's list one (currencies and funds) that do not have 2 decimals. */
const exponents: ReadonlyMap<string, number> = new Map([
  ...'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' ').map((code) => [code, 0] as const),
  ...'BHD IQD JOD KWD LYD OMR TND'.split(' ').map((code) => [code, 3] as const),
  ...'CLF UYW'.split(' ').map((code) => [code, 4] as const),
]);

export const exponentOf = (currency: string): number => exponents.get(currency.toUpperCase()) ?? 2;

/** Returns the code in capitals, or undefined when it cannot be listed. A code need not be from ISO: "Signet BTC" is listed too. */
export const readCurrencyCode = (text: string): string | undefined => {
  const code = text.trim().replaceAll(/\s+/g, ' ');
  return /^[a-z0-9 ]{2,16}$/i.test(code) ? code.toUpperCase() : undefined;
};
