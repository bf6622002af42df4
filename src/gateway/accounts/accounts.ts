/** POST /sell/accounts and related endpoints. An account is a customer's account at one provider. Its key is never shown to a wallet. */
import { printableName } from '../../domain/printable.ts';
import { ProviderFault } from '../../providers/fault.ts';
import type { AccountAdapter, AccountState, Answer, CallContext } from '../../providers/spec.ts';
import type { Account } from '../../ports/accounts.ts';
import { nextCheck, stepAccount } from './account-steps.ts';
import { adoptConnections } from './adopt-connections.ts';
import { contested, unlessContested, wasConnected } from './contested.ts';
import { accountsOf, callAccount, callSeller, providerProblem } from './call-account.ts';
import { keepBlob } from '../upstream/blob.ts';
import { callProvider } from '../upstream/call-provider.ts';
import { providerOf } from '../upstream/provider-of.ts';
import { accountWebhookPlace, blobPlace, signupPlace } from '../places.ts';
import { Problem } from '../problem.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { OpenSession } from '../sessions/read-session.ts';
import { refreshAccount, startOf } from './refresh-account.ts';
import { forCustomer, refusalProblem } from '../refusal-problem.ts';
import { openSignup, showAccount, type ShownAccount } from './show-account.ts';
import type { Scope } from '../../ports/scope.ts';
import { isRecent } from '../../domain/is-recent.ts';

export type Webhook = { webhookUrl?: string; webhookEvents?: string[]; appId?: string };
export type AccountRequest = {
  provider: string;
  email?: string | undefined;
  apiKey?: string | undefined;
  webhook: Webhook;
  /** Counts one more e-mail that the provider may send to the customer. Throws when there are too many. */
  countMail: () => Promise<void>;
};

const invalid = (pointer: string, detail: string): Problem => new Problem('invalid-request', `${pointer}: ${detail}`, { errors: [{ pointer, detail }] });

/** Starts or recovers an account: for one customer, the same e-mail gives the same account. If a step fails, the caller can repeat the request. */
export const startSellAccount = async (scope: Scope, session: OpenSession, request: AccountRequest): Promise<ShownAccount> => {
  const { gateway } = scope;
  const provider = gateway.providers.find((one) => one.id === request.provider && one.core.mode === 'on' && one.adapter.sell && one.adapter.accounts);
  if (!provider) throw invalid('/provider', 'is not a sell provider of this gateway; GET /providers lists them');
  if ((request.email === undefined) === (request.apiKey === undefined)) throw invalid('/email', 'send exactly one of email and api_key');
  const existing = (await gateway.stores.accounts.list(session.customerId)).find((account) => account.providerId === provider.id);
  const start: Start = { customerId: session.customerId, providerId: provider.id, webhook: request.webhook, existing };
  try {
    const account =
      request.apiKey === undefined ? await byEmail(scope, start, request.email ?? '', request.countMail) : await byKey(scope, start, request.apiKey);
    await adoptConnections(scope, account);
    const connections = await gateway.stores.accounts.connections(account.id);
    return await showAccount(gateway, account, connections);
  } catch (fault) {
    throw providerProblem(fault);
  }
};

/** The customer who starts an account, the provider, and the account that the customer already has at that provider. */
type Start = { customerId: string; providerId: string; webhook: Webhook; existing: Account | undefined };

const byEmail = async (scope: Scope, start: Start, given: string, countMail: () => Promise<void>): Promise<Account> => {
  const { gateway } = scope;
  const { existing, webhook } = start;
  // Upper and lower case mean the same mailbox, so the provider always gets the same spelling.
  const email = given.trim().toLowerCase();
  const emailHash = gateway.hash(email);
  // The e-mail must be the account's own, even if the account's key has been lost: the provider returns a key for any e-mail, and the customer has
  // not proved that another e-mail is theirs.
  if (existing && existing.emailHash !== emailHash)
    throw invalid('/email', 'the customer already has an account with another e-mail at this provider; remove it with POST /sell/account-remove first');
  if (existing?.status === 'connected') return await stepAccount(gateway, existing, undefined, await webhookOf(gateway, existing.id, webhook));
  await countMail();
  const account = existing ?? (await newAccount(gateway, start, { emailHash, email }));
  const call = { verb: 'start_account', idempotent: true };
  let isWithheld = false;
  const answer = await callAccount(scope, account, call, async (accounts, context) => {
    const said = await accounts.startAccount(context, startOf(gateway, account, email));
    const kept = await unlessContested(gateway, account, said);
    isWithheld = said.ok && said.value.status === 'connected' && kept !== said;
    return kept;
  }).catch(async (fault: unknown) => {
    // The request had no effect at the provider, so the e-mail is still free.
    if (!existing && fault instanceof ProviderFault && fault.taken === 'no') await gateway.stores.accounts.discard(account.id);
    throw fault;
  });
  if (!answer.ok) {
    if (!existing) await gateway.stores.accounts.discard(account.id);
    throw refusalProblem(answer.refusal);
  }
  if (isWithheld) throw contested();
  const webhookChange = existing ? await webhookOf(gateway, account.id, webhook) : {};
  // The customer has just asked, so the first poll comes soon, however long the account has been waiting.
  const nextCheckOn = nextCheck(gateway, { ...account, ...answer.value, statusOn: gateway.now() }, []);
  return await stepAccount(gateway, account, answer.value, { ...webhookChange, nextCheckOn });
};

