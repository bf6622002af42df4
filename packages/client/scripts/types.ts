/**
 * Writes src/api.gen.ts: the types of the gateway's own OpenAPI document, as this checkout makes it. Not committed. Does nothing when the document
 * is the one that the file was made from.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';
import { endpoints } from '../../../src/http/endpoints.ts';
import { createDocument } from '../../../src/contract/document.ts';

/** A bare `string` beside the words of an open vocabulary would swallow them, also in an editor. */
const openWords = (types: string): string => types.replaceAll(/^(.*\)) \| string;$/gm, '$1 | (string & Record<never, never>);');

const file = new URL('../src/api.gen.ts', import.meta.url);
const document = JSON.stringify(createDocument(endpoints, { version: '', examples: { answers: {}, problems: {} } }));
const head = `// Made by scripts/types.ts from the OpenAPI document ${createHash('sha256').update(document).digest('hex')}. Do not edit.\n`;
if (!existsSync(file) || !readFileSync(file, 'utf8').startsWith(head)) writeFileSync(file, head + openWords(astToString(await openapiTS(document))));
