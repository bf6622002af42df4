import { refreshOrder } from './following/follow-orders.ts';
import type { IntentState } from '../domain/order.ts';
import { unknownOrder, type NoticePath } from './notice-url.ts';
import { writingsOf } from '../domain/same-id.ts';
import type { Provider } from '../ports/providers.ts';
import { noticeBodyPlace } from './places.ts';
import { wakeAccount } from './accounts/refresh-account.ts';
import type { Gateway } from '../ports/gateway.ts';
import type { Scope } from '../ports/scope.ts';

/** Notices about the same thing within this time count as one notice. */
const windowMs = 2_000;
const keptChars = 4_000;

/** The most orders and users that are looked up for one notice. */
const mostHints = 20;
/** The most accounts of one user that one notice makes the gateway read. */
const mostOfUser = 5;

export type Notice = NoticePath & {
  /** Returns a header of the request, or undefined if it has none of this name. */
  header: (name: string) => string | undefined;
  /** Reads the body. Called only if the notice is genuine. */
  body: () => Promise<string>;
  /** Returns whether a forged notice still gets a log line. */
  mayLog: () => Promise<boolean>;
};

/**
 * Receives a provider's notice. Providers do not sign notices, so we believe nothing in the body. A notice with the right token makes the gateway
 * read what the notice is about, at most once in two seconds. A notice with a wrong token is only counted and sometimes logged, because anybody can
 * send one; such a notice changes and stores nothing. The response is the same in both cases.
 */
export const receiveNotice = async (scope: Scope, notice: Notice): Promise<void> => {
  const { gateway } = scope;
  const { providerId, purpose, targetId } = notice;
  const known = gateway.providers.find(({ id }) => id === providerId);
  const genuine = gateway.notices.check(purpose, targetId, notice.token) && (purpose !== 'provider' || isFrom(gateway, known, notice));
  const provider = known?.id ?? 'unknown';
  gateway.count('notices_total', { provider, genuine: String(genuine) });
  if (!genuine) {
    if (await notice.mayLog()) gateway.log('warn', 'notice_forged', { request_id: scope.requestId, provider });
    return;
  }
  const text = await notice.body();
  if (purpose !== 'provider') return await ring(scope, notice, text);
  const hints = known?.adapter.notices?.hints(text).slice(0, mostHints) ?? [];
  for (const hint of hints) await ('userId' in hint ? ringAccounts(scope, providerId, hint.userId) : ringOrder(scope, providerId, hint.upstreamOrderId));
};

/** For a provider that sends all notices to one URL: returns whether a notice is from this provider. If a key was agreed, the notice must have it. */
const isFrom = (gateway: Gateway, provider: Provider | undefined, { targetId, header }: Notice): boolean => {
  if (!provider?.adapter.notices || targetId !== provider.id) return false;
  const { key } = provider.adapter.notices;
  return key === undefined || gateway.notices.isKey(key.value, header(key.header) ?? '');
};

/**
 * Calls `ring` for the attempts that have this order id at the provider. If there are none, the answer that contains the id may still be under way,
 * or lost. Then the provider's attempts without an outcome are checked, at most once in two seconds, and an order that gets the id soon is read at
 * once. If the provider has no such attempts, nothing is stored for an unknown id, because the URL gets the notices about all of the provider's
 * customers.
 */
const ringOrder = async (scope: Scope, providerId: string, upstreamOrderId: string): Promise<void> => {
  const { gateway } = scope;
  const { intents } = gateway.stores;
  const ringFound = async (): Promise<boolean> => {
    const found = await intents.sharing(providerId, writingsOf(upstreamOrderId), undefined);
    for (const intent of found.slice(0, mostHints)) await ring(scope, { providerId, purpose: 'order', targetId: intent.id });
    return found.length > 0;
  };
  if (await ringFound()) return;
  if (await intents.isPlacingAt(providerId)) {
    await record(gateway, { providerId, purpose: 'provider', targetId: unknownOrder(gateway, providerId, upstreamOrderId) });
    const recorded = await record(gateway, { providerId, purpose: 'provider', targetId: providerId });
    await intents.wakeUnknown(providerId, gateway.now() + (recorded === 'new' ? 0 : windowMs));
  }
  // The id may have been stored meanwhile, too early for the attempt to see this notice.
  await ringFound();
};

/**
 * Calls `ring` for the accounts of this user, not just for one. Somebody may have started an account by only naming the user, and must not take the
 * notices away from the account that is connected.
 */
const ringAccounts = async (scope: Scope, providerId: string, userId: string): Promise<void> => {
  const { gateway } = scope;
  for (const { id } of await gateway.stores.accounts.ofUser(providerId, gateway.hash(userId), mostOfUser))
    await ring(scope, { providerId, purpose: 'account', targetId: id });
};

type Target = Pick<NoticePath, 'providerId' | 'purpose' | 'targetId'>;

/** Stores that a genuine notice came. The bodies of notices about whole providers are not kept: they may hold anything about their customers. */
const record = async (gateway: Gateway, { providerId, purpose, targetId }: Target, text?: string): Promise<'new' | 'counted'> => {
  const id = gateway.ids.uuid();
  const body = text === undefined ? {} : { body: await gateway.seal.seal(text.slice(0, keptChars), noticeBodyPlace(id)) };
  return await gateway.stores.notices.record({ id, providerId, purpose, targetId, genuine: true, receivedOn: gateway.now(), ...body }, windowMs);
};

/** Records a genuine notice. Makes the gateway ask the provider about the order or account, now or soon. */
const ring = async (scope: Scope, { providerId, purpose, targetId }: Target, text?: string): Promise<void> => {
  const { gateway } = scope;
  const recorded = await record(gateway, { providerId, purpose, targetId }, text);
  if (purpose === 'account' && recorded === 'new') gateway.background(wakeAccount(scope, targetId));
  if (purpose === 'account' && recorded === 'counted') gateway.background(gateway.stores.accounts.wake(targetId, gateway.now() + windowMs / 2));
  if (purpose !== 'order') return;
  if (recorded === 'new') gateway.background(wake(scope, targetId));
  else gateway.background(wakeLater(gateway, targetId));
};

/** Handles a notice about an intent. If the intent is unresolved or withheld, wakes the job that checks it; if it has an order, reads the order. */
const wake = async (scope: Scope, intentId: string): Promise<void> => {
  const { gateway } = scope;
  const intent = await gateway.stores.intents.find(intentId);
  if (!intent) return;
  await gateway.stores.intents.wake(intentId, gateway.now());
  const order = await gateway.stores.orders.findAny(intent.orderId);
  // A final order is no longer polled, but its provider may have news: the order was paid late, or what was delivered came back.
  if (!order) return;
  await refreshOrder(scope, order, 'notice');
};

/**
 * Customers were never shown how to pay for attempts in these states, so money for one of them must raise an alert. Of the attempts in `moved`, the
 * store wakes only those with an order at the provider.
 */
const withheld: ReadonlySet<IntentState> = new Set<IntentState>(['unpayable', 'dead', 'moved']);

/** Follows up a further notice that came within the window, once the window has ended. */
const wakeLater = async (gateway: Gateway, intentId: string): Promise<void> => {
  const intent = await gateway.stores.intents.find(intentId);
  if (!intent) return;
  if (withheld.has(intent.state)) await gateway.stores.intents.wake(intentId, gateway.now() + windowMs);
  await gateway.stores.orders.wake(intent.orderId, gateway.now() + windowMs);
};
