/**
 * How to pay. Fiat is paid on the provider's page, or to the bank details in `payment_details`, which have the provider's own names. For sats, `kind`
 * says what the wallet pays to.
 */
import * as z from 'zod';
import { sats, smallId } from './shapes.ts';

const option = { payment_option_id: smallId.optional() };
export const fiatPayment = z.object({
  ...option,
  payment_url: z.string().optional(),
  payment_details: z.record(z.string(), z.string()).optional(),
  epc_qr: z.string().optional(),
});

const bounds = { min_sats: sats.optional(), max_sats: sats.optional() };
export const invoicePayment = z.object({ kind: z.literal('invoice'), ...option, amount_sats: sats, lightning_invoice: z.string() });
export const lightningAddressPayment = z.object({
  kind: z.literal('lightning_address'),
  ...option,
  amount_sats: sats,
  lightning_address: z.string(),
  ...bounds,
});
export const lnurlPayment = z.object({ kind: z.literal('lnurl'), ...option, amount_sats: sats, lnurl: z.string(), ...bounds });
export const onchainPayment = z.object({ kind: z.literal('onchain'), ...option, amount_sats: sats, address: z.string(), bip21: z.string() });
export const altcoinPayment = z.object({
  kind: z.literal('altcoin'),
  ...option,
  amount_sats: sats,
  address: z.string(),
  altcoin_amount: z.string().optional(),
  altcoin_code: z.string(),
});
export const nothingToPay = z.object({ kind: z.literal('none'), ...option });
export const satsPayment = z.discriminatedUnion('kind', [invoicePayment, lightningAddressPayment, lnurlPayment, onchainPayment, altcoinPayment, nothingToPay]);
