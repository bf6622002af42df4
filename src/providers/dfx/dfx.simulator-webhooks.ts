/** Webhooks of the simulated DFX: a static key, no signature and no timestamp. At most three tries, 5 s apart; an equal body is sent only once. */
import { walletOf, type Account, type Books, type Transaction, type User } from './dfx.simulator-books.ts';
import { transactionRow } from './dfx.simulator-transactions.ts';

const tries = 3;
const pauseMs = 5000;
type Event = 'Payment' | 'KycChanged' | 'KycFailed' | 'AccountChanged';

/** Tells the partner of the customer's wallet what became of a payment. */
export const tellPayment = async (books: Books, transaction: Transaction): Promise<void> => {
  const { route, id, reason } = transaction;
  // UNKNOWN in the docs: what dfxReference is.
  if (route)
    await tell(books, route.user, { type: 'Payment', data: { ...transactionRow(books, transaction, true), dfxReference: id }, reason: reason ?? null });
};

/** KYC events hold personal data. UNKNOWN in the docs: the members of `data`. */
export const tellAccount = async (books: Books, account: Account, type: Exclude<Event, 'Payment'>): Promise<void> => {
  const data = { mail: account.mail ?? null, name: account.name ?? null, birthday: '1990-01-01', address: 'Examplestrasse 1', kycLevel: account.level };
  for (const user of books.users) if (user.account === account) await tell(books, user, { type, data, reason: null });
};

const tell = async (books: Books, user: User, event: { type: Event; data: object; reason: string | null }): Promise<void> => {
  const { webhooks } = books.options;
  const partner = walletOf(books, user);
  if (partner?.apiUrl === undefined || partner.apiKey === undefined || webhooks === 'missing') return;
  const body = JSON.stringify({ accountId: user.account.id, id: user.address, ...event });
  if (books.told.has(body)) return;
  books.told.add(body);
  const key = webhooks === 'no-key' ? undefined : webhooks === 'wrong-key' ? 'another-key' : partner.apiKey;
  const message = { url: partner.apiUrl, key, body };
  await post(books, message, tries);
  if (webhooks === 'duplicated') await post(books, message);
};

/** `left`: how many tries may be made, this one included. Returns after this one; the others follow by the simulator's clock. */
export const post = async (books: Books, message: { url: string; key: string | undefined; body: string }, left = 1): Promise<void> => {
  const { url, key, body } = message;
  const headers = { 'content-type': 'application/json', ...(key === undefined ? {} : { 'x-api-key': key }) };
  const sent = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(5000) }).catch(() => undefined);
  books.webhooks.push({ at: books.options.now(), url, body: JSON.parse(body), status: sent?.status });
  if (sent?.ok !== true && left > 1) books.later(pauseMs, async () => await post(books, message, left - 1));
};
