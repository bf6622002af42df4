import * as z from 'zod';

/** The members of a `kind: lsps1` block that this module reads. */
export const settings = z.strictObject({
  base_url: z.url(),
  pay_with: z
    .array(z.enum(['lightning', 'onchain']))
    .min(1)
    .default(['lightning'])
    .describe('Ways to pay that this seller accepts; get_info does not say'),
  peer: z
    .string()
    .regex(/^0[23][0-9a-fA-F]{64}@[^\s@]+:\d{1,5}$/, 'must be pubkey@host:port')
    .optional()
    .describe('The address of the node, for sellers whose get_info names no uris'),
  token_env: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*$/)
    .optional()
    .describe('Variable with the coupon or word to send as `token`; some sellers open 0-conf channels for any word'),
  default_lease_blocks: z
    .int()
    .min(1)
    .default(4320)
    .describe("The lease that is requested if the customer names none, but never more than the seller's longest"),
  max_lease_blocks: z.int().min(1).optional().describe("Our own upper limit for leases, if below the seller's longest"),
  channel_confirmations: z.int().min(0).max(144).default(0).describe("Confirmations of a private channel, raised to the seller's minimum"),
  public_channel_confirmations: z.int().min(0).max(144).default(6),
  funding_confirms_within_blocks: z.int().min(1).max(1008).default(6).describe("How soon the funding must confirm; raised to the seller's minimum"),
  onchain_margin_s: z
    .int()
    .min(600)
    .default(1800)
    .describe("How long before the order's end we stop taking payments on chain, for each confirmation that the seller wants"),
  onchain_life_s: z.int().min(60).default(3600).describe('How long an on-chain price holds if the seller states no expiry'),
});
export type Settings = z.output<typeof settings>;
