/** `npm run config:check [file]`: lists every mistake with its line, or sums up the file. */
import './load-env.ts';
import { existsSync, readFileSync } from 'node:fs';
import { parseConfig } from '../src/config/providers-config.ts';
import { haircutNotes } from '../src/config/haircut-notes.ts';
import { referenceNotes } from '../src/config/reference-config.ts';
import { checkLive } from '../src/config/secrets.ts';
import { providerModules } from '../src/providers/registry.gen.ts';

const file = process.argv[2] ?? process.env['CONFIG_FILE'] ?? 'providers.config.yaml';
const say = (text: string): void => void process.stdout.write(`${text}\n`);
if (!existsSync(file)) {
  say(`${file}: there is no such file`);
  process.exitCode = 1;
} else {
  const parsed = parseConfig(readFileSync(file, 'utf8'), { fileName: file, modules: providerModules });
  const mistakes = parsed.ok ? checkLive(parsed.config, process.env) : parsed.mistakes;
  for (const mistake of mistakes) say(mistake);
  if (mistakes.length > 0) process.exitCode = 1;
  else if (parsed.ok) {
    say(`${file} is good: mode ${parsed.config.mode}, network ${parsed.config.network}`);
    for (const note of [...haircutNotes(parsed.config), ...referenceNotes(parsed.config.routing.reference)]) say(`note: ${note}`);
    for (const provider of parsed.config.providers)
      say(`  ${provider.id.padEnd(12)} ${provider.kind.padEnd(14)} ${provider.mode.padEnd(7)} ${provider.base_url}`);
  }
}
