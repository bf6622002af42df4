/**
 * Writes src/api.gen.ts and src/words.gen.ts: the types of the OpenAPI document that this checkout serves. Not committed. Does nothing when the
 * document is the one that the file was made from.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';
import { buildPages } from '../../../scripts/pages.ts';

type Schema = { description?: string; enum?: string[]; anyOf?: Schema[] };

await buildPages();
const document = readFileSync(new URL('../../../dist/site/openapi.json', import.meta.url), 'utf8');
const head = `// Made by scripts/types.ts from the OpenAPI document ${createHash('sha256').update(document).digest('hex')}. Do not edit.\n`;
const file = new URL('../src/api.gen.ts', import.meta.url);

/** Returns the words that the client's own types name, and no others: otherwise the published package would contain the types of the whole API. */
const words = (): string => {
  const { schemas } = (JSON.parse(document) as { components: { schemas: Record<string, Schema> } }).components;
  return ['ProblemCode', 'Action', 'Stage']
    .map((name) => {
      const { description = '', enum: own, anyOf = [] } = schemas[name] ?? {};
      const found = own ?? anyOf.flatMap((one) => one.enum ?? []);
      if (found.length === 0) throw new Error(`the document has no words of ${name}`);
      return `/** ${description.replaceAll('\n', '\n * ')} */\nexport type ${name} = ${found.map((word) => `'${word}'`).join(' | ')};\n`;
    })
    .join('');
};

if (!existsSync(file) || !readFileSync(file, 'utf8').startsWith(head)) {
  writeFileSync(new URL('../src/words.gen.ts', import.meta.url), head + words());
  writeFileSync(file, head + astToString(await openapiTS(document)));
}
