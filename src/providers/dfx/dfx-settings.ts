import * as z from 'zod';

const ppm = z.int().min(0).max(500_000);
const word = z.string().min(1).max(64);

/** The members of a `kind: dfx` block that this module reads. Each stands for something that DFX's code leaves to its configuration (README). */
export const dfxSettings = z.strictObject({
  base_url: z.url(),
  wallet: word.optional().describe("The operator's partner name at DFX; its fees and rules then apply to prices"),
  special_code: word.optional().describe('A discount code, sent with every price'),
  currencies: z
    .array(z.string().regex(/^[A-Z0-9]{2,16}$/, 'must be codes in capitals, like EUR'))
    .optional()
    .describe('Ask only for prices in these. Default: every currency that DFX lists'),
  instant: z.enum(['listed', 'off']).default('listed').describe('Whether SEPA Instant is an option of its own, if DFX lists it'),
  listed_limits: z
    .enum(['buy', 'both', 'none'])
    .default('buy')
    .describe("For which ramps the limits in DFX's list of currencies count before a price is asked for; each price states its limits anyway"),
  send_country: z.boolean().default(true).describe("Send the customer's country with a price, if the wallet named it"),
  buy_fee_ppm: ppm.default(14_900).describe('Shown in the listing; prices state their own fee'),
  sell_fee_ppm: ppm.default(9_900),
});
export type DfxSettings = z.output<typeof dfxSettings>;
