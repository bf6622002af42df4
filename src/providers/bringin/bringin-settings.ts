import * as z from 'zod';
import { linkHost } from '../../domain/links.ts';

const variable = z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'must be the name of an environment variable, in capitals');
const host = z.string().regex(/^(?:localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?::\d+)?$/, 'must be a host name with a dot, in lower case');
const pageHost = z.string().regex(linkHost.form, linkHost.says);
const url = z.url({ protocol: /^https?$/ });
const seconds = z.int().positive();
/** EUR 22, as in BTCPay's plugin. Bringin's own minimum is EUR 20; it was EUR 10 before. */
const leastCents = 2_200;
const limits = z.strictObject({ min_fiat: z.int().positive().default(leastCents), max_fiat: z.int().positive().optional() });

/** The members of a `kind: bringin` block that this module reads. Where Bringin documents nothing, we chose the default (README). */
export const bringinSettings = z.strictObject({
  base_url: url,
  master_key_env: variable.describe("Variable with the application's master key"),
  api_secret_env: variable.optional().describe('Variable with the API secret; without it no callback is registered and everything is polled'),
  signup_hosts: z.array(pageHost).default(['bringin.xyz', 'bringin-lite-test.vercel.app']).describe('Hosts that may serve a signup page'),
  status_email_param: z.string().default('email').describe('Query parameter of connect/status'),

  lightning_hosts: z
    .array(host)
    .min(1)
    .default(['bringin.xyz'])
    .describe('Domains of Lightning addresses; new addresses are made under the first, and no address on any other domain is shown to a payer'),
  lightning_base_url: url.optional().describe('Base URL of the metadata of Lightning addresses, if not https://<domain> (sandbox)'),
  ln_address_form: z.enum(['full', 'username']).default('full').describe('How a new Lightning address is named: alice@bringin.xyz or alice'),

  options: z
    .array(z.enum(['sepa', 'card']))
    .min(1)
    .default(['sepa', 'card']),
  sepa: limits.default({ min_fiat: leastCents }).describe('Euro cents that arrive'),
  card: limits.default({ min_fiat: leastCents }),
  fee_ppm: z.int().nonnegative().default(10_000).describe('Shown in the listing; prices come from the rates'),

  card_by: z
    .enum(['order', 'address'])
    .default('order')
    .describe(
      'Where the customer sends the sats of a card top-up. order: to a Bringin order for the exact amount, made under an id of ours; address: to the reusable deposit address',
    ),
  lightning_blockchain: z.string().default('LIGHTNING'),
  onchain_blockchain: z.string().default('BITCOIN'),
  client_ipv4: z.enum(['required', 'optional']).default('required').describe("required: no card top-up without the customer's own IPv4"),
  order_attempts: z.int().positive().default(3).describe('How many times one card top-up is sent at most, if answers are lost'),
  timestamp_unit: z.enum(['auto', 'ms', 's']).default('auto').describe('Unit of expiresAt; auto: milliseconds from 1e12 on'),
  invoice_expiry_tolerance_s: z.int().nonnegative().default(1).describe('How far apart the expiry of an order and that of its invoice may be'),

  match_window_s: seconds.default(86_400).describe('How long to look for a payment that only its amount identifies'),
  lightning_subtypes: z.array(z.string()).default(['LN_ADDRESS', 'LIGHTNING']).describe('Values of subType that mean a conversion by Lightning'),
  onchain_subtypes: z.array(z.string()).default(['ONCHAIN', 'ON_CHAIN']),
  transaction_pages: z
    .int()
    .positive()
    .default(10)
    .describe('How many pages of paid transactions (100 each) are read at most. With unpaid ones, a read may have four times as many pages'),

  code_life_s: seconds.default(1_800),
  code_wrong_statuses: z.array(z.int()).default([400, 404]),
  code_expired_statuses: z.array(z.int()).default([409]),
  initiating_timeout_s: seconds.default(60).describe('After this, a connection that is still being made is reported as `takes-too-long`'),
});
export type BringinSettings = z.output<typeof bringinSettings>;
