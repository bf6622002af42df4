/** Makes the text of the EPC QR code (EPC069-12 version 002) that banking apps scan. */
import { isInEea, isPlaceholder, isQrIban, isSepa, readBic, readIban } from './bank-account.ts';

const MAX_AMOUNT_CENTS = 99_999_999_999n;
const MAX_NAME_CHARACTERS = 70;
const MAX_REFERENCE_CHARACTERS = 140;
/** How many bytes a QR code of version 13 with error correction M holds. The guideline allows no bigger code. */
const MAX_BYTES = 331;

export type EpcTransfer = { iban: string; bic?: string; name: string; amountCents: bigint; reference?: string };

/**
 * Returns the text of the code for a SEPA credit transfer in euros, with the reference as unstructured remittance information. Returns undefined for
 * a bad or non-SEPA IBAN, a Swiss QR-IBAN, a bad BIC, no BIC for an account outside the EEA (version 002 requires one there), no name, an amount
 * outside 0.01 to 999,999,999.99, a reference over 140 characters, or a text over 331 bytes. A name over 70 characters is cut.
 */
export function epcQr(transfer: EpcTransfer): string | undefined {
  const iban = readIban(transfer.iban);
  const bic = isPlaceholder(transfer.bic ?? '') ? '' : readBic(transfer.bic ?? '');
  const name = oneLine(transfer.name, MAX_NAME_CHARACTERS);
  const reference = oneLine(transfer.reference ?? '');
  const { amountCents } = transfer;
  if (iban === undefined || !isSepa(iban) || isQrIban(iban) || bic === undefined || (bic === '' && !isInEea(iban)) || name === '') return undefined;
  if (amountCents < 1n || amountCents > MAX_AMOUNT_CENTS || [...reference].length > MAX_REFERENCE_CHARACTERS) return undefined;
  const amount = `EUR${amountCents / 100n}.${(amountCents % 100n).toString().padStart(2, '0')}`;
  // Lines: service, version, UTF-8, SEPA transfer, BIC, name, IBAN, amount, purpose, structured reference, free text.
  const text = ['BCD', '002', '1', 'SCT', bic, name, iban, amount, '', '', reference].join('\n').trimEnd();
  return new TextEncoder().encode(text).length <= MAX_BYTES ? text : undefined;
}

/** Puts a value on one line and removes invisible characters. A line break in a value would shift the lines below it. */
function oneLine(text: string, maxCharacters?: number): string {
  const line = text
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .replace(/\p{Cf}/gu, '')
    .trim();
  return maxCharacters === undefined ? line : [...line].slice(0, maxCharacters).join('').trim();
}
