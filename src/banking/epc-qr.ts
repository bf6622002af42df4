/** Bank details: IBAN and BIC, and the EPC QR code text (EPC069-12 version 002) that banking apps scan. */

/** Lengths by country, SWIFT IBAN registry; the countries of the SEPA schemes first, for only they can be paid by the QR code. */
const SEPA_LENGTHS =
  'AD24 AL28 AT20 BE16 BG22 CH21 CY28 CZ24 DE22 DK18 EE20 ES24 FI18 FR27 GB22 GI23 GR27 HR21 HU28 IE22 IS26 IT27 LI21 LT20 LU20 LV21 MC27 MD24 ME22 MK19 MT31 NL18 NO15 PL28 PT25 RO24 RS22 SE24 SI19 SK24 SM27 VA22';
const OTHER_LENGTHS =
  'AE23 AZ28 BA20 BH22 BI27 BR29 BY28 CR22 DJ27 DO28 EG29 FK18 FO18 GE22 GL18 GT28 HN28 IL23 IQ23 JO30 KW30 KZ20 LB28 LC32 LY25 MN20 MR27 MU30 NI28 OM23 PK24 PS29 QA29 RU33 SA24 SC31 SD18 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VG24 XK20 YE30';
const SEPA = lengthTable(SEPA_LENGTHS);
const IBAN_LENGTH = new Map([...SEPA, ...lengthTable(OTHER_LENGTHS)]);

const MAX_AMOUNT_CENTS = 99_999_999_999n;
const MAX_NAME_CHARACTERS = 70;
const MAX_REFERENCE_CHARACTERS = 140;
/** A QR code of version 13, error correction M, holds no more; the guideline allows no bigger one. */
const MAX_BYTES = 331;

export type EpcTransfer = { iban: string; bic?: string; name: string; amountCents: bigint; reference?: string };

/**
 * The text of the code for a SEPA credit transfer in euros, the reference as unstructured remittance information. Undefined when anything in
 * it is not sure to arrive whole: bad or non-SEPA IBAN, bad BIC, no name, amount out of 0.01 to 999,999,999.99, reference over 140 characters.
 */
export function epcQr(transfer: EpcTransfer): string | undefined {
  const iban = compact(transfer.iban);
  const bic = compact(transfer.bic ?? '');
  const name = oneLine(transfer.name, MAX_NAME_CHARACTERS);
  const reference = oneLine(transfer.reference ?? '');
  const { amountCents } = transfer;
  if (!isValidIban(iban) || !SEPA.has(iban.slice(0, 2)) || (bic !== '' && !isValidBic(bic)) || name === '') return undefined;
  if (amountCents < 1n || amountCents > MAX_AMOUNT_CENTS || [...reference].length > MAX_REFERENCE_CHARACTERS) return undefined;
  const amount = `EUR${amountCents / 100n}.${(amountCents % 100n).toString().padStart(2, '0')}`;
  // Lines: service, version, UTF-8, SEPA transfer, BIC, name, IBAN, amount, purpose, structured reference, free text.
  const text = ['BCD', '002', '1', 'SCT', bic, name, iban, amount, '', '', reference].join('\n').trimEnd();
  return new TextEncoder().encode(text).length <= MAX_BYTES ? text : undefined;
}

/** ISO 13616: known country, its length, mod 97. Blanks and lower case are tolerated. */
export function isValidIban(text: string): boolean {
  const iban = compact(text);
  if (!/^[A-Z]{2}(?!00|01|99)\d{2}[A-Z0-9]+$/.test(iban) || iban.length !== IBAN_LENGTH.get(iban.slice(0, 2))) return false;
  const digits = (iban.slice(4) + iban.slice(0, 4)).replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  return BigInt(digits) % 97n === 1n;
}

/** First and last four characters (`DE89…3000`), as much as people need to know their own account by. Nothing of a text too short to hide any. */
export function maskIban(text: string): string {
  const iban = compact(text);
  return iban.length < 12 ? '…' : `${iban.slice(0, 4)}…${iban.slice(-4)}`;
}

/** ISO 9362 in the pattern of ISO 20022: 8 or 11 characters. Blanks and lower case are tolerated. */
export function isValidBic(text: string): boolean {
  return /^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$/.test(compact(text));
}

function compact(text: string): string {
  return text.replace(/\s+/g, '').toUpperCase();
}

/** A line break inside a value would shift every line below it. */
function oneLine(text: string, maxCharacters?: number): string {
  // oxlint-disable-next-line no-control-regex
  const line = text.replace(/[\s\u0000-\u001f\u007f]+/g, ' ').trim();
  return maxCharacters === undefined ? line : [...line].slice(0, maxCharacters).join('').trim();
}

function lengthTable(text: string): Map<string, number> {
  return new Map(text.split(' ').map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]));
}
