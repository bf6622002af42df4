/** Who may trade at the simulated DFX, and how much. */
import type { Fraction } from './dfx.simulator-amounts.ts';
import { walletOf, type Account, type Books, type User } from './dfx.simulator-books.ts';
import { inChf, type Ramp } from './dfx.simulator-price.ts';
import type { QuoteError, SimulatedCurrency } from './dfx.simulator-state.ts';

const dayMs = 86_400_000;
/** Below this level, a customer is not identified. */
const identified = 50;
/** A sale for EUR that is worth more than this, in hundredths of CHF, needs an earlier bank transfer from the customer. */
const saleNeedsTransfer = 100_000;

/** Returns what an account may trade in its period, in hundredths of CHF. UNKNOWN in the docs: the words for the period. */
export const limitOf = ({ options }: Books, account: Account): { limit: number; period: 'Month' | 'Year'; ms: number } =>
  account.level >= identified
    ? { limit: options.yearlyLimit, period: 'Year', ms: 365 * dayMs }
    : { limit: options.monthlyLimit, period: 'Month', ms: 30 * dayMs };

/** Returns what an account traded in its period, in hundredths of CHF at today's price. Money that went back does not count. */
export const volumeOf = (books: Books, account: Account): number => {
  const { options } = books;
  const since = options.now() - limitOf(books, account).ms;
  return books.transactions
    .filter(({ route, createdOn, chargeback }) => route?.user.account === account && createdOn > since && chargeback === undefined)
    .reduce(
      (sum, { ramp, currency, input, output }) => sum + (ramp === 'buy' ? inChf(options, currency, input) : output ? inChf(options, currency, output) : 0),
      0,
    );
};

/** Returns why this customer's orders are not even priced, or undefined if they are. DFX checks the e-mail address before the approval. */
export const entryReason = (books: Books, user: User): QuoteError | undefined => {
  if (user.account.mail === undefined) return 'EmailRequired';
  const isTrusted = walletOf(books, user)?.autoTradeApproval === true;
  return user.account.approved || isTrusted ? undefined : 'RecommendationRequired';
};

export type Wish = { ramp: Ramp; method: 'Bank' | 'Instant' | 'Card'; currency: SimulatedCurrency; iban: string | undefined };

/** Returns why this customer cannot trade this amount of the currency. */
export const reasonsAgainst = (books: Books, user: User, { ramp, method, currency, iban }: Wish, fiat: Fraction): QuoteError[] => {
  const { options } = books;
  const { account } = user;
  const francs = inChf(options, currency, fiat);
  const entry = entryReason(books, user);
  const isRefused = (country: string | undefined): boolean => country !== undefined && options.refusedCountries.includes(country);
  const all: [boolean, QuoteError][] = [
    [isRefused(account.country), 'CountryNotAllowed'],
    [isRefused(account.nationality), 'NationalityNotAllowed'],
    [ramp === 'sell' && !account.dataComplete, 'KycDataRequired'],
    [ramp === 'sell' && currency.name === 'EUR' && francs > saleNeedsTransfer && !account.transferSeen, 'BankTransactionOrVideoMissing'],
    [method === 'Instant' && !account.instantAllowed, 'KycRequiredInstant'],
    [francs + volumeOf(books, account) > limitOf(books, account).limit, 'LimitExceeded'],
    [iban !== undefined && !currency.allowedIbanCountries.includes(iban.slice(0, 2)), 'IbanCurrencyMismatch'],
  ];
  return [...(entry ? [entry] : []), ...all.filter(([holds]) => holds).map(([, reason]) => reason)];
};

/** Returns whether the account is blocked, so that its orders get a 403. UNKNOWN in the docs: whether a rejected customer gets that 403, too. */
export const isBlocked = ({ account }: User): boolean => account.blocked || account.level < 0;
