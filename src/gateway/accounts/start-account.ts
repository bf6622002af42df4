/** POST /accounts: starts a customer's account at one provider, or continues or recovers it. */
import { defined } from '../../domain/defined.ts';
import { ProviderFault } from '../../providers/fault.ts';
import type { AccountAdapter, AccountMember, AccountState, Answer, CallContext } from '../../providers/spec.ts';
import { destinationNames } from '../../bitcoin/destination.ts';
import type { PayoutTo } from '../../domain/payout.ts';
import type { Account } from '../../ports/accounts.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Provider } from '../../ports/providers.ts';
import type { Scope } from '../../ports/scope.ts';
import { accountWebhookPlace, blobPlace } from '../places.ts';
import { Problem } from '../problem.ts';
import { refusalProblem } from '../refusal-problem.ts';
import type { OpenSession } from '../sessions/read-session.ts';
import { callProvider } from '../upstream/call-provider.ts';
import { nextCheck, stepAccount } from './account-steps.ts';
import { adoptConnections } from './adopt-connections.ts';
import { accountsOf, callAccount, providerProblem } from './call-account.ts';
import { callUnlessContested, claimed, namedMs, refuseUserOfAnother, wasConnected } from './contested.ts';
import { startOf } from './refresh-account.ts';
import { openCounts, openSignup, sealSignup, showAccount, toldOf, type ShownAccount, type Told } from './show-account.ts';

export type Webhook = { webhookUrl?: string; webhookEvents?: string[]; appId?: string };
export type StartRequest = {
  provider: string;
  /** Set if the path of the request belongs to one ramp. The provider must then have that ramp. */
  ramp?: 'sell';
  email?: string | undefined;
  phone?: string | undefined;
  payoutTo?: PayoutTo | undefined;
  termsAccepted?: true | undefined;
  apiKey?: string | undefined;
  webhook: Webhook;
  /** Counts one more e-mail or text message that the provider may send to the customer. Throws when there are too many. */
  countMail: () => Promise<void>;
};

export const invalid = (pointer: string, detail: string): Problem => new Problem('invalid-request', `${pointer}: ${detail}`, { errors: [{ pointer, detail }] });

/**
 * Starts, continues or recovers an account: for one customer, the same e-mail (or whatever the provider knows its users by) gives the same account.
 * If a step fails, the caller can repeat the request.
 */
export const startAccount = async (scope: Scope, session: OpenSession, request: StartRequest): Promise<ShownAccount> => {
  const { gateway } = scope;
  const provider = startable(gateway, request);
  const accounts = accountsOf(provider);
  const existing = (await gateway.stores.accounts.list(session.customerId)).find((account) => account.providerId === provider.id);
  const told = toldIn(accounts, request);
  refuseUnclear(accounts, request, told, existing);
  const start: Start = { customerId: session.customerId, provider, webhook: request.webhook, existing };
  try {
    const account = request.apiKey === undefined ? await byTold(scope, start, told, request.countMail) : await byKey(scope, start, request.apiKey);
    await adoptConnections(scope, account);
    const connections = await gateway.stores.accounts.connections(account.id);
    return await showAccount(gateway, account, connections);
  } catch (fault) {
    throw providerProblem(fault);
  }
};

const startable = (gateway: Gateway, { provider: id, ramp }: StartRequest): Provider => {
  const provider = gateway.providers.find((one) => one.id === id && one.core.mode === 'on' && one.adapter.accounts && (!ramp || one.adapter[ramp]));
  const wanted = ramp === undefined ? 'provider with accounts' : `${ramp} provider with accounts`;
  if (!provider) throw invalid('/provider', `is not the id of a ${wanted} that this gateway offers; GET /providers lists the providers`);
  return provider;
};

/** The members of the request, and the members of Told that they become. */
const members = { email: 'email', phone: 'phone', payout_to: 'payoutTo', terms_accepted: 'termsAccepted' } as const satisfies Record<AccountMember, keyof Told>;

/**
 * Returns what to tell the provider: only the members that it accepts. An e-mail in upper or lower case means the same mailbox, so the provider
 * always gets it in the same spelling.
 */