/** Connects an account by a key that the customer copied from the provider's dashboard. We store the key only after it has worked. */
const byKey = async (scope: Scope, start: Start, key: string): Promise<Account> => {
  const { gateway } = scope;
  const { customerId, existing, providerId, webhook } = start;
  if (existing) {
    const answer = await callAccount(
      scope,
      existing,
      { verb: 'adopt_key', idempotent: true },
      async (accounts, context) => await adopted(accounts, context, key),
    );
    if (!answer.ok) throw refusalProblem(answer.refusal);
    // An e-mail that was only entered proves nothing about its owner, so it is forgotten.
    const forgotten = wasConnected(existing) ? {} : { forgetEmail: true };
    const change = { ...(await webhookOf(gateway, existing.id, webhook)), ...forgotten, nextCheckOn: gateway.now() };
    const stored = await stepAccount(gateway, existing, answer.value, change);
    // A notice may have changed the account meanwhile. What it said is older than the key, which has just worked.
    return stored.status === 'connected' ? stored : await stepAccount(gateway, stored, answer.value, change);
  }
  const provider = providerOf(gateway, providerId);
  const accounts = accountsOf(provider);
  const deadlineMs = gateway.settings.routing.order_deadline_ms;
  const options = { operation: 'account', verb: 'adopt_key', deadlineMs, idempotent: true, customerKey: customerId } as const;
  const answer = await callProvider(scope, provider, options, (context) => adopted(accounts, context, key));
  if (!answer.ok) throw refusalProblem(answer.refusal);
  const account = await newAccount(gateway, start, { blob: answer.customer ?? '' });
  if (answer.customer !== undefined) await keepBlob(gateway, account.id, answer.customer);
  return await stepAccount(gateway, account, answer.value, { nextCheckOn: nextCheck(gateway, account, []) });
};

/** Has a pasted key checked. A provider without such keys refuses every key. */
const adopted = async (accounts: AccountAdapter, context: CallContext, key: string): Promise<Answer<AccountState>> =>
  accounts.adoptKey ? await accounts.adoptKey(context, { key }) : { ok: false, refusal: { reason: 'declined', note: 'key-refused' } };

const webhookOf = async (gateway: Gateway, accountId: string, webhook: Webhook): Promise<Partial<Pick<Account, 'webhookUrl' | 'webhookEvents'>>> =>
  webhook.webhookUrl === undefined
    ? {}
    : { webhookUrl: await gateway.seal.seal(webhook.webhookUrl, accountWebhookPlace(accountId)), webhookEvents: webhook.webhookEvents ?? [] };

const newAccount = async (
  gateway: Gateway,
  { customerId, providerId, webhook }: Start,
  by: { emailHash: string; email: string } | { blob: string },
): Promise<Account> => {
  const id = gateway.ids.uuid();
  const now = gateway.now();
  const account: Account = {
    id,
    customerId,
    providerId,
    status: 'onboarding',
    statusOn: now,
    sequence: 0,
    createdOn: now,
    nextCheckOn: now + 30_000,
    ...('emailHash' in by ? { emailHash: by.emailHash, signup: await gateway.seal.seal(JSON.stringify({ email: by.email }), signupPlace(id)) } : {}),
    ...(await webhookOf(gateway, id, webhook)),
    ...(webhook.appId === undefined ? {} : { appId: webhook.appId }),
  };
  const made = await gateway.stores.accounts.create(account, 'blob' in by ? await gateway.seal.seal(by.blob, blobPlace(id)) : undefined);
  // The provider gives us the key for any e-mail that we send. So once an e-mail has been connected, it belongs to that customer for good.
  if (made === 'email-taken')
    throw new Problem(
      'customer-conflict',
      'This e-mail has an account here that belongs to another customer. Open the session with the node key or recovery secret of that customer.',
    );
  if (made === 'customer-has-one')
    throw new Problem('idempotency-in-progress', 'The account is being started by another request. Repeat this request.', { retryAfterMs: 1000 });
  return account;
};

