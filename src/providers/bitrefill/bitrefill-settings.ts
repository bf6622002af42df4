import * as z from 'zod';

const variable = z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'must be the name of an environment variable, in capitals');
const url = z.url({ protocol: /^https?$/ });
const seconds = z.int().nonnegative();

/** The members of a `kind: bitrefill` block that this module reads. Where Bitrefill documents nothing, we chose the default (README). */
export const bitrefillSettings = z.strictObject({
  base_url: url.describe('With the version: https://api.bitrefill.com/v1'),
  api_key_env: variable.describe('Variable with the API key (user of the Basic auth)'),
  api_secret_env: variable.describe('Variable with the API secret (password of the Basic auth)'),
  receipt_email: z.email().describe('The e-mail address in orders of customers who gave none; no receipt is sent to it'),
  self_test_path: z
    .string()
    .startsWith('/')
    .nullable()
    .default('/test')
    .describe('Path that must return "Hello World!" before the listing is read; null: not called'),

  orders_path: z
    .string()
    .startsWith('/')
    .nullable()
    .default('/orders/')
    .describe('Where orders are listed, to find a purchase from the balance whose answer was lost; null: not read'),

  products: z
    .array(z.enum(['recharge', 'inbound', 'turbo']))
    .min(1)
    .default(['recharge', 'inbound', 'turbo']),
  payment_methods: z
    .array(z.string().regex(/^(?!balance$)[a-z0-9_-]{1,32}$/))
    .default(['lightning', 'bitcoin'])
    .describe("Bitrefill's own words; `bitcoin` is offered as onchain"),
  pay_with_balance: z.boolean().default(false).describe("Whether the operator's account balance may be spent"),
  step_from: z.enum(['min', 'zero']).default('min').describe('Where the steps of an amount are counted from'),

  order_life_s: seconds.default(900).describe('Lifetime of orders that do not state how long they can be paid'),
  expiry_margin_s: seconds.default(60).describe("How long before Bitrefill's own deadline an order counts as expired"),
  lightning_order_s: seconds.default(1_200).describe("How long a recharge's invoice must be valid if the order is paid by Lightning or from the balance"),
  onchain_order_s: seconds.default(4_500).describe("How long a recharge's invoice must be valid if the order is paid on chain or in another coin"),
  refund_methods: z.array(z.string()).default(['lightning', 'bitcoin']).describe('Payment methods whose refund goes to a bitcoin address'),
  redeem_base_url: url.optional().describe('Base URL of LNURLs that are rebuilt, if not base_url'),
});
export type BitrefillSettings = z.output<typeof bitrefillSettings>;
