/**
 * Sends what is due: claim in a short transaction, HTTP, mark in a second one. A delivery whose sender died is due again when its lease ran
 * out, with the same id: receivers see it at least once and can tell twins apart.
 */
import type { Delivery, DeliveryStore, Sender, Signer } from '../gateway/delivery-port.ts';
import type { Seal } from '../gateway/ports.ts';

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
  count: (name: string, labels?: Record<string, string>) => void;
};

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
/** Standard Webhooks' schedule, 75 hours in all; each ±20 %. The first is at once. */
const retryDelaysMs = [5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour];
const longestRetryAfterMs = 24 * hour;
const kickSpreadMs = minute;

/** Returns how many were sent (with whatever outcome). */
export const drainDeliveries = async (parts: DrainParts, limit: number): Promise<number> => {
  const lease = { owner: parts.owner, seconds: Math.ceil(parts.timeoutMs / 1000) + 15 };
  const due = await parts.store.claimDue(parts.now(), lease, limit, parts.perHost);
  await Promise.all(due.map((delivery) => deliver(parts, delivery)));
  return due.length;
};

const deliver = async (parts: DrainParts, delivery: Delivery): Promise<void> => {
  const url = await parts.seal.open(delivery.url, { table: 'deliveries', row: delivery.id, field: 'url' });
  const timestamp = Math.floor(parts.now() / 1000);
  const signature = await parts.signer.sign({
    id: delivery.id,
    timestamp,
    body: delivery.body,
    ...(delivery.appId === undefined ? {} : { appId: delivery.appId }),
  });
  const sent = await parts.sender({ url, body: delivery.body, timeoutMs: parts.timeoutMs, headers: webhookHeaders(delivery, timestamp, signature) });
  const now = parts.now();
  parts.count('deliveries_total', { outcome: sent.outcome === 'delivered' ? 'delivered' : sent.statusClass });
  if (sent.outcome === 'delivered') {
    await parts.store.finish(delivery.id, parts.owner, { state: 'delivered', lastOutcome: sent.statusClass, doneOn: now });
    // The host is back after a failure: what waits for its next slot does not have to.
    if (delivery.attempt > 1) await parts.store.kickHost(delivery.host, now, kickSpreadMs);
    return;
  }
  if (sent.status === 410) return await parts.store.finish(delivery.id, parts.owner, { state: 'disabled', lastOutcome: '410', doneOn: now });
  const delay = retryDelaysMs[delivery.attempt - 1];
  if (delay === undefined) return await parts.store.finish(delivery.id, parts.owner, { state: 'dead', lastOutcome: sent.statusClass, doneOn: now });
  const jittered = Math.round(delay * (0.8 + 0.4 * parts.random()));
  const wanted = sent.retryAfterMs === undefined ? jittered : Math.min(Math.max(jittered, sent.retryAfterMs), longestRetryAfterMs);
  await parts.store.finish(delivery.id, parts.owner, { state: 'due', lastOutcome: sent.statusClass, dueOn: now + wanted });
};

const webhookHeaders = (delivery: Pick<Delivery, 'id' | 'sequence' | 'attempt'>, timestamp: number, signature: string): Record<string, string> => ({
  'content-type': 'application/json',
  'webhook-id': delivery.id,
  'webhook-timestamp': String(timestamp),
  'webhook-signature': signature,
  'webhook-sequence': String(delivery.sequence),
  'webhook-attempt': String(delivery.attempt),
});
