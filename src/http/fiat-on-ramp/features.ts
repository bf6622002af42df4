import * as z from 'zod';
import { readFeatures } from '../../gateway/catalogue/report-providers.ts';
import { endpoint } from '../call.ts';

const flag = z.boolean();
export const featureSet = z.object({ quotes: flag, estimates: flag, on_chain_fallback: flag, webhook: flag });
/**
 * The answer is one object with all four keys, inside an array. FLS01 shows several forms; this is the only one that every generated client can read.
 */
export const features = endpoint({
  id: 'getFeatures',
  method: 'get',
  path: '/features',
  answer: z.object({ supported_features: z.array(featureSet) }),
  problems: ['temporary-reduced-capacity'],
  lane: 'free',
  run: async ({ scope, headers }) => {
    const supported = await readFeatures(scope);
    headers['cache-control'] = 'public, max-age=60';
    return { body: { supported_features: [supported] } };
  },
});
