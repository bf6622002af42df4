import { z } from '@hono/zod-openapi';
import { readBalance, readSellAccount, readTransactions, removeSellAccount, startSellAccount } from '../../gateway/accounts/accounts.ts';
import { stages } from '../../domain/order.ts';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { endpoint } from '../call.ts';
import { idempotencyHeader, onceByKey } from '../idempotency-key.ts';
import { anyAmount, sessionId, text, time, uuid } from '../shapes.ts';
import { accountShape, sellEvents, webhook } from './shapes.ts';
import { stepSession } from './step-session.ts';
import { webhookOf } from '../webhook-url.ts';

/** The problems that any call in an account's name may answer. */
const provider = ['account-required', 'account-not-connected', 'provider-unavailable', 'provider-timeout', 'misconfigured'] as const;

export const sellAccounts = endpoint({
  method: 'post',
  path: '/sell/accounts',
  headers: idempotencyHeader,
  tag: 'Sell',
  summary: 'Start or recover the customer’s account at a sell provider',
  body: z.object({
    session_id: sessionId,
    provider: text(64),
    email: text(254).optional(),
    api_key: text(256).optional().openapi({ description: "Instead of email: a key from the provider's own dashboard" }),
    ...webhook,
  }),
  answer: accountShape,
  problems: ['customer-conflict', 'webhook-url-refused', 'rate-limited', 'idempotency-in-progress', ...provider],
  lane: 'reserved',
  run: async (call, body, raw) => {
    const session = await stepSession(call, body.session_id);
    const request = {
      provider: body.provider,
      email: body.email,
      apiKey: body.api_key,
      webhook: webhookOf(call, body, sellEvents),
      countMail: async () => await call.limit('mails'),
    };
    return await onceByKey(call, session.customerId, '/sell/accounts', raw, () => startSellAccount(call.scope, session, request));
  },
});

export const sellAccountStatus = endpoint({
  method: 'post',
  path: '/sell/account-status',
  tag: 'Sell',
  summary: 'State of the account, with its connections',
  body: z.object({ session_id: sessionId, account_id: uuid }),
  answer: accountShape,
  problems: ['account-not-found', 'misconfigured'],
  lane: 'reserved',
  run: async (call, body) => {
    const session = await readSession(call.gateway, body.session_id, 'owned');
    return { body: await readSellAccount(call.scope, session, body.account_id) };
  },
});

export const sellAccountRemove = endpoint({
  method: 'post',
  path: '/sell/account-remove',
  tag: 'Sell',
  summary: 'Remove the account here; the account at the provider stays',
  body: z.object({ session_id: sessionId, account_id: uuid }),
  answer: z.object({ account_id: uuid, removed: z.boolean() }),
  problems: ['account-not-found'],
  lane: 'reserved',
  run: async (call, body) => {
    const session = await readSession(call.gateway, body.session_id, 'price');
    return { body: await removeSellAccount(call.gateway, session, body.account_id) };
  },
});

export const sellBalance = endpoint({
  method: 'post',
  path: '/sell/balance',
  tag: 'Sell',
  summary: 'Balance of the account at the provider',
  body: z.object({ session_id: sessionId, account_id: uuid }),
  answer: z.object({ account_id: uuid, currency_code: z.string(), amount_fiat: anyAmount }),
  problems: ['account-not-found', ...provider],
  lane: 'reserved',
  run: async (call, body) => {
    const session = await readSession(call.gateway, body.session_id, 'owned');
    return { body: await readBalance(call.scope, session, body.account_id) };
  },
});

export const sellTransactions = endpoint({
  method: 'post',
  path: '/sell/transactions',
  tag: 'Sell',
  summary: 'Payments of the account, including those straight to its addresses; newest first',
  body: z.object({ session_id: sessionId, account_id: uuid, limit: z.int().min(1).max(200).optional(), since: time.optional() }),
  answer: z.object({
    account_id: uuid,
    transactions: z.array(
      z.object({
        transaction_id: z.string(),
        kind: z.string(),
        status: z.string().openapi({ description: "The provider's own word" }),
        stage: z.enum(stages).optional(),
        amount_sats: anyAmount.optional(),
        amount_fiat: anyAmount.optional(),
        created_on: time,
      }),
    ),
  }),
  problems: ['account-not-found', ...provider],
  lane: 'reserved',
  run: async (call, body) => {
    const session = await readSession(call.gateway, body.session_id, 'owned');
    return { body: await readTransactions(call.scope, session, body) };
  },
});
