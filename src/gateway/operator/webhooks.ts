import type { Gateway } from '../../ports/gateway.ts';
import type { DossierDelivery } from '../../ports/operator.ts';
import { Problem } from '../problem.ts';
import { logAction, type Operator } from './log-action.ts';
import { pageOf, placeOf } from './place.ts';

/** A webhook that fails is listed from its third try on, about five minutes after its first. */
export const triesToList = 3;
const pageSize = 100;
const time = (ms: number): string => new Date(ms).toISOString();

export const webhookLists = ['failing', 'due', 'dead', 'disabled', 'delivered', 'superseded'] as const;
type WebhooksRequest = { list: (typeof webhookLists)[number]; cursor?: string | undefined };

export const showDelivery = (one: DossierDelivery & { subjectId: string }) => ({
  id: one.id,
  subject_id: one.subjectId,
  type: one.type,
  host: one.host,
  state: one.state,
  attempts: one.attempt,
  created_on: time(one.createdOn),
  ...(one.lastOutcome === undefined ? {} : { last_outcome: one.lastOutcome }),
});

export const listWebhooks = async (gateway: Gateway, operator: Operator, { list, cursor }: WebhooksRequest) => {
  const before = placeOf(cursor);
  await logAction(gateway, operator, 'webhooks.read', list);
  const filter = list === 'failing' ? { states: ['due'] as const, tries: triesToList } : { states: [list] };
  const rows = await gateway.stores.operator.webhooks(filter, pageSize + 1, before);
  const { shown, ...more } = pageOf(rows, pageSize, (one) => ({ on: one.createdOn, id: one.id }));
  return { webhooks: shown.map((one) => ({ ...showDelivery(one), ...(one.state === 'due' ? { due_on: time(one.dueOn) } : {}) })), ...more };
};

/** Makes a webhook due now, under the same id. Throws `webhook-not-found` or `not-possible-now`. */
export const sendWebhook = async (gateway: Gateway, operator: Operator, id: string) => {
  // A string that does not have the form of an id (new-delivery.ts) may be anything that was pasted by mistake. So it is not logged.
  if (!/^msg_[0-9a-f]{32}$/.test(id)) throw new Problem('webhook-not-found', 'There is no such webhook.');
  await logAction(gateway, operator, 'webhook.send', id);
  const now = gateway.now();
  if (await gateway.stores.deliveries.resend(id, now)) return { id, state: 'due' as const };
  if (!(await gateway.stores.operator.hasWebhook(id))) throw new Problem('webhook-not-found', 'There is no such webhook.');
  throw new Problem('not-possible-now', 'The webhook is being sent at this moment, or a newer one about the same thing has taken its place.');
};
