import { z } from '@hono/zod-openapi';
import { time, uuid, webhookUrl } from '../shapes.ts';

export const sellEvents = ['account_status', 'connection_status', 'sell_settled', 'order_status_changed'] as const;
export const webhook = {
  webhook_url: webhookUrl.optional(),
  webhook_events: z.array(z.enum(sellEvents)).max(8).optional().openapi({ description: 'Default: all' }),
};

export const connectionShape = z.object({
  connection_id: uuid,
  account_id: uuid,
  name: z.string(),
  direction: z.enum(['sell', 'buy']),
  network: z.enum(['lightning', 'onchain']),
  connection_status: z.enum(['initiating', 'code_required', 'active', 'failed', 'expired', 'inactive']),
  connection_status_date: time,
  code_expires_on: time.optional(),
  attempts_left: z.int().optional(),
  failure: z.string().optional(),
  lightning_address: z.string().optional(),
  deposit_address: z.string().optional(),
  deposit_iban: z.string().optional(),
  iban_masked: z.string().optional(),
});
export const accountShape = z.object({
  account_id: uuid,
  provider: z.string(),
  account_status: z.enum(['onboarding', 'pending', 'connected', 'rejected', 'needs_reconnect']),
  account_status_date: time,
  signup_url: z.string().optional(),
  mail_sent: z.boolean().optional(),
  connections: z.array(connectionShape),
  next_check_on: time.optional(),
});
