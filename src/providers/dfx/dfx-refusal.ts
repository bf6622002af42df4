/** What DFX's error words mean here. An answer with status 200 has them in `errors`, a 4xx in `message`. */
import { decimalTimesCeil, decimalTimesFloor, satsPerBtc, type Decimal } from '../../domain/money.ts';
import { sides, type ExchangeRamp } from '../../domain/ramp.ts';
import type { Limits, Refusal } from '../../domain/refusal.ts';
import { ceilToStep, floorToStep } from './dfx-step.ts';
import { messagesIn, type QuoteReply } from './dfx-wire.ts';

type Meaning = Pick<Refusal, 'reason' | 'note'> & { limit?: 'min' | 'max' };
const declined: Meaning = { reason: 'declined' };
const option: Meaning = { reason: 'option-unsupported' };
const country: Meaning = { reason: 'country-restricted' };
const iban: Meaning = { reason: 'declined', note: 'iban-invalid' };
const kyc: Meaning = { reason: 'kyc-required' };

const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['AmountTooLow', { reason: 'below-minimum', limit: 'min' }],
  ['AmountTooHigh', { reason: 'above-maximum', limit: 'max' }],
  // The limit is what a customer may exchange in 30 days without being identified.
  ['LimitExceeded', { reason: 'kyc-required', limit: 'max' }],
  ['AssetUnsupported', option],
  ['CurrencyUnsupported', { reason: 'currency-unsupported' }],
  ['PaymentMethodNotAllowed', option],
  ['NoBankAvailableForThisCurrency', option],
  ['CountryNotAllowed', country],
  ['NationalityNotAllowed', country],
  ['IbanCurrencyMismatch', iban],
  ['EmailRequired', kyc],
  ['RecommendationRequired', kyc],
  ['KycRequired', kyc],
  ['KycRequiredInstant', kyc],
  ['KycDataRequired', kyc],
  ['NameRequired', kyc],
  ['VideoIdentRequired', kyc],
  ['BankTransactionMissing', kyc],
  ['BankTransactionOrVideoMissing', kyc],
]);
const sentences: readonly (readonly [RegExp, Meaning])[] = [
  [/^CHF transactions are only permitted/i, iban],
  [/^No Bank for the given/i, option],
  [/country of IP address/i, country],
  [/^Address already linked/i, { reason: 'account-required' }],
  // The user, the account or its risk status is blocked. DFX's framework has no other word for it.
  [/^Forbidden resource/i, { reason: 'declined', note: 'order-refused' }],
];
const meaningOf = (said: string): Meaning =>
  meanings.get(said) ?? (/^PrimaryE?mail/i.test(said) ? kyc : (sentences.find(([form]) => form.test(said))?.[1] ?? declined));

/** The statuses of DFX's own refusals. Any other 4xx that a caller does not expect comes from something else, such as a wrong `base_url`. */
export const refusing = new Set([400, 403, 409, 422]);

/** The step of DFX's page that is opened for an error word. For any other word, the page itself chooses the step. */
const steps: ReadonlyMap<string, string> = new Map([
  ['RecommendationRequired', 'Recommendation'],
  ['EmailRequired', 'ContactData'],
  ['BankTransactionOrVideoMissing', 'Ident/SumsubVideo'],
  ['VideoIdentRequired', 'Ident/SumsubVideo'],
]);
/** The error words for which no step of the page helps. */
const helpless = new Set(['BankTransactionMissing']);

/** Returns the link to the page where the customer identifies themselves, unless no step of it helps. Whoever has the link acts as the customer. */
export const kycPage = (pagesUrl: string, hash: string, word: string | undefined): string | undefined => {
  if (word !== undefined && helpless.has(word)) return undefined;
  const step = word === undefined ? undefined : steps.get(word);
  return `${pagesUrl.replace(/\/+$/, '')}/kyc?${new URLSearchParams({ code: hash, ...(step === undefined ? {} : { step }) }).toString()}`;
};

