/**
 * Accounts at DFX. A user of DFX is one address, and one account serves both ramps. DFX wants an e-mail address, and for sales the customer's name
 * and home address, which they enter on DFX's own page.
 */
import { defined } from '../../domain/defined.ts';
import type { PayoutTo } from '../../domain/payout.ts';
import type { RefusalNote } from '../../domain/refusal.ts';
import { afterwards, ProviderFault } from '../fault.ts';
import type { AccountAdapter, AccountRequest, AccountState, Answer, CallContext } from '../spec.ts';
import { readUser, setMail, unexpected, verifyMail, type Dfx } from './dfx-api.ts';
import { addressOf } from './dfx-identity.ts';
import { asUser, logIn, mayHavePage, refusedBy, userOf } from './dfx-login.ts';
import type { UserReply } from './dfx-order-wire.ts';
import { kycPage, refusing } from './dfx-refusal.ts';
import { pagesOf } from './dfx-settings.ts';
import { readUserBlob, writeUserBlob, type KnownUser } from './dfx-user-blob.ts';

type Refusal = Extract<Answer<never>, { ok: false }>;
const declined = (note: RefusalNote): Refusal => ({ ok: false, refusal: { reason: 'declined', note } });
const noAccount: Refusal = { ok: false, refusal: { reason: 'account-required' } };

export const dfxAccounts = (dfx: Dfx): AccountAdapter => ({
  takes: ['payout_to', 'email'],
  knownBy: 'payout_to',
  pageHosts: [new URL(pagesOf(dfx.settings)).hostname],
  startAccount: async (context, request) => await start(dfx, context, request),
  readAccount: async (context) => {
    const user = readUserBlob(context);
    return user ? await read(dfx, context, user) : noAccount;
  },
  codes: {
    send: async (context) => {
      const user = readUserBlob(context);
      return user?.mail === undefined ? declined('no-code-expected') : await withMail(dfx, context, user, user.mail);
    },
    confirm: async (context, code) => await confirm(dfx, context, code),
  },
});

const start = async (dfx: Dfx, context: CallContext, { email, payoutTo }: AccountRequest): Promise<Answer<AccountState>> => {
  const known = readUserBlob(context);
  const user =
    known && isOf(known, payoutTo) ? { ...known, ...(payoutTo?.isProven === true ? { isProven: true } : {}) } : known ? undefined : userOf(dfx, payoutTo);
  // An account keeps its address, because the orders under way belong to that address.
  if (!user) return payoutTo === undefined ? { ok: true, value: { status: 'onboarding', needs: ['payout_to'] } } : declined('payout-refused');
  const login = await logIn(dfx, context, user.address);
  if ('refusal' in login) return { ok: false, refusal: login.refusal };
  const now = { ...user, token: login.token };
  // If the address was new to DFX, the login has created the user.
  const said = await afterwards(readUser(dfx, context, login.token));
  if (!said.ok) throw unexpected(said, 'a request about the user');
  if (said.value.mail !== undefined || email === undefined) return stated(dfx, now, said.value);
  return await afterwards(withMail(dfx, context, now, email));
};

const isOf = ({ address }: KnownUser, payoutTo: PayoutTo | undefined): boolean => payoutTo === undefined || addressOf(payoutTo) === address;

/** Tells DFX the e-mail address. DFX takes it at once, or sends a code to it. */
const withMail = async (dfx: Dfx, context: CallContext, user: KnownUser, mail: string): Promise<Answer<AccountState>> => {
  const { token, ...rest } = user;
  const reply = await setMail(dfx, context, token ?? (await tokenFor(dfx, context, user)), mail);
  // A 401 means that DFX has made this user part of the account that has the e-mail address, so the earlier login is no longer valid.
  if (!reply.ok && reply.status === 401) return await afterwards(read(dfx, context, rest));
  if (!reply.ok && reply.status === 409) return { ...declined('email-refused'), customer: writeUserBlob(user) };
  if (!reply.ok) {
    if (!refusing.has(reply.status)) throw unexpected(reply, 'an e-mail address');
    const refusal = refusedBy(dfx, reply.body, 'sell');
    return { ok: false, refusal: refusal.reason === 'declined' ? { ...refusal, note: 'email-refused' } : refusal, customer: writeUserBlob(user) };
  }
  return await afterwards(read(dfx, context, reply.status === 202 ? { ...user, mail } : user));
};

const tokenFor = async (dfx: Dfx, context: CallContext, user: KnownUser): Promise<string> => {
  const login = await logIn(dfx, context, user.address);
  if ('refusal' in login) {
    // A fault without a status means that the operator's key is missing, so nobody can be served. A fault about one customer has a status.
    const isKeyMissing = login.refusal.note === 'token-refused';
    throw new ProviderFault('rejected-credentials', 'the login of a known user was refused', { taken: 'no', ...(isKeyMissing ? {} : { status: 403 }) });
  }
  return login.token;
};

const read = async (dfx: Dfx, context: CallContext, user: KnownUser): Promise<Answer<AccountState>> => {
  const said = await asUser(dfx, context, user, async (token) => await readUser(dfx, context, token));
  if ('refusal' in said) return { ok: false, refusal: said.refusal };
  const { reply, token } = said;
  if (!reply.ok) throw unexpected(reply, 'a request about the user');
  return stated(dfx, { ...user, token }, reply.value);
};

/** Sends the customer's code to DFX. DFX does not say how it refuses a wrong code, so every refusal is taken to mean a wrong code. */
const confirm = async (dfx: Dfx, context: CallContext, code: string): ReturnType<NonNullable<AccountAdapter['codes']>['confirm']> => {
  const user = readUserBlob(context);
  if (user?.mail === undefined) return declined('no-code-expected');
  const given = code.trim();
  if (!/^[A-Za-z0-9]{1,32}$/.test(given)) return { ok: 'code-wrong' };
  const first = user.token === undefined ? undefined : await verifyMail(dfx, context, user.token, given);
  const reply = first && (first.ok || first.status !== 401) ? first : await verifyMail(dfx, context, await tokenFor(dfx, context, user), given);
  if (!reply.ok) return { ok: 'code-wrong' };
  const { mail: _verified, ...rest } = user;
  return await afterwards(read(dfx, context, rest));
};

/** DFX's level is −10 for a terminated customer and −20 for a rejected one. */
const isRejected = ({ kyc }: UserReply): boolean => (kyc?.level ?? 0) < 0;

const stated = (dfx: Dfx, user: KnownUser, said: UserReply): Answer<AccountState> => {
  const hasMail = said.mail !== undefined;
  const { mail, ...rest } = user;
  const waits = !hasMail && mail !== undefined;
  const page =
    said.kyc?.hash === undefined || !mayHavePage(dfx, user) ? undefined : kycPage(pagesOf(dfx.settings), said.kyc.hash, hasMail ? undefined : 'EmailRequired');
  const userId = said.accountId === undefined ? undefined : String(said.accountId);
  const state: AccountState = isRejected(said)
    ? { status: 'rejected' }
    : hasMail && said.kyc?.dataComplete === true
      ? { status: 'connected' }
      : {
          status: 'onboarding',
          ...defined({ signupUrl: page }),
          ...(waits ? { needs: ['code'], codeSentBy: 'mail' } : hasMail ? {} : { needs: ['email'] }),
        };
  return { ok: true, value: { ...state, ...defined({ userId }) }, customer: writeUserBlob(waits ? user : rest) };
};
