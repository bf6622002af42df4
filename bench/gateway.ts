/** The real gateway, configured with the benchmark's providers. SECRETS: its keys as JSON, if another process has to know them. */
import { randomBytes } from 'node:crypto';
import { freshSecrets } from '../src/config/secrets.ts';
import { startServer } from '../src/entry/node-server.ts';
import { providerModules } from '../src/providers/registry.gen.ts';
import { configFor } from './gateway-config.ts';

const { PROVIDERS_URL = '', PROVIDERS = '5', DATABASE_URL = '', ROOT = '.', SECRETS } = process.env;
const secrets = SECRETS === undefined ? freshSecrets(randomBytes) : (JSON.parse(SECRETS) as Record<string, string>);
const server = await startServer({
  environment: { ...secrets, PORT: '0', DATABASE_URL, LOG_LEVEL: 'warn' },
  modules: providerModules,
  root: ROOT,
  configText: configFor(Number(PROVIDERS), PROVIDERS_URL),
  writeLog: () => undefined,
});
process.send?.({ url: server.url });
process.on('message', () => process.send?.({ cpu: process.cpuUsage(), rss: process.memoryUsage().rss }));
process.on('disconnect', () => process.exit(0));
