import { z } from '@hono/zod-openapi';
import { readCountry } from '../domain/country.ts';
import { orderStatuses, stages } from '../domain/order.ts';
import { paymentKinds } from '../gateway/outward.ts';

/** Shapes that several routes share. Amounts are integers, in hundredths of the fiat unit or in sats. Times are RFC 3339 UTC with milliseconds. */
export const sessionId = z
  .uuid()
  .toLowerCase()
  .openapi({ example: '72614b08-f884-479e-8a90-b13495afd5d9', description: 'From GET /verify, opened by POST /session. A bearer secret.' });
/** Swift writes UUIDs in capitals; ours are in lower case. RFC 9562: readers accept both. */
export const uuid = z.uuid().toLowerCase();
export const time = z.iso.datetime().openapi({ example: '2026-11-21T10:15:00.715Z' });
export const amount = z.int().min(1, 'must be an integer of at least 1').max(2_100_000_000_000_000).openapi({ example: 10_000 });
export const anyAmount = z.int();
/** As stored. An old amount that no JSON integer holds is null. */
export const keptAmount = z.int().nullable();
export const smallId = z.int().min(0).max(2_147_483_647);
export const text = (max: number) => z.string().min(1).max(max);
export const webhookUrl = z.string().max(2048).openapi({ example: 'https://api.wallet.example/ramp/u_7Qm2x9' });
export const providerRef = z.object({ id: z.string(), name: z.string() });
export const ipv4 = z.ipv4();
export const country = z
  .string()
  // Report a malformed code only once.
  .regex(/^[A-Za-z]{2}$/, { error: 'must be an ISO 3166 country of two letters', abort: true })
  .refine((code) => readCountry(code) !== undefined, 'must be a country of ISO 3166 (GB, not England)')
  .overwrite((code) => readCountry(code) ?? code)
  .openapi({ example: 'DE' });

export const orderState = { order_status: z.enum(orderStatuses), stage: z.enum(stages) };

/** How to pay. `kind` says which value to pay to; without one, a fiat provider's own keys say it. */
export const paymentInfo = z.object({
  payment_option_id: smallId.optional(),
  kind: z.enum(paymentKinds).optional(),
  lightning_invoice: z.string().optional(),
  lightning_address: z.string().optional(),
  lnurl: z.string().optional(),
  address: z.string().optional(),
  amount_sats: keptAmount.optional(),
  min_sats: keptAmount.optional(),
  max_sats: keptAmount.optional(),
  bip21: z.string().optional(),
  altcoin_amount: z.string().optional(),
  altcoin_code: z.string().optional(),
  payment_url: z.string().optional(),
  payment_details: z
    .record(z.string(), z.string())
    .optional()
    .openapi({ description: "The provider's own keys; provider_reference is the reference under whatever name it came" }),
  epc_qr: z.string().optional().openapi({ description: 'EPC069-12: euros to a valid IBAN' }),
});
