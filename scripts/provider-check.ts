/** `npm run provider:check -- <id>`: tries a configured provider up to a price, names each deviation and prints the YAML to use. */
import { randomUUID } from 'node:crypto';
import { parse, stringify } from 'yaml';
import { createUndiciHttp } from '../src/entry/http-undici.ts';
import { providerModules } from '../src/providers/registry.gen.ts';
import { dialectsOf } from './kinds.ts';
import { checkProvider } from './ops/check-provider.ts';
import { command, readArguments, readConfig, Refused, say } from './ops/tools.ts';

await command(async () => {
  const [id] = readArguments(process.argv.slice(2)).words;
  if (id === undefined) throw new Refused('usage: npm run provider:check -- <id>');
  const { config, text } = readConfig();
  const provider = config.providers.find((one) => one.id === id);
  const module = provider && providerModules.get(provider.kind);
  if (!provider || !module) throw new Refused(`there is no provider "${id}": ${config.providers.map((one) => one.id).join(', ')}`);
  const upstream = createUndiciHttp();
  try {
    const checked = await checkProvider({
      module,
      dialects: await dialectsOf(provider.kind),
      config: provider,
      network: config.network,
      mode: config.mode,
      http: upstream.http,
      secret: (name) => process.env[name],
      now: () => Date.now(),
      newId: () => randomUUID(),
    });
    for (const step of checked.steps) say(step);
    const none = checked.reached === 'quote' ? '\nno deviation found' : `\nno deviation found before the check stopped (it reached: ${checked.reached})`;
    say(checked.findings.length === 0 ? none : '\ndeviations');
    for (const { what, setting } of checked.findings) say(`  ${what}${setting === undefined ? '' : `   → ${setting}`}`);
    // Only what the file already says and what we learnt, without defaults.
    const written = ((parse(text) as { providers: Record<string, Record<string, unknown>> }).providers[id] ?? {}) as Record<string, unknown>;
    const before = provider.settings as Record<string, unknown>;
    const learnt = Object.fromEntries(Object.entries(checked.settings).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])));
    say(`\n${stringify({ providers: { [id]: { ...written, ...learnt } } }).trimEnd()}`);
    if (checked.reached !== 'quote') process.exitCode = 1;
  } finally {
    await upstream.close();
  }
});
