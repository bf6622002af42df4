/**
 * Writes the generated files: the registry of providers, the tools for some kinds of provider, the configuration's JSON Schema, docs/errors.md and
 * the dashboards. `--check` only compares them with the files that are there.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as z from 'zod';
import { configSchema } from '../src/config/json-schema.ts';
import { problems } from '../src/http/problem.ts';
import type { ProviderModule } from '../src/providers/spec.ts';
import { dashboards } from './dashboards.ts';
import { errorsText } from './errors-text.ts';
import { kinds } from './kinds.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const check = process.argv.includes('--check');

const camel = (kind: string): string => kind.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

const registry = `// Made by \`npm run gen\` from the folders of src/providers. Do not edit.
${kinds.map((kind) => `import { provider as ${camel(kind)} } from './${kind}/index.ts';`).join('\n')}
import type { ProviderModule } from './spec.ts';

/** Every kind of provider, by the name of its folder. The type of its settings is checked when a block is parsed. */
export const providerModules: ReadonlyMap<string, ProviderModule> = new Map(
  [${kinds.map(camel).join(', ')}].map((module) => [module.kind, module as unknown as ProviderModule]),
);
`;

/** The kinds for which `src/providers/<kind>/<kind>.<what>.ts` exists. */
const kindsWith = (what: string): string[] => kinds.filter((kind) => existsSync(join(root, 'src/providers', kind, `${kind}.${what}.ts`)));
const toolMap = (what: string, type: string): { imports: string; map: string } => ({
  imports: kindsWith(what)
    .map((kind) => `import { ${what} as ${camel(kind)}${type} } from '../src/providers/${kind}/${kind}.${what}.ts';\n`)
    .join(''),
  map: `new Map([${kindsWith(what)
    .map((kind) => `['${kind}', ${camel(kind)}${type}]`)
    .join(', ')}])`,
});
const [dialects, conformance] = [toolMap('dialects', 'Dialects'), toolMap('conformance', 'Conformance')];
const kindTools = `// Made by \`npm run gen\` from the folders of src/providers. Do not edit.
${conformance.imports}${dialects.imports}import type { Conformance } from '../src/providers/kit/kind.conformance.ts';
import type { Dialects } from '../src/providers/kit/kind.dialects.ts';

/** By kind of provider: the known deviations of servers of the kind, and the checks of the standard that the kind follows. */
export const dialectsOf: ReadonlyMap<string, Dialects> = ${dialects.map};
export const conformanceOf: ReadonlyMap<string, Conformance> = ${conformance.map};
`;

const modules = await Promise.all(
  kinds.map(async (kind) => {
    const loaded = (await import(pathToFileURL(join(root, 'src/providers', kind, 'index.ts')).href)) as { provider: ProviderModule };
    if (loaded.provider.kind !== kind) throw new Error(`src/providers/${kind}/index.ts says kind "${loaded.provider.kind}"`);
    return loaded.provider;
  }),
);

const rows = Object.entries(problems).map(([code, { status, title, action, retryable }]) => ({ code, status, title, action, retryable }));
const errorsMarkdown = `<!-- Made by \`npm run gen\` from src/http/problem.ts and scripts/errors-text.ts. Do not edit. -->

${errorsText}
| code | status | what it means | what to do | retry |
|---|---|---|---|---|
${rows.map((row) => `| \`${row.code}\` | ${row.status} | ${row.title} | ${row.action} | ${row.retryable ? 'yes' : 'no'} |`).join('\n')}
`;
const files: Record<string, string> = {
  'src/providers/registry.gen.ts': registry,
  'scripts/kind-tools.gen.ts': kindTools,
  'providers.config.schema.json': `${JSON.stringify(
    configSchema(modules, (schema) => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })),
    undefined,
    2,
  )}\n`,
  'docs/errors.md': errorsMarkdown,
  ...Object.fromEntries(
    Object.entries(dashboards).map(([name, dashboard]) => [`docs/grafana/dashboards/${name}`, `${JSON.stringify(dashboard, undefined, 2)}\n`]),
  ),
};

let stale = 0;
for (const [path, wanted] of Object.entries(files)) {
  const file = join(root, path);
  if (existsSync(file) && readFileSync(file, 'utf8') === wanted) continue;
  stale += 1;
  if (check) process.stdout.write(`${path} is not what \`npm run gen\` makes\n`);
  else writeFileSync(file, wanted);
}
if (check && stale > 0) process.exitCode = 1;
if (!check) process.stdout.write(`${Object.keys(files).length} files, ${stale} written\n`);
