/**
 * `npm run provider:check -- <id>`: calls a configured provider up to its prices, names each deviation and prints the YAML to use. `npm run
 * provider:check -- <url> [--kind <kind>]`: the same for a server that no configuration names yet. `… --report [--json] [--out <name>]`: checks the
 * provider against its standard, clause by clause. Writes Markdown, JSON, or both as <name>.md and <name>.json. `… --report --order`: also makes one
 * order of the smallest amount, which is not paid. No other option makes an order.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import type { ProviderConfig } from '../src/config/providers-config.ts';
import { createUndiciHttp } from '../src/entry/http-undici.ts';
import type { Http } from '../src/providers/spec.ts';
import { providerModules } from '../src/providers/registry.gen.ts';
import { conformanceOf, dialectsOf } from './kind-tools.gen.ts';
import { called } from './ops/called.ts';
import { checkProvider, hasPrice, isUsable, type Checked, type CheckParts } from './ops/check-provider.ts';
import { makeReport, toMarkdown } from './ops/conformance-report.ts';
import { command, readArguments, readConfig, Refused, say } from './ops/tools.ts';

const usage = `usage: ${called('provider:check', '<id or url> [--kind <kind>] [--report [--order] [--json] [--out <name>]]')}`;
type Target = Pick<CheckParts, 'config' | 'network' | 'mode' | 'quoteMs'> & {
  kind: string;
  /** The provider's block as written in the file. */ written: Record<string, unknown>;
};

const configured = (id: string): Target => {
  const { config, text } = readConfig();
  const provider: ProviderConfig | undefined = config.providers.find((one) => one.id === id);
  if (!provider) throw new Refused(`there is no provider "${id}": ${config.providers.map((one) => one.id).join(', ')}`);
  const written = (parse(text, { merge: true }) as { providers: Record<string, Record<string, unknown>> }).providers[id] ?? {};
  const { network, mode, routing } = config;
  return { kind: provider.kind, config: provider, network, mode, quoteMs: provider.timeouts.quote_ms ?? routing.quote_deadline_ms, written };
};

const usualQuoteMs = 2500;

const unlisted = (address: string, kind: string): Target => {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new Refused('this is not an http or https address');
  if (url.username !== '' || url.search !== '' || url.hash !== '') throw new Refused('the address must be plain: no user, no query, no fragment');
  const base_url = address.replace(/\/+$/, '');
  const id =
    (url.hostname.split('.').at(-2) ?? 'checked')
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]/g, '')
      .replace(/^[^a-z]+/, '') || 'checked';
  const module = providerModules.get(kind);
  const read = module?.settings.safeParse({ base_url });
  const pricesOnly = read?.success === true && module?.pricesOnly?.(read.data) === true;
  const written = { kind, base_url, ...(pricesOnly ? { mode: 'shadow' } : {}) };
  if (read?.success === false) throw new Refused(`a provider of kind ${kind} needs a block in the configuration: give its id instead`);
  return {
    kind,
    config: { id: id.slice(0, 32), base_url, settings: read?.data },
    network: 'main',
    mode: url.protocol === 'https:' ? 'live' : 'sandbox',
    quoteMs: usualQuoteMs,
    written,
  };
};

const run = async (target: Target, flags: ReadonlyMap<string, string>, http: Http): Promise<void> => {
  const module = providerModules.get(target.kind);
  if (!module) throw new Refused(`there is no kind "${target.kind}": ${[...providerModules.keys()].join(', ')}`);
  const now = (): number => Date.now();
  const newId = (): string => randomUUID();
  const newKey = (): string => randomBytes(32).toString('hex');
  const parts: CheckParts = { ...target, module, dialects: dialectsOf.get(target.kind), http, secret: (name) => process.env[name], now, newId, newKey };
  const kit = flags.has('report') ? conformanceOf.get(target.kind) : undefined;
  if (flags.has('report') && !kit) throw new Refused(`--report: the kind ${target.kind} follows no published standard to check`);
  const checked = await checkProvider(parts);
  if (!kit) return tell(target, checked);
  const {
    base_url: baseUrl,
    path_prefix: prefix = '',
    path_map: paths = {},
  } = checked.settings as { base_url: string; path_prefix?: string; path_map?: Record<string, string> };
  const base = `${baseUrl.replace(/\/+$/, '')}${prefix}`;
  const order = flags.has('order');
  const ran = await kit.run({ http, base, paths, now, newId, newKey, stepMs: 15_000, quoteMs: target.quoteMs, order });
  const report = makeReport({ kit, run: ran, checked, base, block: blockOf(target, checked, ran.learnt), ordered: order, on: now() });
  const json = `${JSON.stringify(report, undefined, 2)}\n`;
  const out = flags.get('out') ?? '';
  if (out !== '') {
    writeFileSync(`${out}.md`, toMarkdown(report));
    writeFileSync(`${out}.json`, json);
    say(`${report.verdict}: ${report.counts.deviations} deviations, ${report.counts.held} checks held; ${out}.md, ${out}.json`);
  } else process.stdout.write(flags.has('json') ? json : toMarkdown(report));
  if (report.verdict !== 'conforms') process.exitCode = 1;
};

/** Returns the provider's block for providers.config.yaml: the settings that it has in the file, and those that the check found. Omits defaults. */
const blockOf = (target: Target, checked: Checked, more: Record<string, unknown> = {}): string => {
  const before = target.config.settings as Record<string, unknown>;
  const learnt = Object.fromEntries(Object.entries(checked.settings).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])));
  return stringify({ providers: { [target.config.id]: { ...target.written, ...learnt, ...more } } });
};

const tell = (target: Target, checked: Checked): void => {
  for (const step of checked.steps) say(step);
  const { findings, blockers } = checked;
  const none = hasPrice(checked) ? 'no deviation found' : `no price was seen, so the check is incomplete; the last step reached: ${checked.reached}`;
  say(findings.length === 0 ? `\n${none}` : '\ndeviations');
  for (const { what, setting } of findings) say(`  ${what}${setting === undefined ? '' : `   → ${setting}`}`);
  if (findings.length > 0 && !hasPrice(checked)) say(`\n${none}`);
  if (blockers.length > 0) say('\nthe gateway cannot use it');
  for (const blocker of blockers) say(`  ${blocker}`);
  say(`\n${blockOf(target, checked).trimEnd()}`);
  if (!isUsable(checked)) process.exitCode = 1;
};

await command(async () => {
  const { words, flags } = readArguments(process.argv.slice(2), { plain: ['report', 'json', 'order'], valued: ['kind', 'out'] });
  const [wanted, more] = words;
  if (wanted === undefined || more !== undefined) throw new Refused(usage);
  if (!flags.has('report') && ['order', 'json', 'out'].some((name) => flags.has(name))) throw new Refused('--order, --json and --out go with --report');
  const target = wanted.includes('://') ? unlisted(wanted, flags.get('kind') ?? 'fiat-on-ramp') : configured(wanted);
  const upstream = createUndiciHttp();
  try {
    await run(target, flags, upstream.http);
  } finally {
    await upstream.close();
  }
});
