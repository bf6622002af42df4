import * as z from 'zod';
import { readAccount, readBalance, readTransactions, removeAccount } from '../../gateway/accounts/accounts.ts';
import { startAccount } from '../../gateway/accounts/start-account.ts';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { endpoint, type Endpoint } from '../call.ts';
import { idempotencyHeader, onceByKey } from '../idempotency-key.ts';
import { email, fiat, sessionId, text, time, uuid } from '../shapes.ts';
import { accountShape, sellEvents, transaction, webhook } from './shapes.ts';
import { readingSession, stepSession } from './step-session.ts';
import { webhookOf } from '../webhook-url.ts';

/** The problems that an account call can return if it has to reach the account's provider. */
export const accountProblems = ['account-required', 'account-not-connected', 'provider-unavailable', 'provider-timeout', 'misconfigured'] as const;

export const accountBody = z.object({ session_id: sessionId, account_id: uuid });

export const sellAccounts = endpoint({
  id: 'startSellAccount',
  method: 'post',
  path: '/sell/accounts',
  headers: idempotencyHeader,
  body: z.object({
    session_id: sessionId,
    provider: text(64),
    email: email.optional(),
    api_key: text(256).optional(),
    ...webhook,
  }),
  answer: accountShape,
  problems: ['customer-conflict', 'webhook-url-refused', 'rate-limited', 'idempotency-in-progress', ...accountProblems],
  lane: 'reserved',
  run: async (call, body, raw) => {
    const session = await stepSession(call, body.session_id);
    const request = {
      provider: body.provider,
      ramp: 'sell' as const,
      email: body.email,
      apiKey: body.api_key,
      webhook: webhookOf(call, body, sellEvents),
      countMail: async () => await call.limit('mails'),
    };
    return await onceByKey(call, session.customerId, '/sell/accounts', raw, () => startAccount(call.scope, session, request));
  },
});

/** Makes an endpoint that reads an account: /account-status and /sell/account-status show the same accounts. */
export const accountStatusAt = (path: string, id: string): Endpoint =>
  endpoint({
    id,
    method: 'post',
    path,
    body: accountBody,
    answer: accountShape,
    problems: ['account-not-found', 'rate-limited', 'misconfigured'],
    lane: 'reserved',
    run: async (call, body) => {
      const session = await readingSession(call, body.session_id);
      return { body: await readAccount(call.scope, session, body.account_id) };
    },
  });

export const accountRemoveAt = (path: string, id: string): Endpoint =>
  endpoint({
    id,
    method: 'post',
    path,
    body: accountBody,
    answer: z.object({ account_id: uuid, removed: z.boolean() }),
    problems: ['account-not-found'],
    lane: 'reserved',
    run: async (call, body) => {
      const session = await readSession(call.gateway, body.session_id, 'price');
      return { body: await removeAccount(call.gateway, session, body.account_id) };
    },
  });

export const sellAccountStatus = accountStatusAt('/sell/account-status', 'getSellAccount');
export const sellAccountRemove = accountRemoveAt('/sell/account-remove', 'removeSellAccount');

export const sellBalance = endpoint({
  id: 'getSellBalance',
  method: 'post',
  path: '/sell/balance',
  body: accountBody,
  answer: z.object({ account_id: uuid, currency_code: z.string(), amount_fiat: fiat }),
  problems: ['account-not-found', 'rate-limited', ...accountProblems],
  lane: 'reserved',
  run: async (call, body) => {
    const session = await readingSession(call, body.session_id);
    return { body: await readBalance(call.scope, session, body.account_id) };
  },
});

export const sellTransactions = endpoint({
  id: 'listSellTransactions',
  method: 'post',
  path: '/sell/transactions',
  body: z.object({ session_id: sessionId, account_id: uuid, limit: z.int().min(1).max(200).optional(), since: time.optional() }),
  answer: z.object({ account_id: uuid, transactions: z.array(transaction) }),
  problems: ['account-not-found', 'rate-limited', ...accountProblems],
  lane: 'reserved',
  run: async (call, body) => {
    const session = await readingSession(call, body.session_id);
    return { body: await readTransactions(call.scope, session, body) };
  },
});
