/** `npm run config:check -- [--env <file of variables>] [file]`: lists the mistakes, or sums up the file. Without `--env`, reads .env. */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseConfig } from '../src/config/providers-config.ts';
import { haircutNotes } from '../src/config/haircut-notes.ts';
import { referenceNotes } from '../src/config/reference-config.ts';
import { checkMode } from '../src/config/secrets.ts';
import { readConfigFile } from '../src/entry/read-config-file.ts';
import { providerModules } from '../src/providers/registry.gen.ts';

const readArguments = () => {
  try {
    return parseArgs({ allowPositionals: true, options: { env: { type: 'string' } } });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'unknown'}\n`);
    process.exit(1);
  }
};
const { values, positionals } = readArguments();
if (values.env === undefined) await import('./load-env.ts');
else if (existsSync(values.env)) process.loadEnvFile(values.env);
else {
  process.stderr.write(`--env: there is no file ${values.env}\n`);
  process.exit(1);
}
if (positionals.length > 1) {
  process.stderr.write('config:check reads one file at a time: name only one\n');
  process.exit(1);
}
const file = positionals[0] ?? process.env['CONFIG_FILE'] ?? 'providers.config.yaml';
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
  const parsed = parseConfig(text, { fileName: file, modules: providerModules, publicUrl: process.env['PUBLIC_URL'] });
  const mistakes = parsed.ok ? checkMode(parsed.config, process.env) : parsed.mistakes;
  for (const mistake of mistakes) say(mistake);
  if (mistakes.length > 0) process.exitCode = 1;
  else if (parsed.ok) {
    say(`${file} is good: mode ${parsed.config.mode}, network ${parsed.config.network}`);
    const { public_url: publicUrl } = parsed.config;
    if (parsed.config.mode === 'sandbox' && publicUrl.startsWith('https:'))
      say(`SANDBOX MODE at ${publicUrl}: NO REAL MONEY MOVES. A deployment for customers needs mode: live.`);
    for (const note of [...haircutNotes(parsed.config), ...referenceNotes(parsed.config.routing.reference)]) say(`note: ${note}`);
    for (const provider of parsed.config.providers)
      say(`  ${provider.id.padEnd(12)} ${provider.kind.padEnd(14)} ${provider.mode.padEnd(7)} ${provider.base_url}`);
  }
}