const toldIn = ({ takes }: AccountAdapter, request: StartRequest): Told => {
  const given: Told = defined({ ...request, email: request.email?.trim().toLowerCase() });
  return defined(Object.fromEntries(takes.map((member) => [members[member], given[members[member]]])));
};

/**
 * Throws unless the request says who the customer is at the provider. For an account that was started before, that is already known, so any member
 * for the provider will do.
 */
const refuseUnclear = (accounts: AccountAdapter, { apiKey }: StartRequest, told: Told, existing: Account | undefined): void => {
  const { knownBy } = accounts;
  const isNamed = told[members[knownBy]] !== undefined;
  if (apiKey !== undefined && isNamed) throw invalid(`/${knownBy}`, `send exactly one of ${knownBy} and api_key`);
  if (apiKey !== undefined || isNamed || (existing && Object.keys(told).length > 0)) return;
  throw invalid(`/${knownBy}`, accounts.adoptKey ? `send exactly one of ${knownBy} and api_key` : 'is missing: this provider knows its customers by it');
};

/** The customer who starts an account, the provider, and the account that the customer already has at that provider. */
type Start = { customerId: string; provider: Provider; webhook: Webhook; existing: Account | undefined };

/** Returns the names by which the provider may know the customer. A new account is stored under the first of them. */
const namesIn = ({ knownBy }: AccountAdapter, { email, payoutTo }: Told): string[] | undefined =>
  knownBy === 'email' ? (email === undefined ? undefined : [email]) : payoutTo && destinationNames(payoutTo);

const byTold = async (scope: Scope, start: Start, told: Told, countMail: () => Promise<void>): Promise<Account> => {
  const { gateway } = scope;
  const { existing, provider, webhook } = start;
  const accounts = accountsOf(provider);
  const nameHashes = namesIn(accounts, told)?.map((name) => gateway.hash(name));
  const { knownBy } = accounts;
  // The e-mail must be the account's own, even if the account's key has been lost: the provider returns a key for any e-mail, and the customer has
  // not proved that another e-mail is theirs.
  if (existing && nameHashes && !nameHashes.includes(existing.emailHash ?? ''))
    throw invalid(
      `/${knownBy}`,
      `the customer already has an account with another ${words[knownBy]} at this provider; remove it with POST /account-remove first`,
    );
  const isMore = Object.keys(told).some((member) => member !== members[knownBy]);
  if (existing?.status === 'connected' && !isMore) return await stepAccount(gateway, existing, undefined, await webhookOf(gateway, existing.id, webhook));
  if (existing) await refuseUserOfAnother(gateway, existing);
  await countMail();
  const all = existing ? { ...toldOf(await openSignup(gateway, existing)), ...told } : told;
  const account = existing ?? (await newAccount(gateway, start, { nameHashes: nameHashes ?? [], told }));
  const call = { verb: 'start_account', idempotent: true, givesKey: true } as const;
  const answer = await callUnlessContested(scope, account, call, async (at, context) => await at.startAccount(context, startOf(gateway, account, all))).catch(
    async (fault: unknown) => {
      // The request had no effect at the provider, so the e-mail is still free.
      if (!existing && fault instanceof ProviderFault && fault.taken === 'no') await gateway.stores.accounts.discard(account.id);
      throw fault;
    },
  );
  if (!answer.ok) {
    if (answer.customer === undefined) {
      if (!existing) await gateway.stores.accounts.discard(account.id);
    } else if (account.userHash === undefined)
      // The provider has a user now, but has not told us that user's id. Whoever named the same e-mail or destination next would become that user
      // here, so the name stays reserved for this account.
      await stepAccount(gateway, account, undefined, { userHash: gateway.hash(`untold ${account.id}`) });
    throw refusalProblem(answer.refusal);
  }
  const webhookChange = existing ? await webhookOf(gateway, account.id, webhook) : {};
  // The customer has just started or continued the account, so the first poll comes soon, however long the account has been waiting.
  const nextCheckOn = nextCheck(gateway, { ...account, ...answer.value, statusOn: gateway.now() }, []);
  return await stepAccount(gateway, account, answer.value, { ...webhookChange, nextCheckOn });
};
const words: Record<AccountAdapter['knownBy'], string> = { email: 'e-mail', payout_to: 'payout_to' };

