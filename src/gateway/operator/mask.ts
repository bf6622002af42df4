/** Masks values in stored JSON that identify a person or are worth stealing. It recognises them by the member's name and by their form. */
import type { Json } from '../../domain/offer.ts';

const secretNames =
  /token|secret|signature|api_?key|private|password|lnurl|invoice|payment_?(?:info|details|url|link)|iban|bic|e_?mail|beneficiary|holder|address|bolt11|customer_?ip|phone|redeem|otp/i;
const secretForms: readonly RegExp[] = [
  // This pattern begins only where a word begins: a search from each character of a long word would take time that grows with the square of its
  // length.
  /(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.]+/g,
  /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b/g,
  /\b(?:lnurl1|lnbc|lntb|lnbcrt|lntbs)[02-9ac-hj-np-z]{20,}/gi,
  /\b(?:bc1|tb1|bcrt1)[02-9ac-hj-np-z]{11,}/gi,
  /\b(?:whsec|sk|pk)_[\w-]{8,}/g,
  /\b(?:\d{1,3}\.){3}\d{1,3}\b/g,
  /\bv1\.[\w-]{1,32}\.[\w-]{54}\.[\w-]{16}\.[\w-]+/g,
];
const masked = '•••';

export const mask = (value: Json, name = ''): Json => {
  if (value === null || typeof value === 'boolean') return value;
  if (secretNames.test(name)) return masked;
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return maskText(value);
  if (Array.isArray(value)) return value.map((item) => mask(item));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mask(item, key)]));
};

export const maskText = (text: string): string => secretForms.reduce((rest, form) => rest.replaceAll(form, masked), text);
