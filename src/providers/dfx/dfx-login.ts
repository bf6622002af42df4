/** Acts as one user of DFX. The user's secret is derived from the operator's key whenever it is needed, so it is never stored. */
import type { PayoutTo } from '../../domain/payout.ts';
import type { ExchangeRamp } from '../../domain/ramp.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { ProviderFault, beforehand } from '../fault.ts';
import type { JsonReply } from '../kit/request-json.ts';
import type { CallContext } from '../spec.ts';
import { readUser, signIn, unexpected, type Dfx } from './dfx-api.ts';
import { addressOf, secretOf } from './dfx-identity.ts';
import { pagesOf } from './dfx-settings.ts';
import { kycPage, refusalOfBody, refusing } from './dfx-refusal.ts';

export type Refused = { refusal: Refusal };
/** `token`: from an earlier login, if it was kept. `isProven`: whether the session has shown that the address is the customer's. */
export type User = { address: string; token?: string; isProven?: boolean };

/**
 * Returns the user whose address gets the sats. Only an address that is known to be the customer's may become a user (dfx-identity.ts), unless the
 * operator lets unproven addresses register.
 */
export const userOf = ({ settings }: Dfx, payoutTo: PayoutTo | undefined): User | undefined => {
  const address = payoutTo && addressOf(payoutTo);
  return address !== undefined && (payoutTo?.isProven === true || settings.unproven_addresses === 'register')
    ? { address, isProven: payoutTo?.isProven === true }
    : undefined;
};

/** Returns a new token, or why DFX does not let the user in. Nothing has been ordered yet, so every fault has `taken: 'no'`. */
export const logIn = async (dfx: Dfx, context: CallContext, address: string): Promise<{ token: string } | Refused> => {
  const { login_key_env: name } = dfx.settings;
  const secret = secretOf((name === undefined ? undefined : dfx.deps.secret(name)) ?? '', address);
  // The operator's configuration lacks the key, or its variable is empty or too short.
  if (secret === undefined) return { refusal: { reason: 'declined', note: 'token-refused' } };
  const reply = await beforehand(signIn(dfx, context, address, secret));
  if (reply.ok) return { token: reply.value.accessToken };
  // Somebody else has registered this address with DFX, most likely its owner in DFX's own app.
  if (reply.status === 401) return { refusal: { reason: 'account-required', note: 'address-known' } };
  if (!refusing.has(reply.status)) throw unexpected(reply, 'a login', { taken: 'no' });
  const refusal = refusedBy(dfx, reply.body, 'buy');
  // If a 400 has no words that we know, it must be about the address: nothing else in the request comes from the customer.
  return { refusal: refusal.reason === 'declined' && reply.status === 400 ? { ...refusal, note: 'payout-refused' } : refusal };
};

/** Reads the refusal of a call made as a user. If DFX refuses the caller's country, that is the gateway's own, so the log tells the operator. */
export const refusedBy = (dfx: Dfx, body: unknown, ramp: ExchangeRamp): Refusal => {
  const { refusal, isOperators } = refusalOfBody(body, ramp, true);
  if (isOperators) dfx.deps.log('warn', 'operator_country');
  return refusal;
};

/**
 * Makes a call as the user. Tries at most two tokens: first the kept one, if there is one, then new ones from a login. Returns the token that
 * worked. Throws `rejected-credentials` if DFX refuses both.
 */
export const asUser = async <T>(
  dfx: Dfx,
  context: CallContext,
  { address, token: kept }: User,
  call: (token: string) => Promise<JsonReply<T>>,
): Promise<{ reply: JsonReply<T>; token: string } | Refused> => {
  if (kept !== undefined) {
    const reply = await call(kept);
    if (reply.ok || reply.status !== 401) return { reply, token: kept };
  }
  for (let more = kept === undefined ? 1 : 0; more >= 0; more -= 1) {
    const login = await logIn(dfx, context, address);
    if ('refusal' in login) return login;
    const reply = await call(login.token);
    if (reply.ok || reply.status !== 401) return { reply, token: login.token };
  }
  throw new ProviderFault('rejected-credentials', 'DFX refuses a token that it has just given', { status: 401, taken: 'no' });
};

/**
 * Returns whether the customer may get the link to the page where DFX identifies the user. Whoever has the link acts as that user, so a customer who
 * has not proved the address, which may be a stranger's, must not get it. If the blob does not say whether the address is proven, it counts as
 * proven, unless the operator lets unproven addresses register.
 */
export const mayHavePage = ({ settings }: Dfx, { isProven }: Pick<User, 'isProven'>): boolean => isProven ?? settings.unproven_addresses !== 'register';

/**
 * Adds to the refusal the link to the page where the customer can supply what DFX still needs, if there is such a page. A fault in reading the link
 * is only logged: the refusal is true without it.
 */
export const withKycPage = async (dfx: Dfx, context: CallContext, user: Omit<User, 'address'>, refusal: Refusal): Promise<Refusal> => {
  const { token } = user;
  if (refusal.reason !== 'kyc-required' || !mayHavePage(dfx, user) || token === undefined) return refusal;
  try {
    const said = await readUser(dfx, context, token);
    const page = said.ok && said.value.kyc?.hash !== undefined ? kycPage(pagesOf(dfx.settings), said.value.kyc.hash, refusal.detail) : undefined;
    return page === undefined ? refusal : { ...refusal, actionUrl: page };
  } catch (fault) {
    if (!(fault instanceof ProviderFault)) throw fault;
    dfx.deps.log('warn', 'dfx_page_unread');
    return refusal;
  }
};
