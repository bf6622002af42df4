import { refreshOrder } from './following/follow-orders.ts';
import type { IntentState } from '../domain/order.ts';
import type { NoticePath } from './notice-url.ts';
import { noticeBodyPlace } from './places.ts';
import { wakeAccount } from './accounts/refresh-account.ts';
import type { Gateway } from '../ports/gateway.ts';
import type { Scope } from '../ports/scope.ts';

/** Notices about the same thing within this time count as one notice. */
const windowMs = 2_000;
const keptChars = 4_000;

export type Notice = NoticePath & {
  /** Reads the body. Called only if the notice is genuine. */
  body: () => Promise<string>;
  /** Returns whether a forged notice still gets a log line. */
  mayLog: () => Promise<boolean>;
};

/**
 * Receives a provider's notice, which is only a doorbell. Providers do not sign notices, so we believe nothing in the body. A notice with the right
 * token makes the gateway read what it is about, at most once in two seconds. A notice with a wrong token is only counted and sometimes logged, since
 * anybody can send one; it changes and stores nothing. The response is the same in both cases.
 */
export const receiveNotice = async (scope: Scope, notice: Notice): Promise<void> => {
  const { gateway } = scope;
  const { providerId, purpose, targetId } = notice;
  const genuine = gateway.notices.check(purpose, targetId, notice.token);
  const provider = gateway.providers.some(({ id }) => id === providerId) ? providerId : 'unknown';
  gateway.count('notices_total', { provider, genuine: String(genuine) });
  if (!genuine) {
    if (await notice.mayLog()) gateway.log('warn', 'notice_forged', { request_id: scope.requestId, provider });
    return;
  }
  const id = gateway.ids.uuid();
  const body = await gateway.seal.seal((await notice.body()).slice(0, keptChars), noticeBodyPlace(id));
  const recorded = await gateway.stores.notices.record({ id, providerId, purpose, targetId, genuine, receivedOn: gateway.now(), body }, windowMs);
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
 * The states of attempts whose customers were never shown how to pay, so that money for one of them is an alert. Of the attempts in `moved`, the
 * store wakes only those with an order at the provider.
 */
const withheld: ReadonlySet<IntentState> = new Set<IntentState>(['unpayable', 'dead', 'moved']);

/** Follows up a further notice within the window, when the window has ended. */
const wakeLater = async (gateway: Gateway, intentId: string): Promise<void> => {
  const intent = await gateway.stores.intents.find(intentId);
  if (!intent) return;
  if (withheld.has(intent.state)) await gateway.stores.intents.wake(intentId, gateway.now() + windowMs);
  await gateway.stores.orders.wake(intent.orderId, gateway.now() + windowMs);
};
