/** The real gateway, configured with the benchmark's providers. */
import { randomBytes } from 'node:crypto';
import { stringify } from 'yaml';
import { freshSecrets } from '../src/config/secrets.ts';
import { startServer } from '../src/entry/node-server.ts';
import { providerModules } from '../src/providers/registry.gen.ts';

const { PROVIDERS_URL = '', PROVIDERS = '5', DATABASE_URL = '', ROOT = '.' } = process.env;
const providers = Object.fromEntries(
  Array.from({ length: Number(PROVIDERS) }, (_, index) => [
    `p${index}`,
    { kind: 'fiat-on-ramp', base_url: `${PROVIDERS_URL}/${index}`, concurrency: { in_flight: 256 }, breaker: { reset_s: 30 } },
  ]),
);
const limits = { verify_per_minute: 1_000_000, quotes_per_minute: 100_000_000, orders_per_minute: 1_000_000 };
const server = await startServer({
  environment: { ...freshSecrets(randomBytes), PORT: '0', DATABASE_URL, LOG_LEVEL: 'warn' },
  modules: providerModules,
  root: ROOT,
  configText: stringify({
    mode: 'sandbox',
    network: 'regtest',
    trusted_proxies: ['127.0.0.1'],
    limits,
    catalogue: { fresh_s: 3600, stale_s: 7200 },
    routing: { late_grace_ms: 0 },
    providers,
  }),
  writeLog: () => undefined,
});
process.send?.({ url: server.url });
process.on('message', () => process.send?.({ cpu: process.cpuUsage(), rss: process.memoryUsage().rss }));
process.on('disconnect', () => process.exit(0));
