import { z } from '@hono/zod-openapi';
import { reportProviders } from '../../gateway/catalogue/report-providers.ts';
import { ramps } from '../../domain/ramp.ts';
import { endpoint } from '../call.ts';
import { smallId, time } from '../shapes.ts';

const circuit = z.enum(['closed', 'open', 'half-open', 'off']);
export const providers = endpoint({
  method: 'get',
  path: '/providers',
  tag: 'Service',
  summary: 'The configured providers, what each offers and how it is doing, as this instance sees it',
  answer: z.object({
    instance: z.string(),
    answered_on: time,
    sandbox: z.boolean(),
    network: z.enum(['main', 'test', 'signet', 'regtest']),
    providers: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        ramps: z.array(z.enum(ramps)),
        mode: z.enum(['on', 'shadow', 'off']),
        sandbox: z.boolean(),
        features: z.object({ quotes: z.boolean(), estimates: z.boolean(), on_chain_fallback: z.boolean(), webhook: z.boolean() }),
        currencies: z.array(
          z.object({
            currency_code: z.string(),
            currency_id: smallId,
            payment_options: z.array(z.object({ id: smallId, option: z.string(), method: z.string() })),
          }),
        ),
        products: z
          .array(z.enum(['recharge', 'inbound', 'turbo']))
          .optional()
          .openapi({ description: 'liquidity: what it sells' }),
        circuits: z.object({ quote: circuit, order: circuit, status: circuit }),
        last_success_on: time.optional(),
        display: z.object({
          terms_url: z.string().optional(),
          support_url: z.string().optional(),
          kyc: z.enum(['none', 'light', 'full']).optional(),
          countries: z.array(z.string()),
        }),
      }),
    ),
  }),
  problems: [],
  lane: 'free',
  run: async ({ scope }) => ({ body: await reportProviders(scope) }),
});
