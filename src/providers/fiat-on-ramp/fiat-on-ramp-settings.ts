import * as z from 'zod';

const staticOption = z.strictObject({
  currency: z.string().min(1).max(32),
  name: z.string().min(1).max(64),
  currency_id: z.int().min(0),
  id: z.int().min(0),
  fee_rate: z.number().min(0).max(0.5).default(0),
  min_amount: z.int().min(0).optional(),
  max_amount: z.int().min(1).optional(),
});

const units = z.enum(['hundredth', 'iso4217']);

/** The members of a `kind: fiat-on-ramp` block that this module reads. Where the standard is clear, the default follows it. */
export const settings = z.strictObject({
  base_url: z.url(),
  path_prefix: z
    .string()
    .regex(/^(?:\/[\w.~-]+)*$/, 'must begin with / and not end with it')
    .default('')
    .describe('Before every path, e.g. /ALJAZ/fiatlink/1.0.0'),
  path_map: z
    .partialRecord(z.enum(['features', 'verify', 'session', 'payment-options', 'quote', 'order', 'order-status', 'withdrawal']), z.string().startsWith('/'))
    .default(() => ({}))
    .describe('Endpoint names from drafts of the standard, e.g. {session: /auth}'),
  payment_options_method: z.enum(['POST', 'GET']).default('POST'),
  fee_style: z.enum(['included', 'added']).default('included').describe('Whether amount_fiat of a quote includes the order_fee or the fee comes on top'),
  sats_field: z.enum(['amount_sats', 'amount_btc']).default('amount_sats').describe('amount_btc for providers from before 2024'),
  bip21: z.boolean().default(false).describe('Send failback_onchain as a bitcoin: URI'),
  minor_units: z
    .union([units, z.record(z.string().regex(/^[A-Za-z0-9 ]{2,16}$/), units)])
    .optional()
    .describe(
      'How this provider reads amounts of currencies whose ISO exponent is not 2, all of them or by code ({JPY: iso4217, UGX: hundredth}); without it they are not offered',
    ),
  proof: z.enum(['none', 'demanded']).default('none').describe('demanded: /verify returns a token that the customer must sign'),
  proof_template: z
    .string()
    .max(500)
    .regex(/TOKEN/, 'must contain the word TOKEN')
    .optional()
    .describe('The sentence that this provider wants signed instead of the bare token; TOKEN stands for the token'),
  catalogue_key_env: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*$/)
    .optional()
    .describe("Variable with a node private key (hex) for the gateway's own session at a provider that demands proof"),
  catalogue_without_session: z.boolean().default(false).describe('The options may be listed with the session id of /verify, before /session'),
  options: z.array(staticOption).optional().describe('The options, if the listing of the provider cannot be read'),
  currencies: z.array(z.string().min(1)).optional().describe('Offer only these currencies'),
  not_taken_statuses: z
    .array(z.int().min(400).max(499))
    .default([400, 401, 403, 404, 410, 413, 415, 422])
    .describe('Statuses in response to /order that mean for certain that no order was made'),
});
export type Settings = z.output<typeof settings>;
