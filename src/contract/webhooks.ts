/** What the gateway sends to a wallet. The bodies are thin: they name what to read again. */
import { z } from 'zod';
import { orderState, orderStatus, uuid } from '../http/shapes.ts';
import { accountStatus, connectionStatus } from '../http/sell/shapes.ts';

const event = <T extends string, D extends z.ZodRawShape>(type: T, data: D) => z.object({ type: z.literal(type), data: z.object(data) });

/** By type. */
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
  withdrawal_ready: { summary: 'A purchase can be withdrawn', description: 'Exactly as in FLS01. Next: POST /withdrawal.' },
  order_status_changed: { summary: 'An order came to another stage', description: 'Of any ramp. Next: the status call of its ramp.' },
  account_status: { summary: 'An account came to another state', description: 'Next: POST /sell/account-status.' },
  connection_status: { summary: 'A connection came to another state', description: 'Next: POST /sell/connection-status.' },
  sell_settled: {
    summary: 'A payment straight to an address was sold',
    description: 'One that no order explains. Next: POST /sell/transactions.',
  },
  test: { summary: 'A test', description: 'What POST /webhook-test sends.' },
};

const header = (name: string, description: string, schema: object, required = true) => ({ in: 'header' as const, name, description, required, schema });
/** Standard Webhooks 1.0, and two of our own. */
export const webhookHeaders = [
  header('webhook-id', 'The event’s id, the same in every attempt: drop what you have had.', { type: 'string' }),
  header('webhook-timestamp', 'When this attempt was sent, Unix seconds: refuse what is older than five minutes.', { type: 'string', pattern: '^[0-9]+$' }),
  header(
    'webhook-signature',
    'Signatures over id.timestamp.body, separated by spaces: `v1a,` Ed25519 by a key of GET /.well-known/webhook-keys, and for an app with a secret `v1,` HMAC-SHA256.',
    { type: 'string' },
  ),
  header('webhook-sequence', 'Rises for each order, account and connection: drop what is lower than what you have had.', {
    type: 'string',
    pattern: '^[0-9]+$',
  }),
  header('webhook-attempt', '1 is the first.', { type: 'string', pattern: '^[0-9]+$' }),
];
