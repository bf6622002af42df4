import { z } from '@hono/zod-openapi';
import { readCountry } from '../domain/country.ts';

/** Outward pieces that several routes share. Amounts: integers, hundredths of the fiat unit or sats; times RFC 3339 UTC with milliseconds. */
export const sessionId = z
  .uuid()
  .toLowerCase()
  .openapi({ example: '72614b08-f884-479e-8a90-b13495afd5d9', description: 'From GET /verify, opened by POST /session. A bearer secret.' });
/** Swift writes UUIDs in capitals; ours are in lower case (RFC 9562: either is meant to be read). */
export const uuid = z.uuid().toLowerCase();
export const time = z.iso.datetime().openapi({ example: '2026-11-21T10:15:00.715Z' });
export const amount = z.int().min(1, 'must be an integer of at least 1').max(2_100_000_000_000_000).openapi({ example: 10_000 });
export const anyAmount = z.int();
export const smallId = z.int().min(0).max(2_147_483_647);
export const text = (max: number) => z.string().min(1).max(max);
export const webhookUrl = z.string().max(250).openapi({ example: 'https://api.wallet.example/ramp/u_7Qm2x9' });
export const providerRef = z.object({ id: z.string(), name: z.string() });
export const ipv4 = z.ipv4();
export const country = z
  .string()
  .regex(/^[A-Za-z]{2}$/, 'must be an ISO 3166 country of two letters')
  .refine((code) => readCountry(code) !== undefined, 'must be a country of ISO 3166 (GB, not England)')
  .overwrite((code) => readCountry(code) ?? code)
  .openapi({ example: 'DE' });

export const reasons = {
  refused: z.looseObject({ provider: providerRef, reason: z.string() }),
  failed: z.looseObject({ provider: providerRef, reason: z.string(), retryable: z.boolean() }),
  excluded: z.looseObject({ provider: providerRef, rule: z.string() }),
};

export const problemShape = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string(),
    action: z.string(),
    retryable: z.boolean(),
    help: z.string(),
    retry_after_ms: z.int().optional(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
    order_id: z.string().optional(),
    order_ids: z.array(z.string()).optional().openapi({ description: 'The open orders that stand in the way' }),
    expires_on: z.string().optional().openapi({ description: 'With order_ids: when the last of them can no longer be paid' }),
    quote_id: z.string().optional().openapi({ description: 'order-pending: the quote whose order has to be placed first' }),
    signup_url: z.string().optional().openapi({ description: 'account-not-connected: where the customer signs up' }),
    attempts_left: z.int().optional().openapi({ description: 'code-wrong' }),
    code_expires_on: z.string().optional().openapi({ description: 'code-expired: until then the connection waits for a code' }),
  })
  .openapi('Problem');
