/** NFKC, lower case, everything that is neither letter nor digit to one space: "SEPA-Instant" and "Sepa instant" are one option. */
export const normalForm = (name: string): string =>
  name
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

/** Whether what a provider echoed is another currency or option than expected. What was not echoed, or not expected, does not differ. */
export const namesDiffer = (echoed: string | undefined, expected: string | undefined): boolean =>
  echoed !== undefined && expected !== undefined && echoed !== expected && normalForm(echoed) !== normalForm(expected);
