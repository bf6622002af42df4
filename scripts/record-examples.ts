/**
 * `npm run record:examples -- <file> [--all]`: the examples of the OpenAPI document, from exchanges that the tests recorded:
 *
 *     RECORD_EXCHANGES=/tmp/exchanges.jsonl npm test -- test/docs test/http test/ops
 *     npm run record:examples -- /tmp/exchanges.jsonl
 *
 * Keeps every example that is still as the document says, so that a recording changes only what has to change; `--all` chooses all of them anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Examples } from '../src/contract/document.ts';
import { answerNames, exampleFaults, nameOfExample, problemCodes } from '../test/contract/examples.ts';
import { normaliseExample } from './normalise-example.ts';

type Recorded = { method: string; path: string; status: number; type: string | null; body: unknown; file: string; test: string };

const { values, positionals } = parseArgs({ allowPositionals: true, options: { all: { type: 'boolean', default: false } } });
const [recording] = positionals;
if (recording === undefined) throw new Error('name the file that RECORD_EXCHANGES named');

const target = join(dirname(dirname(fileURLToPath(import.meta.url))), 'src/contract/examples.json');
const kept = JSON.parse(readFileSync(target, 'utf8')) as { [part in keyof Examples]: { [name: string]: unknown } };

/** The recipes of docs/ are what a wallet sees; else the answer with most kinds of members, and of those the shortest. */
const worth = ({ file, body }: Recorded): number => (file.includes('/test/docs/') ? 1000 : 0) + membersOf(body).size - JSON.stringify(body).length / 600;
const membersOf = (value: unknown, at = '', found = new Set<string>()): Set<string> => {
  if (Array.isArray(value)) for (const item of value) membersOf(item, `${at}/-`, found);
  else if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) {
      const path = `${at}/${/^[0-9a-f-]{36}$/.test(key) ? '*' : key}`;
      found.add(path);
      membersOf(item, path, found);
    }
  return found;
};

const best = new Map<string, { worth: number; recorded: Recorded }>();
for (const line of readFileSync(recording, 'utf8').split('\n').filter(Boolean)) {
  const recorded = JSON.parse(line) as Recorded;
  const name = nameOfExample(recorded);
  if (name === undefined) continue;
  const now = worth(recorded);
  if (now > (best.get(name)?.worth ?? -Infinity)) best.set(name, { worth: now, recorded });
}

const chosen: typeof kept = { answers: {}, problems: {} };
let changed = 0;
const choose = (part: keyof Examples, name: string): void => {
  const old = kept[part][name];
  const found = best.get(name);
  if (old !== undefined && exampleFaults(name, old).length === 0 && !(values.all && found)) chosen[part][name] = old;
  else if (found) {
    chosen[part][name] = normaliseExample(name, found.recorded.body);
    changed += 1;
  }
};
for (const name of answerNames()) choose('answers', name);
const codeOf = (name: string): string => name.split('.').at(-1) ?? name;
const known = [...new Set([...Object.keys(kept.problems), ...best.keys()])].filter((name) => problemCodes().includes(codeOf(name)));
for (const name of known.toSorted()) choose('problems', name);
const missing = [
  ...answerNames().filter((name) => !(name in chosen.answers)),
  ...problemCodes().filter((code) => !Object.keys(chosen.problems).some((name) => codeOf(name) === code)),
];
writeFileSync(target, `${JSON.stringify(chosen, undefined, 1)}\n`);
process.stdout.write(`${changed} examples recorded${missing.length === 0 ? '' : `; nobody recorded ${missing.join(', ')}`}\n`);
