import * as z from 'zod';

const ppm = z.int().min(0).max(500_000);
const word = z.string().min(1).max(64);

/** The members of a `kind: dfx` block that this module reads. README.md says why each exists. */
export const dfxSettings = z.strictObject({
  base_url: z.url(),
  login_key_env: z
    .string()
    .min(1)
    .optional()
    .describe("Variable with the operator's key of at least 32 characters, from which every customer's secret at DFX is derived. Without it: prices only"),
  unproven_addresses: z
    .enum(['refuse', 'register'])
    .default('refuse')
    .describe('Whether sats may go to Lightning addresses and LNURLs, although nobody can prove to the gateway whose they are'),
  webhook_key_env: z
    .string()
    .min(1)
    .optional()
    .describe('Variable with the key that DFX sends with its webhooks. Without it, webhooks are not taken, and orders are polled'),
  pages_url: z
    .url()
    .optional()
    .describe("DFX's pages for customers, where they identify themselves. Default: https://app.dfx.swiss; in the sandbox, the simulator"),
  order_days: z.int().min(1).max(7).default(7).describe('How long an order waits for its payment; DFX matches a payment only to orders of the last 7 days'),
  search_unlinked_after_s: z
    .int()
    .min(0)
    .default(86_400)
    .describe('How old an unpaid order must be before we search for a payment that DFX has booked without its order'),
  unlinked_within_bps: z
    .int()
    .min(100)
    .max(5_000)
    .default(1_000)
    .describe('How far the amount of a payment without its order may be from the amount of the order'),
  wallet: word.optional().describe("The operator's partner name at DFX; its fees and rules then apply to prices"),
  special_code: word.optional().describe('A discount code, sent with every price'),
  currencies: z
    .array(z.string().regex(/^[A-Z0-9]{2,16}$/, 'must be codes in capitals, like EUR'))
    .optional()
    .describe('Ask for prices only in these currencies. Default: every currency that DFX lists'),
  instant: z.enum(['listed', 'off']).default('listed').describe('Whether SEPA Instant is an option of its own, if DFX lists it'),
  listed_limits: z
    .enum(['buy', 'both', 'none'])
    .default('buy')
    .describe("The ramps for which the limits in DFX's list of currencies apply before a price is requested; each price states its own limits anyway"),
  send_country: z.boolean().default(true).describe("Send the customer's country with a price, if the wallet named it"),
  buy_fee_ppm: ppm.default(14_900).describe('Shown in the listing; prices state their own fee'),
  sell_fee_ppm: ppm.default(9_900),
});
export type DfxSettings = z.output<typeof dfxSettings>;

/** Returns the URL of DFX's pages for customers. The simulator has its own. */
export const pagesOf = ({ pages_url, base_url }: Pick<DfxSettings, 'pages_url' | 'base_url'>): string =>
  pages_url ?? (new URL(base_url).hostname === '127.0.0.1' ? base_url : 'https://app.dfx.swiss');
