import * as z from 'zod';
import { cancelConnection, confirmConnection, createConnection, readConnections, resendCode } from '../../gateway/accounts/connections.ts';
import { Problem } from '../../gateway/problem.ts';
import type { ConnectionRequest } from '../../ports/accounts.ts';
import { endpoint } from '../call.ts';
import { idempotencyHeader, onceByKey } from '../idempotency-key.ts';
import { network, pastedCode, sessionId, text, uuid } from '../shapes.ts';
import { connectionShape, connectionsOfAccount, direction, oneConnection } from './shapes.ts';
import { readingSession, stepSession } from './step-session.ts';
import { defined } from '../../domain/defined.ts';

export const connectionBody = z.object({ session_id: sessionId, connection_id: uuid });
const problems = [
  'connection-not-found',
  'connection-required',
  'account-required',
  'account-not-connected',
  'provider-unavailable',
  'provider-timeout',
  'misconfigured',
] as const;

const createBody = z.object({
  session_id: sessionId,
  account_id: uuid,
  name: text(64),
  direction: direction.optional(),
  network: network.optional(),
  // The IBAN and BIC as people paste them: with spaces, dashes, or a label in front.
  iban: text(100).optional(),
  bic: text(64).optional(),
  beneficiary_name: text(140).optional(),
  lightning_username: text(64).optional(),
  destination_address: text(120).optional(),
});

export const sellConnections = endpoint({
  id: 'createSellConnection',
  method: 'post',
  path: '/sell/connections',
  headers: idempotencyHeader,
  body: createBody,
  answer: connectionShape,
  problems: [
    ...problems,
    'account-not-found',
    'iban-invalid',
    'address-invalid',
    'connection-name-taken',
    'username-taken',
    'rate-limited',
    'idempotency-in-progress',
  ],
  lane: 'reserved',
  run: async (call, body, raw) => {
    const session = await stepSession(call, body.session_id);
    const run = async () => {
      try {
        return await createConnection(call.scope, session, body.account_id, requestOf(body));
      } catch (error) {
        throw namingMissing(error, body);
      }
    };
    return await onceByKey(call, session.customerId, '/sell/connections', raw, run);
  },
});

/**
 * If the address or the IBAN is refused because it was not sent, returns a problem that says so; for the IBAN it names the other missing members,
 * too. Returns other errors as they are.
 */
const namingMissing = (error: unknown, body: z.output<typeof createBody>): unknown => {
  if (!(error instanceof Problem)) return error;
  if (error.code === 'address-invalid' && body.destination_address === undefined)
    return new Problem('address-invalid', 'destination_address is missing: the address that the bitcoin will be sent to.');
  if (error.code !== 'iban-invalid' || body.iban !== undefined) return error;
  const others = ['bic', 'beneficiary_name', ...(body.network === 'onchain' ? [] : (['lightning_username'] as const))] as const;
  const missing = ['iban', ...others.filter((name) => body[name] === undefined)];
  return new Problem('iban-invalid', `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing: selling pays into a bank account.`);
};

const requestOf = (body: z.output<typeof createBody>): ConnectionRequest => ({
  name: body.name,
  direction: body.direction ?? 'sell',
  network: body.network ?? (body.direction === 'buy' ? 'onchain' : 'lightning'),
  ...defined({
    iban: body.iban,
    bic: body.bic,
    beneficiaryName: body.beneficiary_name,
    lightningUsername: body.lightning_username,
    destinationAddress: body.destination_address,
  }),
});

export const sellConnectionStatus = endpoint({
  id: 'getSellConnections',
  method: 'post',
  path: '/sell/connection-status',
  body: z.object({ session_id: sessionId, connection_id: uuid.optional(), account_id: uuid.optional() }),
  answer: z.discriminatedUnion('asked_for', [oneConnection, connectionsOfAccount]),
  problems: ['account-not-found', 'connection-not-found', 'rate-limited', 'misconfigured'],
  lane: 'reserved',
  run: async (call, body) => {
    const session = await readingSession(call, body.session_id);
    return { body: await readConnections(call.scope, session, body) };
  },
});

export const sellConnectionConfirm = endpoint({
  id: 'confirmSellConnection',
  method: 'post',
  path: '/sell/connection-confirm',
  body: connectionBody.extend({ code: pastedCode }),
  answer: connectionShape,
  problems: [...problems, 'code-wrong', 'code-expired', 'rate-limited'],
  lane: 'reserved',
  run: async (call, body) => {
    const session = await stepSession(call, body.session_id);
    return { body: await confirmConnection(call.scope, session, body.connection_id, body.code) };
  },
});

export const sellConnectionResend = endpoint({
  id: 'resendSellConnectionCode',
  method: 'post',
  path: '/sell/connection-resend',
  body: connectionBody,
  answer: connectionShape,
  // If a cancellation is waiting for its code, asking for another code repeats the request to cancel.
  problems: [...problems, 'code-expired', 'cancel-refused', 'rate-limited'],
  lane: 'reserved',
  run: async (call, body) => {
    const session = await stepSession(call, body.session_id);
    return { body: await resendCode(call.scope, session, body.connection_id) };
  },
});

export const sellConnectionCancel = endpoint({
  id: 'cancelSellConnection',
  method: 'post',
  path: '/sell/connection-cancel',
  body: connectionBody,
  answer: connectionShape,
  problems: [...problems, 'cancel-refused', 'rate-limited'],
  lane: 'reserved',
  run: async (call, body) => {
    const session = await stepSession(call, body.session_id);
    return { body: await cancelConnection(call.scope, session, body.connection_id) };
  },
});
