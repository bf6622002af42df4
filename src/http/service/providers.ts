import * as z from 'zod';
import { reportProviders } from '../../gateway/catalogue/report-providers.ts';
import { endpoint } from '../call.ts';
import { featureSet } from '../fiat-on-ramp/features.ts';
import { faultKind } from '../price-shapes.ts';
import { payoutForm, payoutKind, product, providerId, ramp, smallId, time } from '../shapes.ts';

export const circuit = z.enum(['closed', 'open', 'half-open', 'off']);
export const providerMode = z.enum(['on', 'shadow', 'off']);
export const bitcoinNetwork = z.enum(['main', 'test', 'signet', 'regtest']);
export const kycLevel = z.enum(['none', 'light', 'full']);
export const circuits = z.object({ quote: circuit, order: circuit, claim: circuit, status: circuit, account: circuit });
export const providerOption = z.object({ id: smallId, option: z.string(), method: z.string() });
export const providerCurrency = z.object({ currency_code: z.string(), currency_id: smallId, payment_options: z.array(providerOption) });
export const providerDisplay = z.object({
  terms_url: z.string().optional(),
  support_url: z.string().optional(),
  kyc: kycLevel.optional(),
  countries: z.array(z.string()),
});
export const lastFault = z.object({ reason: faultKind, on: time });
/** `payout` and `payout_kinds`: only for providers that sell bitcoin. */
export const providerFeatures = featureSet.extend({ payout: payoutForm.optional(), payout_kinds: z.array(payoutKind).optional() });
export const providerReport = z.object({
  id: providerId,
  name: z.string(),
  ramps: z.array(ramp),
  mode: providerMode,
  sandbox: z.boolean(),
  features: providerFeatures,
  currencies: z.array(providerCurrency),
  products: z.array(product).optional(),
  circuits,
  last_success_on: time.optional(),
  last_fault: lastFault.optional(),
  display: providerDisplay,
});

export const providers = endpoint({
  id: 'listProviders',
  method: 'get',
  path: '/providers',
  answer: z.object({
    instance: z.string(),
    answered_on: time,
    sandbox: z.boolean(),
    network: bitcoinNetwork,
    providers: z.array(providerReport),
  }),
  problems: [],
  lane: 'free',
  run: async ({ scope }) => ({ body: await reportProviders(scope) }),
});