/** Finds the customer's own account. Throws `account-not-found` if there is none. */
export const findAccount = async (gateway: Gateway, accountId: string, customerId: string): Promise<Account> => {
  const account = await gateway.stores.accounts.find(accountId, customerId);
  if (!account) throw new Problem('account-not-found', 'This customer has no such account.');
  return account;
};

/** A wallet that asks more often than this gets the stored state. */
const staleMs = 2_000;

export const readSellAccount = async (scope: Scope, session: OpenSession, accountId: string): Promise<ShownAccount> => {
  const { gateway } = scope;
  const account = await findAccount(gateway, accountId, session.customerId);
  if (isRecent(account.checkedOn ?? 0, gateway.now(), staleMs))
    return await showAccount(gateway, account, await gateway.stores.accounts.connections(account.id));
  const fresh = await refreshAccount(scope, account);
  return await showAccount(gateway, fresh.account, fresh.connections);
};

/** Removes the account here; the account at the provider stays. Open orders are still followed with its key, which is then forgotten. */
export const removeSellAccount = async (gateway: Gateway, session: OpenSession, accountId: string) => {
  const account = await findAccount(gateway, accountId, session.customerId);
  await gateway.stores.accounts.remove(account.id, gateway.now());
  return { account_id: account.id, removed: true };
};

/** Finds a connected account, for calls that need its key. Throws a Problem if the account is not connected. */
export const connectedAccount = async (gateway: Gateway, accountId: string, customerId: string): Promise<Account> => {
  const account = await findAccount(gateway, accountId, customerId);
  if (account.status !== 'connected') throw await notConnected(gateway, account);
  return account;
};

/** Returns the problem for an account that is not connected. Waiting helps while the provider verifies the customer, but not after a lost key or a rejection. */
export const notConnected = async (gateway: Gateway, account: Account): Promise<Problem> => {
  const { status } = account;
  if (status === 'needs_reconnect') return refusalProblem({ reason: 'account-required', note: 'needs-reconnect' });
  if (status === 'rejected')
    return new Problem('account-not-connected', 'The provider has rejected this customer. Only they can resolve that, directly with the provider.', {
      members: forCustomer,
    });
  const { signupUrl, mailSent } = await openSignup(gateway, account);
  const mail = mailSent === true ? ' The provider has sent the customer an e-mail.' : '';
  return new Problem('account-not-connected', `The account is ${status}, not connected.${mail}`, {
    members: signupUrl === undefined || status !== 'onboarding' ? {} : { signup_url: signupUrl },
  });
};

export const readBalance = async (scope: Scope, session: OpenSession, accountId: string) => {
  const { gateway } = scope;
  const account = await connectedAccount(gateway, accountId, session.customerId);
  const answer = await asked(() => callSeller(scope, account, { verb: 'balance', idempotent: true }, async (sell, context) => await sell.balance(context)));
  if (!answer.ok) throw refusalProblem(answer.refusal);
  return { account_id: account.id, currency_code: answer.value.currency, amount_fiat: Number(answer.value.amountFiat) };
};

export const readTransactions = async (
  scope: Scope,
  session: OpenSession,
  request: { account_id: string; limit?: number | undefined; since?: string | undefined },
) => {
  const { gateway } = scope;
  const account = await connectedAccount(gateway, request.account_id, session.customerId);
  const wanted = { limit: request.limit ?? 50, ...(request.since === undefined ? {} : { since: Date.parse(request.since) }) };
  const answer = await asked(() =>
    callSeller(scope, account, { verb: 'transactions', idempotent: true }, async (sell, context) => await sell.transactions(context, wanted)),
  );
  if (!answer.ok) throw refusalProblem(answer.refusal);
  return {
    account_id: account.id,
    transactions: answer.value.map((row) => ({
      transaction_id: row.upstreamId,
      kind: row.kind,
      status: printableName(row.rawStatus) ?? '',
      ...(row.stage === undefined ? {} : { stage: row.stage }),
      ...(row.pay === undefined ? {} : { amount_sats: Number(row.pay) }),
      ...(row.receive === undefined ? {} : { amount_fiat: Number(row.receive) }),
      created_on: new Date(row.createdOn).toISOString(),
    })),
  };
};

const asked = async <T>(call: () => Promise<T>): Promise<T> => {
  try {
    return await call();
  } catch (fault) {
    throw providerProblem(fault);
  }
};
