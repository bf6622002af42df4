import * as z from 'zod';
import { readAttention, readOrder, readRecord, settleOrder } from '../../gateway/operator/actions.ts';
import { readOverview } from '../../gateway/operator/show-overview.ts';
import { readSeries, type SeriesRequest } from '../../gateway/operator/show-series.ts';
import { searchOrders } from '../../gateway/operator/search-orders.ts';
import { switchProvider } from '../../gateway/operator/switch-provider.ts';
import { listWebhooks, sendWebhook, webhookLists } from '../../gateway/operator/webhooks.ts';
import { endpoint, type Call } from '../call.ts';
import { calendarDay, ramp, time } from '../shapes.ts';
import { overview, series, step } from './console-shapes.ts';
import { actorOf, operatorOnly } from './guard.ts';
import {
  attention,
  dossier,
  found,
  listedWebhook,
  namedStage,
  orderList,
  providerSwitch,
  record,
  sentWebhook,
  settled,
  settling,
  switchMode,
} from './shapes.ts';

const by = (call: Call) => ({ actor: actorOf(call) });
const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((words) => !/[\p{Cc}\p{Cs}]/u.test(words), 'must not contain control characters');
const cursor = text(100).optional();

export const operatorOverview = endpoint({
  id: 'getOperatorOverview',
  method: 'get',
  path: '/operator/overview',
  answer: overview,
  problems: ['not-found'],
  lane: 'reserved',
  guard: operatorOnly,
  run: async (call) => ({ body: await readOverview(call.gateway, by(call)) }),
});

export const operatorSeries = endpoint({
  id: 'getOperatorSeries',
  method: 'get',
  path: '/operator/series',
  query: z.object({
    from: time.optional(),
    to: time.optional(),
    step: step.optional(),
    provider: text(32).optional(),
    ramp: ramp.optional(),
    currency: text(3).optional(),
    option: text(100).optional(),
  }),
  answer: series,
  problems: ['not-found'],
  lane: 'reserved',
  guard: operatorOnly,
  run: async (call, query: SeriesRequest) => ({ body: await readSeries(call.gateway, by(call), query) }),
});

export const operatorOrder = endpoint({
  id: 'getOperatorOrder',
  method: 'get',
  path: '/operator/orders/:id',
  answer: dossier,
  problems: ['not-found', 'order-not-found'],
  lane: 'reserved',
  guard: operatorOnly,
  run: async (call) => ({ body: await readOrder(call.gateway, by(call), call.params['id'] ?? '') }),
});

export const operatorSettle = endpoint({
  id: 'settleOperatorOrder',
  method: 'post',
  path: '/operator/orders/:id/settle',
  body: z
    .object({ settling, reason: text(500).trim().min(1), stage: namedStage.optional(), evidence: text(500).trim().min(1).optional(), pin: text(64) })
    .refine((body) => (body.settling === 'leave-review') === (body.stage !== undefined), 'give stage if settling is leave-review, and only then')
    .refine(
      (body) => body.settling === 'drop-fallback' || body.settling === 'paid-otherwise' || body.evidence === undefined,
      'give evidence only with drop-fallback and paid-otherwise',
    ),
  answer: settled,
  problems: ['not-found', 'not-possible-now', 'order-changed'],
  lane: 'reserved',
  guard: operatorOnly,
  run: async (call, body) => ({ body: await settleOrder(call.gateway, by(call), call.params['id'] ?? '', body) }),
});

export const operatorSearch = endpoint({
  id: 'searchOperatorOrders',
  method: 'post',
  path: '/operator/orders-search',
  body: z
    .object({
      anything: text(256).trim().min(1).optional(),
      list: orderList.optional(),
      provider: text(32).optional(),
      request_id: text(64).optional(),
      upstream_order_id: text(256).optional(),
      reference: text(256).optional(),
      day: calendarDay.optional(),
      amount: z.int().min(0).optional(),
      cursor,
      limit: z.int().min(1).max(100).optional(),
    })
    .refine(
      ({ cursor: _cursor, limit: _limit, ...body }) => Object.values(body).some((value) => value !== undefined),
      'give at least one of anything, list, provider, request_id, upstream_order_id, reference, day, amount',
    )
    .refine(
      ({ anything, request_id, upstream_order_id, reference, amount }) =>
        anything === undefined || [request_id, upstream_order_id, reference, amount].every((value) => value === undefined),
      'anything may itself be a request id, an order id of the provider, a reference or an amount: send it without those members',
    ),
  answer: z.object({
    orders: z.array(found),
    more: z.boolean(),
    next_cursor: z.string().optional(),
    amounts_from: time.optional(),
    prices_from: time.optional(),
  }),
  problems: ['not-found'],
  lane: 'reserved',
  guard: operatorOnly,
  run: async (call, body) => ({ body: await searchOrders(call.gateway, by(call), body) }),
});

export const operatorAttention = endpoint({
  id: 'getOperatorAttention',
  method: 'get',
  path: '/operator/attention',
  answer: attention,
  problems: ['not-found'],
  lane: 'reserved',
  guard: operatorOnly,
  run: async (call) => ({ body: await readAttention(call.gateway, by(call)) }),
});

export const operatorWebhooks = endpoint({
  id: 'listOperatorWebhooks',
  method: 'post',
  path: '/operator/webhooks',
  body: z.object({ list: z.enum(webhookLists), cursor }),
  answer: z.object({ webhooks: z.array(listedWebhook), more: z.boolean(), next_cursor: z.string().optional() }),
  problems: ['not-found'],
  lane: 'reserved',
  guard: operatorOnly,
  run: async (call, body) => ({ body: await listWebhooks(call.gateway, by(call), body) }),
});

export const operatorSendWebhook = endpoint({
  id: 'sendOperatorWebhook',
  method: 'post',
  path: '/operator/webhooks/:id/send',
  body: z.object({}),
  answer: sentWebhook,
  problems: ['not-found', 'webhook-not-found', 'not-possible-now'],
  lane: 'reserved',
  guard: operatorOnly,
  run: async (call) => ({ body: await sendWebhook(call.gateway, by(call), call.params['id'] ?? '') }),
});

export const operatorRecord = endpoint({
  id: 'getOperatorRecord',
  method: 'get',
  path: '/operator/record',
  answer: record,
  problems: ['not-found'],
  lane: 'reserved',
  guard: operatorOnly,
  run: async (call) => ({ body: await readRecord(call.gateway, by(call)) }),
});

/** The version of the switch that the operator saw (`switch_version`), with or without quotes. */
const ifMatch = z.object({ 'If-Match': z.string().optional() });
const expectedOf = ({ request }: Call): string | undefined => {
  const given = request.headers
    .get('if-match')
    ?.trim()
    .replace(/^"(.*)"$/, '$1');
  return given === undefined || given === '*' ? undefined : given;
};

export const operatorProvider = endpoint({
  id: 'switchProvider',
  method: 'post',
  path: '/operator/providers/:id',
  headers: ifMatch,
  body: z.object({
    mode: switchMode,
    reason: text(500),
    until: time.optional(),
  }),
  answer: providerSwitch,
  problems: ['not-found', 'switch-changed'],
  lane: 'reserved',
  guard: operatorOnly,
  run: async (call, body) => ({ body: await switchProvider(call.gateway, by(call), call.params['id'] ?? '', body, expectedOf(call)) }),
});
