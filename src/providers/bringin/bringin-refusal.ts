/** Finds out what a refusal by Bringin is about. Uses its words, because its codes are not documented. The words themselves are not passed on. */
import type { Refusal, RefusalNote } from '../../domain/refusal.ts';
import { asSentence, readError } from '../kit/read-error.ts';

const bad = '(?:wrong|incorrect|invalid|expired)';
const isCode = new RegExp(
  String.raw`\botp\b|\bone time (?:code|password)\b|\b(?:verification|sms|security|confirmation) ?code\b|\b${bad} (?:code|pin)\b|\b(?:code|pin) (?:is |has |was |does )?(?:${bad}|not)\b|\bchallenge\b`,
);
const isOver = /\bexpired?\b|\bexpires\b|\bno longer valid\b|\btoo many\b|\battempts? (?:exceeded|exhausted|used)\b|\bno (?:more )?attempts\b|\btimed? ?out\b/;
const isIdentity =
  /\bkyc\b|\bidentity\b|\b(?:user|account|customer|profile) (?:is |has )?(?:not|isn't|has not been)(?: yet| been| fully)* (?:verified|approved|activated|onboarded)\b|\bverify your (?:identity|account)\b|\bnot (?:yet )?approved\b|\btier\b/;
const isCountry = /\bcountry\b|\bregion\b|\bjurisdiction\b|\bresiden|\bsanction/;

const sentenceOf = (body: unknown): string => asSentence(readError(body));

/**
 * Returns whether a 401 or 403 is about the key. Bringin returns 403 for a bad key, but similar servers also return it for a wrong code, an
 * unverified person or a country.
 */
export const isAboutKey = (body: unknown): boolean => {
  const sentence = sentenceOf(body);
  if (/\bapi ?key\b|\bunauthori[sz]ed\b|\bunauthenticated\b/.test(sentence)) return true;
  return !(isCode.test(sentence) || isIdentity.test(sentence) || isCountry.test(sentence));
};

/** Returns what Bringin's error text says about the code that the customer entered; undefined if it says nothing about it. */
export const codeVerdict = (body: unknown): 'expired' | 'wrong' | undefined => {
  const sentence = sentenceOf(body);
  if (isOver.test(sentence)) return 'expired';
  return isCode.test(sentence) && /\bwrong\b|\bincorrect\b|\binvalid\b|\bmismatch|\bdoes not match\b|\bdoesn't match\b/.test(sentence) ? 'wrong' : undefined;
};

const isTooLittle = /\bbelow\b|\bminimum\b|\bat least\b|\btoo (?:small|low)\b|\b(?:less|lower|smaller) than\b|\bmust be (?:greater|more|higher)\b/;
const isTooMuch =
  /\babove\b|\bmaximum\b|\bat most\b|\btoo (?:large|high|big)\b|\bexceed|\blimit reached\b|\b(?:greater|more|higher) than\b|\bmust be (?:less|lower)\b/;

/** Returns a reason that is more specific than `declined`, if the error text gives one. */
export const reasonIn = (body: unknown): Refusal['reason'] | undefined => {
  const sentence = sentenceOf(body);
  if (isIdentity.test(sentence)) return 'kyc-required';
  if (isCountry.test(sentence)) return 'country-restricted';
  if (!/\bamount\b|\bsats?\b|\beur\b|\beuros?\b|\bminimum\b|\bmaximum\b|\bdeposit\b|\btransaction\b/.test(sentence)) return undefined;
  const [little, much] = [isTooLittle.test(sentence), isTooMuch.test(sentence)];
  return little === much ? undefined : little ? 'below-minimum' : 'above-maximum';
};

const taken = /\btaken\b|\bexists?\b|\bin use\b|\bused\b|\bduplicate|\bunique\b|\bconflict\b|\balready\b/;
const isUsername = /\blightning\b|\bln ?address\b|\busername\b|\baddress\b/;

/** Returns why a connection was not made: which of its names is taken, or which part is wrong. Undefined if the words do not say. */
export const linkNote = (body: unknown): RefusalNote | undefined => {
  const sentence = sentenceOf(body);
  if (taken.test(sentence))
    return isUsername.test(sentence) ? 'username-taken' : /\bname\b|\blink\b|\bconnection\b/.test(sentence) ? 'connection-name-taken' : undefined;
  if (/\biban\b/.test(sentence)) return 'iban-invalid';
  if (/\bbic\b|\bswift\b/.test(sentence)) return 'bic-invalid';
  if (/\bbeneficiary\b/.test(sentence)) return 'beneficiary-name-invalid';
  if (/\bln ?address\b|\blightning ?address\b|\busername\b/.test(sentence)) return 'username-invalid';
  if (/\bdestination ?address\b|\bbitcoin address\b|\bbtc ?address\b/.test(sentence)) return 'address-invalid';
  return undefined;
};

/** Returns whether a refusal of `/application/connect` is about what the operator sends, and not about the customer's e-mail. */
export const isAboutOperator = (body: unknown): boolean =>
  /\bcallback\b|\bsignature\b|\bhmac\b|\btimestamp\b|\bauthorization\b|\bapplication\b|\bmaster key\b/.test(sentenceOf(body));
