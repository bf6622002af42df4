/**
 * Accounts. A per-user key decides whose account gets the sats. So a key is accepted only from Bringin's response to a call with our master key, or
 * from the customer, after a call with the key has succeeded. A key in a notice is ignored; the notice only causes readAccount.
 */
import { defined } from '../../domain/defined.ts';
import { afterwards, ProviderFault } from '../fault.ts';
import type { AccountRequest, AccountState, Answer, CallContext } from '../spec.ts';
import * as api from './bringin-api.ts';
import type { Bringin } from './bringin-api.ts';
import { declined, KeyRefused, readCustomer, refused, showAccount, withKey, writeCustomer, type BringinCustomer } from './bringin-customer.ts';
import { accountFrom, isEmail, type AccountFacts } from './bringin-mapping.ts';
import { isAboutOperator } from './bringin-refusal.ts';
import type { StatusReply } from './bringin-wire.ts';

/** Starts an account or recovers a lost key: connect may be called again for the same e-mail, and returns the key of a connected user at once. */
export const startAccount = async (bringin: Bringin, context: CallContext, request: AccountRequest): Promise<Answer<AccountState>> => {
  const email = (request.email ?? '').trim();
  if (!isEmail(email)) return declined('email-invalid');
  // Bringin appends the event's path to the callback.
  const callback = request.noticeUrl?.replace(/\/+$/, '');
  const reply = await api.connect(bringin, context, { email, ref: request.ref, ...(callback === undefined ? {} : { callback }) });
  if (!reply.ok) {
    if (isAboutOperator(reply.body))
      throw new ProviderFault('rejected-credentials', `Bringin refused to connect the account (status ${reply.status})`, { status: reply.status, taken: 'no' });
    return refused(reply.body, 'email-refused');
  }
  const facts = accountFrom(reply.value, bringin.settings.signup_hosts, bringin.deps.mode === 'sandbox');
  if (!facts) {
    if (reply.status === 409) return declined('email-refused');
    throw new ProviderFault('malformed', 'the answer to the call that connects the account has an unknown form');
  }
  if (facts.status === 'onboarding' && facts.signupUrl === undefined)
    bringin.deps.log('warn', 'bringin_signup_link_missing', { untrusted: reply.value.signupUrl !== undefined });
  const { key, userId } = readCustomer(context) ?? {};
  const asked = { status: facts.status, email, ref: request.ref, ...defined({ key, userId }) };
  return answerWith(await afterwards(withFacts(bringin, context, asked, facts)), facts.mailSent);
};

/** Reads the account. Checks whether its key still works. If it does not, asks with the master key whether there is a newer key. */
export const readAccount = async (bringin: Bringin, context: CallContext): Promise<Answer<AccountState>> => {
  const customer = readCustomer(context);
  if (!customer) return { ok: false, refusal: { reason: 'account-required' } };
  if (customer.key === undefined) return await pollAccount(bringin, context, customer);
  const userId = await userIdOf(bringin, context, customer.key);
  if (userId !== undefined) return answerWith({ ...customer, status: 'connected', userId });
  const polled = await pollAccount(bringin, context, { ...customer, status: 'needs_reconnect' });
  const found = polled.customer === undefined ? undefined : readCustomer(polled);
  if (found?.status === 'connected' && found.key !== customer.key) {
    bringin.deps.log('warn', 'bringin_key_replaced');
    return polled;
  }
  bringin.deps.log('warn', 'bringin_key_refused');
  return answerWith({ ...customer, status: 'needs_reconnect' });
};

/**
 * Adopts a key that the customer pasted from Bringin's dashboard (Integrations). Registers no callback; without one, everything is polled. Once the
 * account has a key, refuses another user's key, with which the account's earlier orders could not be read.
 */
