/** One gateway in its own process, from the sources below ROOT: this version, or another one to compare with. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { ROOT = '.', CONFIG = '', DATABASE_URL = '', PORT = '0' } = process.env;
const from = async (path: string): Promise<Record<string, unknown>> => (await import(pathToFileURL(join(ROOT, path)).href)) as Record<string, unknown>;
// Another version's modules have other types, so we use only these few members.
const { startServer } = (await from('src/entry/node-server.ts')) as { startServer: (options: object) => Promise<{ url: string }> };
const { providerModules } = await from('src/providers/registry.gen.ts');
const { freshSecrets } = (await from('src/config/secrets.ts')) as { freshSecrets: (random: typeof randomBytes) => Record<string, string> };

const server = await startServer({
  environment: { ...freshSecrets(randomBytes), PORT, DATABASE_URL, LOG_LEVEL: 'error' },
  modules: providerModules,
  root: ROOT,
  configText: CONFIG,
  // The table shows what goes wrong. Logs of a market of liars would fill the screen.
  writeLog: () => undefined,
});
process.send?.({ url: server.url });
process.on('disconnect', () => process.exit(0));
