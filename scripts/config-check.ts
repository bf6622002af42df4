/** `npm run config:check [file]`: lists every mistake with its line, or sums up the file. */
import './load-env.ts';
import { parseConfig } from '../src/config/providers-config.ts';
import { haircutNotes } from '../src/config/haircut-notes.ts';
import { referenceNotes } from '../src/config/reference-config.ts';
import { checkMode } from '../src/config/secrets.ts';
import { readConfigFile } from '../src/entry/read-config-file.ts';
import { providerModules } from '../src/providers/registry.gen.ts';

const file = process.argv[2] ?? process.env['CONFIG_FILE'] ?? 'providers.config.yaml';
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const readOrSay = (): string | undefined => {
  try {
    return readConfigFile(file);
  } catch (error) {
    say(error instanceof Error ? error.message : 'unknown');
    process.exitCode = 1;
    return undefined;
  }
};
const text = readOrSay();
if (text !== undefined) {
  const parsed = parseConfig(text, { fileName: file, modules: providerModules });
  const mistakes = parsed.ok ? checkMode(parsed.config, process.env) : parsed.mistakes;
  for (const mistake of mistakes) say(mistake);
  if (mistakes.length > 0) process.exitCode = 1;
  else if (parsed.ok) {
    say(`${file} is good: mode ${parsed.config.mode}, network ${parsed.config.network}`);
    for (const note of [...haircutNotes(parsed.config), ...referenceNotes(parsed.config.routing.reference)]) say(`note: ${note}`);
    for (const provider of parsed.config.providers)
      say(`  ${provider.id.padEnd(12)} ${provider.kind.padEnd(14)} ${provider.mode.padEnd(7)} ${provider.base_url}`);
  }
}