const isWord = /^[A-Za-z]{1,64}$/;

/**
 * The price of a sale is requested without a login. If DFX answers that it must know more about the customer, and not because of a limit, the
 * customer needs an account first.
 */
const withoutAccount = (ramp: ExchangeRamp, reason: Refusal['reason'], hasLimit: boolean): Refusal['reason'] =>
  ramp === 'sell' && reason === 'kyc-required' && !hasLimit ? 'account-required' : reason;

const refusalFor = (said: string, ramp: ExchangeRamp, isUser: boolean): Refusal => {
  const { reason, note, limit } = meaningOf(said);
  return {
    reason: isUser ? reason : withoutAccount(ramp, reason, limit !== undefined),
    ...(note === undefined ? {} : { note }),
    ...(isWord.test(said) ? { detail: said } : {}),
  };
};

/**
 * Rounds a minimum up and a maximum down, so that the limit that the customer sees is itself allowed. For a sale, `limitsOf` then rounds sats to 5
 * significant digits.
 */
const units = {
  fiat: { min: (limit: Decimal) => decimalTimesCeil(limit, 100n), max: (limit: Decimal) => decimalTimesFloor(limit, 100n) },
  sats: { min: (limit: Decimal) => decimalTimesCeil(limit, satsPerBtc), max: (limit: Decimal) => decimalTimesFloor(limit, satsPerBtc) },
} as const;

type Request = { ramp: ExchangeRamp; fixed: 'pay' | 'receive' };
const limitsOf = ({ ramp, fixed }: Request, bound: 'min' | 'max', limit: Decimal | undefined): { limits?: Limits } => {
  if (limit === undefined) return {};
  const unit = sides[ramp][fixed];
  const plain = units[unit][bound](limit);
  const amount = ramp === 'sell' && unit === 'sats' ? (bound === 'min' ? ceilToStep(plain) : floorToStep(plain)) : plain;
  if (amount <= 0n) return {};
  const name = `${bound}${fixed === 'pay' ? 'Pay' : 'Receive'}` as const;
  return { limits: { [name]: amount } };
};

/**
 * Returns why DFX gives no price or takes no order, with its limit in the unit of the request. Undefined if there is no refusal. `isUser`: the
 * request was made as a user of DFX.
 */
export const refusalIn = (reply: QuoteReply, request: Request, isUser = false): Refusal | undefined => {
  const first = reply.errors?.[0] ?? (reply.error === undefined ? undefined : { error: reply.error, limit: undefined, limitTarget: undefined });
  if (reply.isValid && first === undefined) return undefined;
  if (first === undefined) return { reason: 'declined' };
  const bound = meaningOf(first.error).limit;
  const refusal = refusalFor(first.error, request.ramp, isUser);
  if (bound === undefined) return refusal;
  const volumes = { min: { pay: reply.minVolume, receive: reply.minVolumeTarget }, max: { pay: reply.maxVolume, receive: reply.maxVolumeTarget } };
  const stated = request.fixed === 'pay' ? first.limit : first.limitTarget;
  // LimitExceeded is about one person. The volumes are everyone's limits, so they do not apply to it.
  const general = first.error === 'LimitExceeded' ? undefined : volumes[bound][request.fixed];
  return { ...refusal, ...limitsOf(request, bound, stated ?? general) };
};

/**
 * Returns what a 4xx says. `isOperators`: DFX refuses the caller's country, which is the gateway's and not the customer's. `isUser`: the request was
 * made as a user of DFX.
 */
export const refusalOfBody = (body: unknown, ramp: ExchangeRamp, isUser = false): { refusal: Refusal; isOperators: boolean } => {
  const said = messagesIn(body);
  const known = said.find((one) => meaningOf(one) !== declined) ?? said[0] ?? '';
  return { refusal: refusalFor(known, ramp, isUser), isOperators: /country of IP address/i.test(known) };
};
