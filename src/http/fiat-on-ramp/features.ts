import { z } from '@hono/zod-openapi';
import { readFeatures } from '../../gateway/catalogue/report-providers.ts';
import { endpoint } from '../call.ts';

const feature = z.boolean();
/** One object with all four keys, inside an array. Every generated client can read only this form (A3). */
export const features = endpoint({
  method: 'get',
  path: '/features',
  tag: 'FLS01',
  summary: 'Supported features',
  answer: z.object({ supported_features: z.array(z.object({ quotes: feature, estimates: feature, on_chain_fallback: feature, webhook: feature })) }),
  problems: ['temporary-reduced-capacity'],
  lane: 'free',
  run: async ({ scope, headers }) => {
    const supported = await readFeatures(scope);
    headers['cache-control'] = 'public, max-age=60';
    return { body: { supported_features: [supported] } };
  },
});
