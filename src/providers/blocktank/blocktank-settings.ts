import * as z from 'zod';

const nodeKey = z.string().regex(/^0[23][0-9a-f]{64}$/, 'must be a compressed public key in lower-case hex');

/** The members of a `kind: blocktank` block that this module reads. Where nobody documents Blocktank, we chose the default (README). */
export const settings = z.strictObject({
  base_url: z.url({ protocol: /^https?$/ }).describe('The URL before /info: https://api1.blocktank.to/api'),
  products: z
    .array(z.enum(['inbound', 'turbo']))
    .min(1)
    .default(['inbound', 'turbo']),
  pay_with: z
    .array(z.enum(['lightning', 'onchain']))
    .min(1)
    .default(['lightning', 'onchain']),
  geocheck_path: z
    .string()
    .startsWith('/')
    .nullable()
    .default('/geocheck')
    .describe('Path that says whether our own country is blocked, asked before the listing is read; null: not asked'),
  lsp_node: nodeKey.optional().describe('The only node of /info that may sell us channels; without it, any that is not read-only may'),
  source: z.string().min(1).max(128).optional().describe('Sent with every order, to tell Blocktank where it comes from'),

  least_lsp_sats: z.int().min(1).default(20_000).describe("The smallest balance on Blocktank's side; raised to the smallest channel of /info"),
  max_headroom_bps: z.int().min(0).max(5000).default(200).describe('How far below the largest channel of /info we stay, since it moves with the price'),
  default_lease_blocks: z.int().min(1).default(4320).describe('The lease that is requested if the customer names none, rounded up to weeks'),
  max_lease_blocks: z.int().min(1).optional().describe("Our own upper limit for leases, if below Blocktank's longest"),
  zero_conf: z.boolean().default(false).describe('Whether private channels are ordered as usable before their funding confirms'),
  zero_reserve: z.boolean().default(false).describe("Whether channels are ordered without a reserve on the customer's side"),

  estimate_includes_client_balance: z
    .boolean()
    .default(true)
    .describe("Whether an estimate without its parts includes the customer's balance; one with its parts shows it"),
  open_by_lnurl: z.boolean().default(true).describe("Whether channels are sold to customers without a proven node key, who open them with the order's LNURL"),
  expiry_margin_s: z
    .int()
    .min(0)
    .default(600)
    .describe("How long before the order's end we stop taking Lightning payments, since the channel has to be opened before the end"),
  onchain_margin_s: z.int().min(3600).default(3600).describe("How long before the order's end we stop taking payments on chain"),
  stuck_after_blocks: z
    .int()
    .min(1)
    .default(12)
    .describe('How many confirmations beyond the required number an on-chain payment may have, without the seller noticing it, before it needs a person'),
  refund_days: z.int().min(1).default(14).describe("How long after the order's end an automatic refund may take before it needs a person"),
});
export type Settings = z.output<typeof settings>;
