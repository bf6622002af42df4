import { z } from '@hono/zod-openapi';
import { readAttention, readOrder, readRecord, searchOrders, switchProvider } from '../../gateway/operator/actions.ts';
import { providerModes } from '../../gateway/switches.ts';
import { endpoint, type Call } from '../call.ts';
import { time } from '../shapes.ts';
import { actorOf, operatorOnly } from './guard.ts';
import { attention, dossier, found, record } from './shapes.ts';

const tag = 'Operator';
const by = (call: Call) => ({ actor: actorOf(call) });
const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'has characters that are not text');
export const operatorOrder = endpoint({
  method: 'get',
  path: '/operator/orders/:id',
  tag,
  summary: 'Where order X is: every offer, exclusion, refusal and fault, the attempts, events, notices and deliveries, with secrets masked',
  answer: dossier,
  problems: ['not-found', 'order-not-found'],
  lane: 'reserved',
  guard: operatorOnly,
  run: async (call) => ({ body: await readOrder(call.gateway, by(call), call.params['id'] ?? '') }),
});

export const operatorSearch = endpoint({
  method: 'post',
  path: '/operator/orders-search',
  tag,
  summary: 'Orders by request id, the provider’s order id, payment reference, UTC day or amount; each member narrows the search',
  body: z
    .object({
      request_id: text(64).optional(),
      upstream_order_id: text(256).optional(),
      reference: text(256).optional(),
      day: z.iso.date().optional(),
      amount: z.int().min(0).optional().describe('What is paid or received, in sats or hundredths of the fiat unit'),
    })
    .refine((body) => Object.values(body).some((value) => value !== undefined), 'give at least one of request_id, upstream_order_id, reference, day, amount'),
  answer: z.object({ orders: z.array(found), more: z.boolean() }),
  problems: ['not-found'],
  lane: 'reserved',
  guard: operatorOnly,
  run: async (call, body) => ({ body: await searchOrders(call.gateway, by(call), body) }),
});

export const operatorAttention = endpoint({
  method: 'get',
  path: '/operator/attention',
  tag,
  summary: 'What needs a person: orders in review, order attempts without an outcome, dead letters, switches in force',
  answer: attention,
  problems: ['not-found'],
  lane: 'reserved',
  guard: operatorOnly,
  run: async (call) => ({ body: await readAttention(call.gateway, by(call)) }),
});

export const operatorRecord = endpoint({
  method: 'get',
  path: '/operator/record',
  tag,
  summary: 'What each provider delivered against its quotes, and how much its offers are cut; counts of the last 24 hours',
  answer: record,
  problems: ['not-found'],
  lane: 'reserved',
  guard: operatorOnly,
  run: async (call) => ({ body: await readRecord(call.gateway, by(call)) }),
});

export const operatorProvider = endpoint({
  method: 'post',
  path: '/operator/providers/:id',
  tag,
  summary: 'Switches a provider without a deployment; every instance obeys within five seconds',
  body: z.object({
    mode: z
      .enum([...providerModes, 'configured'])
      .describe('drain: no new offers, but existing quotes can be ordered; off: nothing new; configured: as in the file'),
    reason: text(500),
    until: z.iso.datetime().optional().describe('Lapses by itself then'),
  }),
  answer: z.object({ provider: z.string(), mode: z.enum([...providerModes, 'configured']), reason: z.string(), until: time.optional(), set_on: time }),
  problems: ['not-found'],
  lane: 'reserved',
  guard: operatorOnly,
  run: async (call, body) => ({ body: await switchProvider(call.gateway, by(call), call.params['id'] ?? '', body) }),
});
