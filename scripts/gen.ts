/** Writes the generated files: the registry of providers, the configuration's JSON Schema, docs/errors.md and its page. `--check` only compares. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';
import { configSchema } from '../src/config/json-schema.ts';
import { problems } from '../src/http/problem.ts';
import type { ProviderModule } from '../src/providers/spec.ts';
import { kinds } from './kinds.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const check = process.argv.includes('--check');

const camel = (kind: string): string => kind.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

const registry = `// Made by \`npm run gen\` from the folders of src/providers. Do not edit.
${kinds.map((kind) => `import { provider as ${camel(kind)} } from './${kind}/index.ts';`).join('\n')}
import type { ProviderModule } from './spec.ts';

/** Every kind of provider, by its folder's name. The settings' own type is checked where a block is parsed. */
export const providerModules: ReadonlyMap<string, ProviderModule> = new Map(
  [${kinds.map(camel).join(', ')}].map((module) => [module.kind, module as unknown as ProviderModule]),
);
`;

const modules = await Promise.all(
  kinds.map(async (kind) => {
    const loaded = (await import(pathToFileURL(join(root, 'src/providers', kind, 'index.ts')).href)) as { provider: ProviderModule };
    if (loaded.provider.kind !== kind) throw new Error(`src/providers/${kind}/index.ts says kind "${loaded.provider.kind}"`);
    return loaded.provider;
  }),
);

const rows = Object.entries(problems).map(([code, { status, title, action, retryable }]) => ({ code, status, title, action, retryable }));
const errorsMarkdown = `# Errors

Made by \`npm run gen\` from the list in \`src/http/problem.ts\`, like the answers and the OpenAPI.

Every error is an RFC 9457 problem document: \`type\` is \`urn:ramp-gateway:problem:<code>\`, with \`code\`, \`action\`, \`retryable\`, \`detail\` for people, \`instance\` (the request id), and where they apply \`retry_after_ms\`, \`errors[]\` {pointer, detail}, \`limits\`, \`offers\`, \`order_id\`.

| code | status | what it means | what to do | retry |
|---|---|---|---|---|
${rows.map((row) => `| \`${row.code}\` | ${row.status} | ${row.title} | ${row.action} | ${row.retryable ? 'yes' : 'no'} |`).join('\n')}
`;
const style =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f;background:#fff}table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ddd;padding:.35rem .6rem;text-align:left;vertical-align:top}code{background:#f3f3f6;padding:.1rem .3rem;border-radius:3px}a{color:#a65a00}tr:target{background:#fff3df}@media(min-width:48rem){td:nth-child(4){white-space:nowrap}}@media(prefers-color-scheme:dark){body{background:#17171a;color:#e6e6ea}code{background:#26262b}td,th{border-color:#333}a{color:#ffb457}tr:target{background:#3a2c14}}';
const errorsPage = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Errors · ramp-gateway</title><style>${style}</style>
<p><a href="/docs">ramp-gateway</a></p><h1>Errors</h1>
<p>Every error is an RFC 9457 problem document. <code>code</code> is for your code, <code>detail</code> for people, <code>instance</code> is the request id.</p>
<table><thead><tr><th>code</th><th>status</th><th>what it means</th><th>what to do</th><th>retry</th></tr></thead><tbody>
${rows.map((row) => `<tr id="${row.code}"><td><code>${row.code}</code></td><td>${row.status}</td><td>${row.title.replaceAll('&', '&amp;')}</td><td>${row.action}</td><td>${row.retryable ? 'yes' : 'no'}</td></tr>`).join('\n')}
</tbody></table></html>
`;

const files: Record<string, string> = {
  'src/providers/registry.gen.ts': registry,
  'providers.config.schema.json': `${JSON.stringify(
    configSchema(modules, (schema) => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })),
    undefined,
    2,
  )}\n`,
  'docs/errors.md': errorsMarkdown,
  'docs/site/errors.html': errorsPage,
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