/** Connects an account by a key that the customer copied from the provider's dashboard. We store the key only after it has worked. */
const byKey = async (scope: Scope, start: Start, key: string): Promise<Account> => {
  const { gateway } = scope;
  const { customerId, existing, provider, webhook } = start;
  if (existing) {
    const answer = await callAccount(
      scope,
      existing,
      { verb: 'adopt_key', idempotent: true, givesKey: true },
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
  const accounts = accountsOf(provider);
  const deadlineMs = gateway.settings.routing.order_deadline_ms;
  const options = { operation: 'account', verb: 'adopt_key', deadlineMs, idempotent: true, customerKey: customerId } as const;
  const answer = await callProvider(scope, provider, options, (context) => adopted(accounts, context, key));
  if (!answer.ok) throw refusalProblem(answer.refusal);
  const account = await newAccount(gateway, start, { blob: answer.customer ?? '' });
  if (answer.customer !== undefined) await gateway.stores.accounts.wake(account.id, gateway.now());
  return await stepAccount(gateway, account, answer.value, { nextCheckOn: nextCheck(gateway, account, []) });
};

/** Asks the provider to check a pasted key. If the provider has no such keys, every key is refused. */
const adopted = async (accounts: AccountAdapter, context: CallContext, key: string): Promise<Answer<AccountState>> =>
  accounts.adoptKey ? await accounts.adoptKey(context, { key }) : { ok: false, refusal: { reason: 'declined', note: 'key-refused' } };

const webhookOf = async (gateway: Gateway, accountId: string, webhook: Webhook): Promise<Partial<Pick<Account, 'webhookUrl' | 'webhookEvents'>>> =>
  webhook.webhookUrl === undefined
    ? {}
    : { webhookUrl: await gateway.seal.seal(webhook.webhookUrl, accountWebhookPlace(accountId)), webhookEvents: webhook.webhookEvents ?? [] };

const newAccount = async (
  gateway: Gateway,
  { customerId, provider, webhook }: Start,
  by: { nameHashes: string[]; told: Told } | { blob: string },
): Promise<Account> => {
  const id = gateway.ids.uuid();
  const now = gateway.now();
  const before = await gateway.stores.accounts.lastRemoved(customerId, provider.id);
  const counts = before ? await openCounts(gateway, before) : {};
  const signup = await sealSignup(gateway, id, { ...('told' in by ? by.told : {}), ...counts });
  const account: Account = {
    id,
    customerId,
    providerId: provider.id,
    status: 'onboarding',
    statusOn: now,
    sequence: 0,
    createdOn: now,
    nextCheckOn: now + 30_000,
    ...('told' in by ? { emailHash: by.nameHashes[0] ?? '' } : {}),
    ...defined({ signup }),
    ...(await webhookOf(gateway, id, webhook)),
    ...(webhook.appId === undefined ? {} : { appId: webhook.appId }),
  };
  const made = await gateway.stores.accounts.create(account, 'blob' in by ? await gateway.seal.seal(by.blob, blobPlace(id)) : undefined);
  // The provider gives us the key for any e-mail that we send. So once an e-mail has been connected, it belongs to that customer for good.
  if (made === 'email-taken') throw claimed(accountsOf(provider).knownBy);
  if (made === 'customer-has-one')
    throw new Problem('idempotency-in-progress', 'The account is being started by another request. Repeat this request.', { retryAfterMs: 1000 });
  // Whoever names an address is logged in at the provider as the user of that address. So the address belongs to the first customer who names it,
  // even before their account is connected.
  const isFirstCome = 'told' in by && accountsOf(provider).knownBy === 'payout_to';
  if (isFirstCome && (await gateway.stores.accounts.isHeldByAnother(account, by.nameHashes, now - namedMs))) {
    await gateway.stores.accounts.discard(id);
    throw claimed('payout_to');
  }
  return account;
};