export const adoptKey = async (bringin: Bringin, context: CallContext, request: { key: string }): Promise<Answer<AccountState>> => {
  const key = request.key.trim();
  if (!/^[\x21-\x7e]{8,256}$/.test(key)) return declined('key-invalid');
  const userId = await userIdOf(bringin, context, key);
  if (userId === undefined) return declined('key-refused');
  const before = readCustomer(context);
  const owner = before?.userId ?? (before?.key === undefined ? undefined : await userIdOf(bringin, context, before.key));
  // If nobody can say whose key the account has, no other key is accepted. The customer can still connect the account again by its e-mail.
  if ((before?.key !== undefined || owner !== undefined) && owner !== userId) return declined('key-of-another');
  // An e-mail that was only entered is dropped: it may be another user's, and would bring that user's key.
  const { email, ref } = owner === userId ? (before ?? {}) : {};
  return answerWith({ status: 'connected', key, userId, ...(email === undefined ? {} : { email }), ...(ref === undefined ? {} : { ref }) });
};

export const balance = async (bringin: Bringin, context: CallContext): Promise<Answer<{ currency: string; amountFiat: bigint }>> =>
  await withKey(context, async (key) => ({ ok: true as const, value: { currency: 'EUR', amountFiat: await api.getBalance(bringin, context, key) } }));

const pollAccount = async (bringin: Bringin, context: CallContext, customer: BringinCustomer): Promise<Answer<AccountState>> => {
  if (customer.email === undefined) return answerWith({ ...customer, status: 'needs_reconnect' });
  const reply = await api.connectStatus(bringin, context, customer.email);
  if (!reply.ok) return answerWith({ ...customer, status: 'needs_reconnect' });
  const facts = polledFacts(reply.value);
  if (!facts) bringin.deps.log('warn', 'bringin_status_unknown', { of: 'account' });
  return answerWith(facts ? await withFacts(bringin, context, customer, facts) : customer);
};

/** Maps the polled status. Returns undefined for an unknown status, which changes nothing. */
const polledFacts = ({ status: word, apiKey, userId }: StatusReply): AccountFacts | undefined => {
  const status = word.toLowerCase();
  if (status === 'onboarding' || status === 'pending' || status === 'rejected') return { status };
  if (status !== 'connected') return undefined;
  if (apiKey === undefined) throw new ProviderFault('malformed', 'the account is connected, but the answer has no key');
  return { status, key: apiKey, ...(userId === undefined ? {} : { userId }) };
};

/**
 * Returns the account with what Bringin has just said about its e-mail. If Bringin states no key, the old key is forgotten, but not the user's id. If
 * the e-mail has become another user's, the account stays as it was and needs reconnecting: its earlier orders could not be read with that user's
 * key. If Bringin does not name the user of a new key, we ask with the new key, because the old one may no longer work.
 */
const withFacts = async (bringin: Bringin, context: CallContext, before: BringinCustomer, facts: AccountFacts): Promise<BringinCustomer> => {
  const { key: known, userId: owner, ...rest } = before;
  const { mailSent: _told, ...said } = facts;
  if (said.key === undefined) return { ...rest, ...said, ...defined({ userId: owner }) };
  const userId = said.userId ?? (said.key === known ? owner : undefined) ?? (await userIdOf(bringin, context, said.key));
  if (owner === undefined || userId === owner) return { ...rest, ...said, ...defined({ userId }) };
  bringin.deps.log('warn', 'bringin_key_of_another');
  return { ...before, status: 'needs_reconnect' };
};

const answerWith = (customer: BringinCustomer, mailSent?: boolean): Answer<AccountState> & { customer: string } => ({
  ok: true,
  value: showAccount(customer, mailSent),
  customer: writeCustomer(customer),
});

/** Returns the user's id, or undefined if the key is refused, whatever the HTTP status. */
const userIdOf = async (bringin: Bringin, context: CallContext, key: string): Promise<string | undefined> => {
  try {
    const reply = await api.userId(bringin, context, key);
    return reply.ok ? reply.value.userId : undefined;
  } catch (error) {
    if (error instanceof KeyRefused) return undefined;
    throw error;
  }
};
