/** Turns an IBAN or BIC as people paste it into the one form that banks accept. */
import { isCountry } from '../domain/country.ts';

/** Lengths by country, from the SWIFT IBAN registry. SEPA countries are listed apart, because only their accounts can be paid with the QR code. */
const SEPA_LENGTHS =
  'AD24 AL28 AT20 BE16 BG22 CH21 CY28 CZ24 DE22 DK18 EE20 ES24 FI18 FR27 GB22 GI23 GR27 HR21 HU28 IE22 IS26 IT27 LI21 LT20 LU20 LV21 MC27 MD24 ME22 MK19 MT31 NL18 NO15 PL28 PT25 RO24 RS22 SE24 SI19 SK24 SM27 VA22';
const OTHER_LENGTHS =
  'AE23 AZ28 BA20 BH22 BI27 BR29 BY28 CR22 DJ27 DO28 EG29 FK18 FO18 GE22 GL18 GT28 HN28 IL23 IQ23 JO30 KW30 KZ20 LB28 LC32 LY25 MN20 MR27 MU30 NI28 OM23 PK24 PS29 QA29 RU33 SA24 SC31 SD18 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VG24 XK20 YE30';
const SEPA = lengthTable(SEPA_LENGTHS);
const IBAN_LENGTH = new Map([...SEPA, ...lengthTable(OTHER_LENGTHS)]);
const EEA = new Set('AT BE BG HR CY CZ DE DK EE ES FI FR GR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK'.split(' '));
/** Spaces of all kinds, dashes, dots, underscores and invisible marks. None of them is part of an account number. */
const DECORATION = /[\s\p{Pd}\p{C}\p{Default_Ignorable_Code_Point}\u2212._]+/gu;
const INVISIBLE = /(?!\s)[\p{C}\p{Default_Ignorable_Code_Point}]/gu;
const IBAN_LABEL = /^\s*IBAN/;
/** Tried only if no IBAN is found after the shorter label: NO may mean Norway. */
const LONG_IBAN_LABEL = /^\s*IBAN[\s.-]*(?:NR|NO|NUM(?:BER|MER)|CODE)[\s.:]*/;
/** A label needs a separator behind it, because "BIC" may also be the first letters of the bank's own code. */
const BIC_LABEL = /^\s*(?:(?:BIC|SWIFT|CODE)[\s:./-]+)+/;
const compact = (text: string, label: RegExp): string =>
  text
    .normalize('NFKC')
    .replaceAll(INVISIBLE, '')
    .toUpperCase()
    .replace(label, '')
    .replace(/^[\s:]+/, '')
    .replaceAll(DECORATION, '');

/**
 * Reads an IBAN (ISO 13616). Checks its country, the country's length and the check digits (mod 97). Returns the IBAN in capitals without spaces, or
 * undefined if the text is not an IBAN.
 */
export function readIban(text: string): string | undefined {
  return ibanIn(compact(text, IBAN_LABEL)) ?? ibanIn(compact(text, LONG_IBAN_LABEL));
}

function ibanIn(iban: string): string | undefined {
  if (!/^[A-Z]{2}(?!00|01|99)\d{2}[A-Z0-9]+$/.test(iban) || iban.length !== IBAN_LENGTH.get(iban.slice(0, 2))) return undefined;
  const digits = (iban.slice(4) + iban.slice(0, 4)).replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  return BigInt(digits) % 97n === 1n ? iban : undefined;
}

/**
 * Reads a BIC (ISO 9362, in the pattern of ISO 20022): 8 or 11 characters with a country in the middle. Returns undefined for anything else, and for
 * a placeholder.
 */
export function readBic(text: string): string | undefined {
  const bic = compact(text, BIC_LABEL);
  const isBic = /^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$/.test(bic) && isCountry(bic.slice(4, 6));
  return isBic && !isPlaceholder(text) ? bic : undefined;
}

const PLACEHOLDERS = /^(?:NOT?(?:PROVIDED|AVAILABLE|APPLICABLE|SPECIFIED|GIVEN|REQUIRED|NEEDED|SET)?|N\/?A|NONE|NULL|NIL|TBD|TBA|EMPTY|UNDEFINED|UNKNOWN)X*$/;

/** Returns whether a text means "no BIC", as forms and ISO 20022 write it: NOTPROVIDED, n/a, XXXXXXXXXXX, or nothing. */
export function isPlaceholder(text: string): boolean {
  const word = compact(text, BIC_LABEL);
  return /^(.?)\1*$/u.test(word) || PLACEHOLDERS.test(word);
}

/** Returns whether the SEPA schemes reach the account's country. */
export const isSepa = (iban: string): boolean => SEPA.has(iban.slice(0, 2));
/** Returns whether the account is in the EEA, where the IBAN alone identifies the bank. Elsewhere (CH, GB, MC, SM …) a BIC is needed. */
export const isInEea = (iban: string): boolean => EEA.has(iban.slice(0, 2));
/**
 * Returns whether an IBAN is a QR-IBAN. Such an IBAN, with a bank number from 30000 to 31999 (SIX), needs a QR reference, which a SEPA transfer
 * cannot carry.
 */
export const isQrIban = (iban: string): boolean => /^(?:CH|LI)\d\d3[01]/.test(iban);

/**
 * Returns the first and last four characters (`DE89…3000`), enough to recognise one's own account. For a text that is too short to mask, returns only
 * `…`.
 */
export function maskIban(text: string): string {
  const iban = readIban(text) ?? compact(text, IBAN_LABEL);
  return iban.length < 12 ? '…' : `${iban.slice(0, 4)}…${iban.slice(-4)}`;
}

function lengthTable(text: string): Map<string, number> {
  return new Map(text.split(' ').map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]));
}
