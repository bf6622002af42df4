/**
 * Codes that a provider sends to the customer of an account, by mail or SMS. A code is passed on and forgotten: it is never stored or logged.
 * Whatever the provider allows, the gateway lets only a few codes be sent and tried for each account, so nobody can guess codes by trying them.
 */
import { defined } from '../../domain/defined.ts';
import { ProviderFault } from '../../providers/fault.ts';
import type { AccountAdapter } from '../../providers/spec.ts';
import type { Account } from '../../ports/accounts.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Scope } from '../../ports/scope.ts';
import { isoTime } from '../outward.ts';
import { signupPlace } from '../places.ts';
import { Problem } from '../problem.ts';
import { refusalProblem } from '../refusal-problem.ts';
import type { OpenSession } from '../sessions/read-session.ts';
import { upstreamBlob } from '../upstream/blob.ts';
import { providerOf } from '../upstream/provider-of.ts';
import { stepAccount } from './account-steps.ts';
import { findAccount } from './accounts.ts';
import { accountsOf, providerProblem } from './call-account.ts';
import { callUnlessContested, refuseContested } from './contested.ts';
import { invalid } from './start-account.ts';
import { openSignup, showAccount, type CodeCounts, type ShownAccount, type Signup } from './show-account.ts';

const hourMs = 3_600_000;
/**
 * `mostSent`: how many codes the gateway lets a provider send for one account within an hour. `mostTries`: how many entered codes the gateway passes
 * on to the provider for each code that was sent.
 */
const mostSent = 5;
const mostTries = 5;

type Waiting = { account: Account; signup: Signup; codes: NonNullable<AccountAdapter['codes']> };

/**
 * Finds the customer's account. Throws unless the account needs a code. Also throws if another customer has named or connected the same user, because
 * a code does not prove whose user it is.
 */
const waitingFor = async (gateway: Gateway, session: OpenSession, accountId: string): Promise<Waiting> => {
  const account = await findAccount(gateway, accountId, session.customerId);
  const { codes } = accountsOf(providerOf(gateway, account.providerId));
  const signup = await openSignup(gateway, account);
  if (!codes || signup.needs?.includes('code') !== true || (await upstreamBlob(gateway, account.id)) === undefined)
    throw invalid('/account_id', 'this account is not waiting for a code');
  await refuseContested(gateway, account);
  return { account, signup, codes };
};

/**
 * Stores the new counts before the provider is called, so that parallel calls cannot exceed the limits together. Throws if another call has changed
 * the account meanwhile.
 */
const counted = async (gateway: Gateway, account: Account, signup: Signup, counts: CodeCounts): Promise<Account> => {
  const after = await withCounts(gateway, account, signup, counts);
  const change = { sequence: account.sequence + 1, ...defined({ signup: after.signup }) };
  if (await gateway.stores.accounts.change(account, change, [])) return { ...after, ...change };
  throw new Problem('idempotency-in-progress', 'Another request about this account is in progress. Repeat this request.', { retryAfterMs: 1000 });
};

/** Returns the account with these counts. They are not stored yet. */
const withCounts = async (gateway: Gateway, account: Account, signup: Signup, counts: CodeCounts): Promise<Account> => ({
  ...account,
  signup: await gateway.seal.seal(JSON.stringify({ ...signup, ...counts }), signupPlace(account.id)),
});

/** Asks the provider to send a code. `countMail` counts the request against the limits of the caller's network and app. */
export const sendAccountCode = async (scope: Scope, session: OpenSession, accountId: string, countMail: () => Promise<void>): Promise<ShownAccount> => {
  const { gateway } = scope;
  const { account, signup, codes } = await waitingFor(gateway, session, accountId);
  const now = gateway.now();
  const isNewHour = signup.codesSince === undefined || now < signup.codesSince || now - signup.codesSince >= hourMs;
  const { codesSince = now, codesSent = 0 } = isNewHour ? {} : signup;
  if (codesSent >= mostSent)
    throw new Problem('rate-limited', `At most ${mostSent} codes an hour are sent for one account. Use the code that was sent, or wait.`, {
      retryAfterMs: codesSince + hourMs - now,
    });
  await countMail();
  const sent: CodeCounts = { codesSince, codesSent: codesSent + 1 };
  // The previous code may still be valid, so the tries for it still count until the provider has certainly sent another.
  const told = await counted(gateway, account, signup, sent);
  const answer = await asked(
    gateway,
    told,
    async () => await callUnlessContested(scope, told, { verb: 'send_code', idempotent: false }, async (_, context) => await codes.send(context)),
  );
  if (!answer.ok) {
    if (answer.refusal.note === 'resend-refused')
      throw new Problem('code-expired', 'The provider does not send another code now. Use the code that was sent, or try again later.');
    throw refusalProblem(answer.refusal);
  }
  const anew = await withCounts(gateway, told, signup, { ...sent, codeTries: 0 });
  return await shown(gateway, await stepAccount(gateway, anew, answer.value));
};

/** Hands in the code that was sent. Once the account is connected, a repeat changes nothing. */
export const confirmAccountCode = async (scope: Scope, session: OpenSession, accountId: string, code: string): Promise<ShownAccount> => {
  const { gateway } = scope;
  const found = await findAccount(gateway, accountId, session.customerId);
  if (found.status === 'connected') return await shown(gateway, found);
  const { account, signup, codes } = await waitingFor(gateway, session, accountId);
  const tries = (signup.codeTries ?? 0) + 1;
  if (tries > mostTries) throw noMoreTries(signup);
  const tried = await counted(gateway, account, signup, { codeTries: tries });
  const answer = await asked(
    gateway,
    tried,
    async () => await callUnlessContested(scope, tried, { verb: 'confirm_code', idempotent: false }, async (_, context) => await codes.confirm(context, code)),
  );
  if (answer.ok === 'code-expired') throw new Problem('code-expired', `The provider no longer accepts this code. ${another}`);
  if (answer.ok === 'code-wrong') {
    const left = Math.min(answer.attemptsLeft ?? Infinity, mostTries - tries);
    if (left <= 0) throw noMoreTries(signup);
    throw new Problem('code-wrong', 'This is not the code that was sent.', { members: { attempts_left: left } });
  }
  if (!answer.ok) throw refusalProblem(answer.refusal);
  return await shown(gateway, await stepAccount(gateway, tried, answer.value));
};

const another = 'POST /account-code sends another.';
const noMoreTries = ({ codeExpiresOn }: Signup): Problem =>
  new Problem('code-expired', `Too many wrong codes were entered, so the code that was sent is no longer accepted. ${another}`, {
    members: defined({ code_expires_on: codeExpiresOn === undefined ? undefined : isoTime(codeExpiresOn) }),
  });

/** Makes the call. If the provider gives no usable answer, the account is read soon, because the step may have been taken. */
const asked = async <T>(gateway: Gateway, { id }: Account, call: () => Promise<T>): Promise<T> => {
  try {
    return await call();
  } catch (fault) {
    if (fault instanceof ProviderFault) await gateway.stores.accounts.wake(id, gateway.now() + 1000);
    throw providerProblem(fault);
  }
};

const shown = async (gateway: Gateway, account: Account): Promise<ShownAccount> =>
  await showAccount(gateway, account, await gateway.stores.accounts.connections(account.id));
