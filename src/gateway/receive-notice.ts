import { refreshOrder } from './following/follow-orders.ts';
import { noticeBodyPlace } from './places.ts';
import { wakeAccount } from './accounts/refresh-account.ts';
import type { Gateway } from '../ports/gateway.ts';
import type { Scope } from '../ports/scope.ts';

/** A flood of notices about one thing is one notice. */
const windowMs = 2_000;
const keptChars = 4_000;

export type Notice = { providerId: string; purpose: string; targetId: string; token: string; body: string };

/**
 * A provider's webhook is a doorbell: no provider signs them, so nothing in the body is believed. A genuine address wakes a read of what it
 * is about, at most one per window; a wrong token changes nothing and is counted. Both get the same answer.
 */
export const receiveNotice = async (scope: Scope, notice: Notice): Promise<void> => {
  const { gateway } = scope;
  const genuine = gateway.notices.check(notice.purpose, notice.targetId, notice.token);
  gateway.count('notices_total', {
    provider: gateway.providers.some((provider) => provider.id === notice.providerId) ? notice.providerId : 'unknown',
    genuine: String(genuine),
  });
  if (!genuine) gateway.log('warn', 'notice_forged', { request_id: scope.requestId, provider: notice.providerId });
  const id = gateway.ids.uuid();
  const body = await gateway.seal.seal(notice.body.slice(0, keptChars), noticeBodyPlace(id));
  const recorded = await gateway.stores.notices.record(
    {
      id,
      providerId: notice.providerId,
      purpose: notice.purpose,
      targetId: genuine ? notice.targetId : gateway.hash(notice.targetId).slice(0, 32),
      genuine,
      receivedOn: gateway.now(),
      body,
    },
    windowMs,
  );
  if (genuine && notice.purpose === 'account' && recorded === 'new') gateway.background(wakeAccount(scope, notice.targetId));
  if (genuine && notice.purpose === 'account' && recorded === 'counted')
    gateway.background(gateway.stores.accounts.wake(notice.targetId, gateway.now() + windowMs / 2));
  if (!genuine || notice.purpose !== 'order') return;
  if (recorded === 'new') gateway.background(wake(scope, notice));
  else gateway.background(wakeLater(gateway, notice.targetId));
};

/** The notice's target is an intent: while it is unsettled, or withheld, those who look at it are woken; afterwards its order is read. */
const wake = async (scope: Scope, { targetId: intentId }: Notice): Promise<void> => {
  const { gateway } = scope;
  const intent = await gateway.stores.intents.find(intentId);
  if (!intent) return;
  await gateway.stores.intents.wake(intentId, gateway.now());
  const order = await gateway.stores.orders.findAny(intent.orderId);
  if (!order || order.final) return;
  await refreshOrder(scope, order, 'notice');
};

/** A later notice within the window: what it may tell is looked at when the window is over. */
const wakeLater = async (gateway: Gateway, intentId: string): Promise<void> => {
  const intent = await gateway.stores.intents.find(intentId);
  if (!intent) return;
  if (intent.state === 'unpayable' || intent.state === 'dead') await gateway.stores.intents.wake(intentId, gateway.now() + windowMs);
  await gateway.stores.orders.wake(intent.orderId, gateway.now() + windowMs);
};
