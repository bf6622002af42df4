const input = { target: '../../dist/site/openapi.json' };

export default {
  fetch: { input, output: { target: 'dist/orval/fetch.ts', client: 'fetch', baseUrl: { runtime: 'globalThis.gatewayUrl' } } },
  zod: { input, output: { target: 'dist/orval/zod.ts', client: 'zod' } },
};
