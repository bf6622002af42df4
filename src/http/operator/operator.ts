import * as z from 'zod';
import { readAttention, readOrder, readRecord, searchOrders, switchProvider } from '../../gateway/operator/actions.ts';
import { endpoint, type Call } from '../call.ts';
import { calendarDay, time } from '../shapes.ts';
import { actorOf, operatorOnly } from './guard.ts';
import { attention, dossier, found, providerSwitch, record, switchMode } from './shapes.ts';

const by = (call: Call) => ({ actor: actorOf(call) });
const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not contain control characters');
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

export const operatorSearch = endpoint({
  id: 'searchOperatorOrders',
  method: 'post',
  path: '/operator/orders-search',
  body: z
    .object({
      request_id: text(64).optional(),
      upstream_order_id: text(256).optional(),
      reference: text(256).optional(),
      day: calendarDay.optional(),
      amount: z.int().min(0).optional(),
    })
    .refine((body) => Object.values(body).some((value) => value !== undefined), 'give at least one of request_id, upstream_order_id, reference, day, amount'),
  answer: z.object({ orders: z.array(found), more: z.boolean() }),
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

export const operatorProvider = endpoint({
  id: 'switchProvider',
  method: 'post',
  path: '/operator/providers/:id',
  body: z.object({
    mode: switchMode,
    reason: text(500),
    until: time.optional(),
  }),
  answer: providerSwitch,
  problems: ['not-found'],
  lane: 'reserved',
  guard: operatorOnly,
  run: async (call, body) => ({ body: await switchProvider(call.gateway, by(call), call.params['id'] ?? '', body) }),
});
