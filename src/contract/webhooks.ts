/** The webhooks that the gateway sends to a wallet. Their bodies are thin: at most ids and the new status. The wallet reads everything else again. */
import * as z from 'zod';
import { orderState, orderStatus, uuid } from '../http/shapes.ts';
import { accountStatus, connectionStatus } from '../http/sell/shapes.ts';

const event = <T extends string, D extends z.ZodRawShape>(type: T, data: D) => z.object({ type: z.literal(type), data: z.object(data) });

/** The events, by type. */
export const webhookEvents = {
  withdrawal_ready: { name: 'WithdrawalReadyEvent', schema: event('withdrawal_ready', { order_id: uuid, order_status: orderStatus }) },
  order_status_changed: { name: 'OrderStatusChangedEvent', schema: event('order_status_changed', { order_id: uuid, ...orderState }) },
  account_status: { name: 'AccountStatusEvent', schema: event('account_status', { account_id: uuid, account_status: accountStatus }) },
  connection_status: {
    name: 'ConnectionStatusEvent',
    schema: event('connection_status', { connection_id: uuid, account_id: uuid, connection_status: connectionStatus }),
  },
  sell_settled: { name: 'SellSettledEvent', schema: event('sell_settled', { account_id: uuid, connection_id: uuid.optional(), transaction_id: z.string() }) },
  test: { name: 'TestEvent', schema: event('test', {}) },
} as const satisfies { readonly [type: string]: { name: string; schema: z.ZodType } };

export const webhookTexts: { readonly [type in keyof typeof webhookEvents]: { summary: string; description: string } } = {
  withdrawal_ready: {
    summary: 'A purchase can be withdrawn',
    description: 'The body is exactly as in FLS01. To get the withdrawal link, call POST /withdrawal.',
  },
  order_status_changed: {
    summary: 'An order reached another stage',
    description: 'Sent for orders of every ramp. To read the order, use the status call of its ramp.',
  },
  account_status: { summary: 'The state of an account changed', description: 'To read the account, call POST /account-status.' },
  connection_status: { summary: 'The state of a connection changed', description: 'To read the connection, call POST /sell/connection-status.' },
  sell_settled: {
    summary: 'Sats that were paid straight to an address were sold',
    description: 'Sent for a payment that does not belong to an order. To read the payment, call POST /sell/transactions.',
  },
  test: { summary: 'A test', description: 'Sent by POST /webhook-test.' },
};

const header = (name: string, description: string, schema: object, required = true) => ({ in: 'header' as const, name, description, required, schema });
/** The headers of Standard Webhooks 1.0, and two of our own. */
export const webhookHeaders = [
  header('webhook-id', 'The event’s id, which is the same in every attempt: ignore an event that you have already received.', { type: 'string' }),
  header('webhook-timestamp', 'When this attempt was sent, in Unix seconds: refuse a webhook that is older than five minutes.', {
    type: 'string',
    pattern: '^[0-9]+$',
  }),
  header(
    'webhook-signature',
    'Signatures over id.timestamp.body, separated by spaces. `v1a,` is followed by an Ed25519 signature with a key of GET /.well-known/webhook-keys; `v1,`, for an app with a webhook secret, by an HMAC-SHA256.',
    { type: 'string' },
  ),
  header(
    'webhook-sequence',
    'A number that rises with each event of the same order, account or connection: ignore an event whose number is lower than one you have already received.',
    {
      type: 'string',
      pattern: '^[0-9]+$',
    },
  ),
  header('webhook-attempt', 'The number of this attempt. The first is 1.', { type: 'string', pattern: '^[0-9]+$' }),
];
