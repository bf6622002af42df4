/**
 * Writes src/api.gen.ts and src/words.gen.ts, which are not committed: the types of the OpenAPI document that the gateway serves. Does nothing if
 * neither the document nor this script has changed since the files were written.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';
import { documentText } from '../../../scripts/document.ts';

type Schema = { description?: string; enum?: string[]; anyOf?: Schema[] };

const document = documentText();
const hash = createHash('sha256')
  .update(document)
  .update(readFileSync(new URL(import.meta.url)))
  .digest('hex');
const head = `// Made by scripts/types.ts from the OpenAPI document (SHA-256 of both: ${hash}). Do not edit.\n`;
const file = new URL('../src/api.gen.ts', import.meta.url);

/** Returns only the words that the client's own types name. With all words, the published package would contain the types of the whole API. */
const words = (): string => {
  const { schemas } = (JSON.parse(document) as { components: { schemas: Record<string, Schema> } }).components;
  return ['ProblemCode', 'Action', 'Stage']
    .map((name) => {
      const { description = '', enum: own, anyOf = [] } = schemas[name] ?? {};
      const found = own ?? anyOf.flatMap((one) => one.enum ?? []);
      if (found.length === 0) throw new Error(`the schema ${name} in the OpenAPI document lists no words`);
      const list = found.map((word) => `'${word}'`);
      const type = `/** ${description.replaceAll('\n', '\n * ')} */\nexport type ${name} = ${list.join(' | ')};\n`;
      return name === 'Stage' ? `${type}export const stages: readonly ${name}[] = [${list.join(', ')}];\n` : type;
    })
    .join('');
};

if (!existsSync(file) || !readFileSync(file, 'utf8').startsWith(head)) {
  writeFileSync(new URL('../src/words.gen.ts', import.meta.url), head + words());
  writeFileSync(file, head + astToString(await openapiTS(document)));
}
