/** NFKC, lower case, everything that is neither letter nor digit to one space: "SEPA-Instant" and "Sepa instant" are one option. */
export const normalForm = (name: string): string => name.normalize('NFKC').toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, ' ').trim();
