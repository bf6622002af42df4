/** One gateway in a process of its own, from the sources below ROOT: this version's or, beside it, another one's to compare with. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { ROOT = '.', CONFIG = '', DATABASE_URL = '', PORT = '0' } = process.env;
const from = async (path: string): Promise<Record<string, unknown>> => (await import(pathToFileURL(join(ROOT, path)).href)) as Record<string, unknown>;
// Another version's modules: their types are not this one's, only these few members are used.
const { startServer } = (await from('src/entry/node-server.ts')) as { startServer: (options: object) => Promise<{ url: string }> };
const { providerModules } = await from('src/providers/registry.gen.ts');
const { freshSecrets } = (await from('src/config/secrets.ts')) as { freshSecrets: (random: typeof randomBytes) => Record<string, string> };

const server = await startServer({
  environment: { ...freshSecrets(randomBytes), PORT, DATABASE_URL, LOG_LEVEL: 'error' },
  modules: providerModules,
  root: ROOT,
  configText: CONFIG,
  // What goes wrong shows in the table; a market of liars would fill the screen.
  writeLog: () => undefined,
});
process.send?.({ url: server.url });
process.on('disconnect', () => process.exit(0));
