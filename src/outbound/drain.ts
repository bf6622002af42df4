/**
 * Sends the webhooks that are due. Each is claimed in a short transaction, sent, and marked in a second transaction. If the instance that is sending
 * a webhook stops, the webhook is due again when its lease ends, under the same id. So a receiver may get a webhook more than once, and recognises
 * repeats by the id.
 */
import type { Delivery, DeliveryStore, Sender, SendOutcome, Signer } from '../ports/deliveries.ts';
import type { Gateway } from '../ports/gateway.ts';
import type { Count } from '../ports/metric-list.ts';
import type { Log, Seal } from '../ports/runtime.ts';
import type { Receivers } from './receivers.ts';
import { defect } from '../ports/defect.ts';

export type DrainParts = {
  store: DeliveryStore;
  sender: Sender;
  signer: Signer;
  seal: Seal;
  now: () => number;
  random: () => number;
  owner: string;
  timeoutMs: number;
  perHost: number;
  count: Count;
  log: Log;
  receivers: Receivers;
  /** Takes over work that continues after the call returns. Without it, the drain waits for every delivery. */
  behind?: Pick<Gateway, 'background' | 'waitAtMost'>;
};

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
/** Standard Webhooks' schedule: about 75 hours in all, each delay ±20 %. The first attempt is immediate. */
const retryDelaysMs = [5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour];
const longestRetryAfterMs = 24 * hour;
const kickSpreadMs = minute;
/** How long a batch may hold up the next one. After that, receivers that hang are waited for in the background. */
const batchMs = second;
const mostInFlight = 256;

/** Sends at most `limit` webhooks that are due. Returns how many were sent (with any outcome) or are still being sent. */
export const drainDeliveries = async (parts: DrainParts, limit: number): Promise<number> => {
  const lease = { owner: parts.owner, seconds: Math.ceil(parts.timeoutMs / 1000) + 15 };
  const { receivers } = parts;
  const room = Math.min(limit, mostInFlight - receivers.inFlight);
  if (room <= 0) return 0;
  const due = await parts.store.claimDue(parts.now(), lease, room, parts.perHost, receivers.paused());
  const sending = Promise.all(due.map((delivery) => deliver(parts, delivery)));
  if (parts.behind) {
    parts.behind.background(sending);
    await parts.behind.waitAtMost(sending, batchMs);
  } else await sending;
  return due.length;
};

const deliver = async (parts: DrainParts, delivery: Delivery): Promise<void> => {
  parts.receivers.inFlight += 1;
  try {
    await deliverOne(parts, delivery);
  } catch (error) {
    // The outcome could not be stored. The webhook is due again when its lease ends, and must not hold up the others.
    defect(parts.log, 'mark_delivery', error, { delivery: delivery.id, attempt: delivery.attempt });
  } finally {
    parts.receivers.inFlight -= 1;
  }
};

/**
 * Sends a webhook. If its URL cannot be decrypted, or the webhook cannot be signed or handed to the sender, the fault is ours, and restoring a key
 * may fix it. So the webhook is retried like any other.
 */
const send = async (parts: DrainParts, delivery: Delivery): Promise<SendOutcome> => {
  try {
    const url = await parts.seal.open(delivery.url, { table: 'deliveries', row: delivery.id, field: 'url' });
    const timestamp = Math.floor(parts.now() / 1000);
    const signature = await parts.signer.sign({
      id: delivery.id,
      timestamp,
      body: delivery.body,
      ...(delivery.appId === undefined ? {} : { appId: delivery.appId }),
    });
    return await parts.sender({ url, body: delivery.body, timeoutMs: parts.timeoutMs, headers: webhookHeaders(delivery, timestamp, signature) });
  } catch (error) {
    defect(parts.log, 'send_delivery', error, { delivery: delivery.id, attempt: delivery.attempt });
    return { outcome: 'blocked', statusClass: 'defect' };
  }
};

const deliverOne = async (parts: DrainParts, delivery: Delivery): Promise<void> => {
  const sent = await send(parts, delivery);
  const now = parts.now();
  // Counts only outcomes that show that the host itself fails: a blocked webhook was never sent, and a 4xx answer (except 429) concerns only its URL.
  const failing = sent.status === undefined ? sent.outcome === 'failed' : sent.status >= 500 || sent.status === 429;
  const isBack = sent.statusClass !== 'defect' && parts.receivers.note(delivery.host, !failing);
  parts.count('deliveries_total', { outcome: sent.outcome === 'delivered' ? 'delivered' : sent.statusClass });
  if (sent.outcome === 'delivered') {
    await parts.store.finish(delivery.id, parts.owner, { state: 'delivered', lastOutcome: sent.statusClass, on: now });
    // If the host is back after a failure, its waiting deliveries need not wait for their next try.
    if (delivery.attempt > 1 || isBack) await parts.store.kickHost(delivery.host, now, kickSpreadMs);
    return;
  }
  if (sent.status === 410) return await parts.store.finish(delivery.id, parts.owner, { state: 'disabled', lastOutcome: '410', on: now });
  const delay = retryDelaysMs[delivery.attempt - 1];
  if (delay === undefined) return await parts.store.finish(delivery.id, parts.owner, { state: 'dead', lastOutcome: sent.statusClass, on: now });
  const jittered = Math.round(delay * (0.8 + 0.4 * parts.random()));
  const wanted = sent.retryAfterMs === undefined ? jittered : Math.min(Math.max(jittered, sent.retryAfterMs), longestRetryAfterMs);
  await parts.store.finish(delivery.id, parts.owner, { state: 'due', lastOutcome: sent.statusClass, on: now, dueOn: now + wanted });
};

const webhookHeaders = (delivery: Pick<Delivery, 'id' | 'sequence' | 'attempt'>, timestamp: number, signature: string): Record<string, string> => ({
  'content-type': 'application/json',
  'webhook-id': delivery.id,
  'webhook-timestamp': String(timestamp),
  'webhook-signature': signature,
  'webhook-sequence': String(delivery.sequence),
  'webhook-attempt': String(delivery.attempt),
});
