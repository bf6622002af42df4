import * as z from 'zod';
import type { AccountNeed } from '../../ports/accounts.ts';
import { count, fiat, network, providerId, sats, stage, time, uuid, webhookUrl } from '../shapes.ts';

export const sellEvents = ['account_status', 'connection_status', 'sell_settled', 'order_status_changed'] as const;
export const webhook = {
  webhook_url: webhookUrl.optional(),
  webhook_events: z.array(z.enum(sellEvents)).max(8).optional(),
};

export const direction = z.enum(['sell', 'buy']);
export const connectionStatus = z.enum(['initiating', 'code_required', 'active', 'failed', 'expired', 'inactive']);
export const connectionShape = z.object({
  connection_id: uuid,
  account_id: uuid,
  name: z.string(),
  direction,
  network,
  connection_status: connectionStatus,
  connection_status_date: time,
  code_expires_on: time.optional(),
  attempts_left: count.optional(),
  failure: z.string().optional(),
  lightning_address: z.string().optional(),
  deposit_address: z.string().optional(),
  deposit_iban: z.string().optional(),
  iban_masked: z.string().optional(),
});
export const oneConnection = connectionShape.extend({ asked_for: z.literal('connection') });
export const connectionsOfAccount = z.object({ asked_for: z.literal('account'), account_id: uuid, connections: z.array(connectionShape) });

export const accountNeed = z.enum(['email', 'phone', 'payout_to', 'terms_accepted', 'code'] satisfies AccountNeed[]);
export const codeChannel = z.enum(['mail', 'sms']);
export const accountStatus = z.enum(['onboarding', 'pending', 'connected', 'rejected', 'needs_reconnect']);
export const accountShape = z.object({
  account_id: uuid,
  provider: providerId,
  account_status: accountStatus,
  account_status_date: time,
  signup_url: z.string().optional(),
  mail_sent: z.boolean().optional(),
  needs: z.array(accountNeed).optional(),
  terms_url: z.string().optional(),
  code_sent_by: codeChannel.optional(),
  code_expires_on: time.optional(),
  attempts_left: count.optional(),
  connections: z.array(connectionShape),
  next_check_on: time.optional(),
});
export const transaction = z.object({
  transaction_id: z.string(),
  kind: z.string(),
  status: z.string(),
  stage: stage.optional(),
  amount_sats: sats.optional(),
  amount_fiat: fiat.optional(),
  created_on: time,
});
