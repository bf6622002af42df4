/** Makes the text of the OpenAPI document that the gateway serves. */
import { readFileSync } from 'node:fs';
import { createDocument, type Examples } from '../src/contract/document.ts';
import { endpoints } from '../src/http/endpoints.ts';

const read = (path: string): unknown => JSON.parse(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'));

export const documentText = (): string => {
  const { version } = read('package.json') as { version: string };
  return JSON.stringify(createDocument(endpoints, { version, examples: read('src/contract/examples.json') as Examples }));
};
