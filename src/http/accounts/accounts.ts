/** A customer's accounts at providers. One account serves all ramps of its provider. The paths under /sell/accounts show the same accounts. */
import * as z from 'zod';
import { confirmAccountCode, sendAccountCode } from '../../gateway/accounts/account-code.ts';
import { startAccount } from '../../gateway/accounts/start-account.ts';
import { readPayoutTo, withProof } from '../../gateway/ordering/payout.ts';
import { endpoint } from '../call.ts';
import { askedPayoutTo } from '../fiat-on-ramp/order.ts';
import { idempotencyHeader, onceByKey } from '../idempotency-key.ts';
import { accountBody, accountProblems, accountRemoveAt, accountStatusAt } from '../sell/accounts.ts';
import { accountShape, sellEvents, webhook } from '../sell/shapes.ts';
import { stepSession } from '../sell/step-session.ts';
import { email, pastedCode, phone, sessionId, text } from '../shapes.ts';
import { webhookOf } from '../webhook-url.ts';

export const accounts = endpoint({
  id: 'startAccount',
  method: 'post',
  path: '/accounts',
  headers: idempotencyHeader,
  body: z.object({
    session_id: sessionId,
    provider: text(64),
    email: email.optional(),
    phone: phone.optional(),
    payout_to: askedPayoutTo.optional(),
    terms_accepted: z.literal(true).optional(),
    api_key: text(256).optional(),
    ...webhook,
  }),
  answer: accountShape,
  problems: ['customer-conflict', 'payout-unsuitable', 'proof-required', 'webhook-url-refused', 'rate-limited', 'idempotency-in-progress', ...accountProblems],
  lane: 'reserved',
  run: async (call, body, raw) => {
    const session = await stepSession(call, body.session_id);
    const destination = readPayoutTo(call.gateway, body.payout_to);
    const request = {
      provider: body.provider,
      email: body.email,
      phone: body.phone,
      payoutTo: destination && (await withProof(call.gateway, session, destination)),
      termsAccepted: body.terms_accepted,
      apiKey: body.api_key,
      webhook: webhookOf(call, body, sellEvents),
      countMail: async () => await call.limit('mails'),
    };
    return await onceByKey(call, session.customerId, '/accounts', raw, () => startAccount(call.scope, session, request));
  },
});

export const accountStatus = accountStatusAt('/account-status', 'getAccount');

export const accountCode = endpoint({
  id: 'sendAccountCode',
  method: 'post',
  path: '/account-code',
  body: accountBody,
  answer: accountShape,
  problems: ['account-not-found', 'customer-conflict', 'code-expired', 'rate-limited', 'idempotency-in-progress', ...accountProblems],
  lane: 'reserved',
  run: async (call, body) => {
    const session = await stepSession(call, body.session_id);
    return { body: await sendAccountCode(call.scope, session, body.account_id, async () => await call.limit('mails')) };
  },
});

export const accountConfirm = endpoint({
  id: 'confirmAccount',
  method: 'post',
  path: '/account-confirm',
  body: accountBody.extend({ code: pastedCode }),
  answer: accountShape,
  problems: ['account-not-found', 'customer-conflict', 'code-wrong', 'code-expired', 'rate-limited', 'idempotency-in-progress', ...accountProblems],
  lane: 'reserved',
  run: async (call, body) => {
    const session = await stepSession(call, body.session_id);
    return { body: await confirmAccountCode(call.scope, session, body.account_id, body.code) };
  },
});

export const accountRemove = accountRemoveAt('/account-remove', 'removeAccount');
