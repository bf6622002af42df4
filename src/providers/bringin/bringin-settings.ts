import { z } from 'zod';

const variable = z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'the name of an environment variable');
const host = z.string().regex(/^[a-z0-9.-]+(:\d+)?$/, 'a host name in lower case');
const cents = z.coerce.bigint().positive();
const limits = z.strictObject({ min_fiat: cents.default(2_200n), max_fiat: cents.optional() });

/** Every default that Bringin does not document is a choice of ours: README, "Choices". Amounts in euro cents and sats, as the names say. */
export const bringinSettings = z.strictObject({
  base_url: z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, '')),
  /** Names of environment variables. Without a secret no callback is registered and everything is polled. */
  master_key_env: variable,
  api_secret_env: variable.optional(),
  /** Domains of Bringin's Lightning addresses; new ones are made under the first. An address elsewhere is never shown to a payer. */
  lightning_hosts: z.array(host).min(1).default(['bringin.xyz']),
  /** Where the well-known files of those domains are, if not at https://<domain> (sandbox). */
  lightning_base_url: z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, '')).optional(),
  /** Who may serve a signup page. */
  signup_hosts: z.array(host).default(['bringin.xyz', 'bringin-lite-test.vercel.app']),
  /** How a new Lightning address is named in the request: `alice@bringin.xyz` or `alice`. */
  ln_address_form: z.enum(['full', 'username']).default('full'),

  options: z.array(z.enum(['sepa', 'card'])).min(1).default(['sepa', 'card']),
  sepa: limits.default({ min_fiat: 2_200n }),
  card: limits.default({ min_fiat: 2_200n }),
  /** What the listing shows; prices come from the rates. */
  fee_ppm: z.int().nonnegative().default(10_000),

  /** A card top-up by an exact order (invoice or address, our id), or by the reusable deposit address. */
  card_by: z.enum(['order', 'address']).default('order'),
  lightning_blockchain: z.string().default('LIGHTNING'),
  onchain_blockchain: z.string().default('BITCOIN'),
  /** Whether an order without the customer's own IPv4 is refused before anything is sent. */
  client_ipv4: z.enum(['required', 'optional']).default('required'),
  order_attempts: z.int().positive().default(3),
  /** Of `expiresAt`; `auto`: milliseconds from 1e12 on. */
  timestamp_unit: z.enum(['auto', 'ms', 's']).default('auto'),
  /** How far the expiry of an order and of its invoice may be apart. */
  invoice_expiry_tolerance_s: z.int().nonnegative().default(1),

  /** How long a payment is looked for that is only recognised by its amount. */
  match_window_s: z.int().positive().default(86_400),
  /** What a conversion through a connection may be called in `subType`. */
  lightning_subtypes: z.array(z.string()).default(['LN_ADDRESS', 'LIGHTNING']),
  onchain_subtypes: z.array(z.string()).default(['ONCHAIN', 'ON_CHAIN']),
  /** Pages of 100 that a search goes through. */
  transaction_pages: z.int().positive().default(10),

  status_email_param: z.string().default('email'),
  code_life_s: z.int().positive().default(1_800),
  code_wrong_statuses: z.array(z.int()).default([400, 404]),
  code_expired_statuses: z.array(z.int()).default([409]),
  initiating_timeout_s: z.int().positive().default(60),
  max_bytes: z.int().positive().default(256_000),
});
export type BringinSettings = z.output<typeof bringinSettings>;
