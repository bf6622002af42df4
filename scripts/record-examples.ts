/**
 * `npm run record:examples -- <file> [--all]`: makes the examples of the OpenAPI document from requests and responses that the tests recorded:
 *
 *     RECORD_EXCHANGES=/tmp/exchanges.jsonl npm test -- test/docs test/http test/ops
 *     npm run record:examples -- /tmp/exchanges.jsonl
 *
 * The example of a request has the same ids as the example of its answer. Keeps every example that still matches the document, so that a recording
 * changes only what has to change; `--all` chooses all of them again.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { noExamples, type Examples } from '../src/contract/document.ts';
import { answerNames, exampleFaults, nameOfExample, problemCodes, requestNames, webhookNames } from '../test/contract/examples.ts';
import { normaliseExample } from './normalise-example.ts';

type Recorded = { method: string; path: string; request?: unknown; status: number; body: unknown; file: string; test: string };
type Line = Recorded | { webhook: { type: string } };

const { values, positionals } = parseArgs({ allowPositionals: true, options: { all: { type: 'boolean', default: false } } });
const [recording] = positionals;
if (recording === undefined) throw new Error('name the recording: the file that RECORD_EXCHANGES named');

const target = join(dirname(dirname(fileURLToPath(import.meta.url))), 'src/contract/examples.json');
type Chosen = { [part in keyof Examples]: { [name: string]: unknown } };
const kept = { ...noExamples, ...(JSON.parse(readFileSync(target, 'utf8')) as Partial<Examples>) };

/** Rates a recorded answer. Answers to the recipes of docs/ rate highest. Apart from that, many kinds of members and little text rate higher. */
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
const events = new Map<string, unknown>();
for (const line of readFileSync(recording, 'utf8').split('\n').filter(Boolean)) {
  const recorded = JSON.parse(line) as Line;
  if ('webhook' in recorded) {
    const { webhook } = recorded;
    const known = events.get(webhook.type);
    if (known === undefined || membersOf(webhook).size > membersOf(known).size) events.set(webhook.type, webhook);
    continue;
  }
  const name = nameOfExample(recorded);
  if (name === undefined) continue;
  const [id = ''] = name.split(' ');
  if (requestNames().includes(id) && exampleFaults('requests', id, recorded.request).length > 0) continue;
  const now = worth(recorded);
  if (now > (best.get(name)?.worth ?? -Infinity)) best.set(name, { worth: now, recorded });
}

const chosen: Chosen = { requests: {}, answers: {}, problems: {}, webhooks: {} };
let changed = 0;
/**
 * Keeps the stored examples of one name, or replaces them with the recorded ones. `found`: the recorded values, by the part of the examples that each
 * belongs to. Values that are given together keep the ids that they share.
 */
const choose = (name: string, found: { [part in keyof Examples]?: [name: string, value: unknown] }): void => {
  const parts = (Object.keys(found) as (keyof Examples)[]).flatMap((part) => (found[part] ? [[part, ...found[part]] as const] : []));
  const good = parts.every(([part, member]) => member in kept[part] && exampleFaults(part, member, kept[part][member]).length === 0);
  const anew = parts.every(([, , value]) => value !== undefined) && (!good || values.all);
  const made = anew ? (normaliseExample(name, Object.fromEntries(parts.map(([part, , value]) => [part, value]))) as { [part: string]: unknown }) : {};
  for (const [part, member] of parts) {
    const value = anew ? made[part] : kept[part][member];
    if (value !== undefined) chosen[part][member] = value;
  }
  if (anew) changed += 1;
};
for (const name of answerNames()) {
  const [id = '', status] = name.split(' ');
  const found = best.get(name)?.recorded;
  const asks = status === '200' && requestNames().includes(id);
  choose(name, { answers: [name, found?.body], ...(asks ? { requests: [id, found?.request] } : {}) });
}
for (const type of webhookNames()) choose(type, { webhooks: [type, events.get(type)] });
const codeOf = (name: string): string => name.split('.').at(-1) ?? name;
const known = [...new Set([...Object.keys(kept.problems), ...best.keys()])].filter((name) => problemCodes().includes(codeOf(name)));
for (const name of known.toSorted()) choose(name, { problems: [name, best.get(name)?.recorded.body] });
const missing = [
  ...answerNames().filter((name) => !(name in chosen.answers)),
  ...requestNames().filter((name) => !(name in chosen.requests)),
  ...webhookNames().filter((name) => !(name in chosen.webhooks)),
  ...problemCodes().filter((code) => !Object.keys(chosen.problems).some((name) => codeOf(name) === code)),
];
writeFileSync(target, `${JSON.stringify(chosen, undefined, 1)}\n`);
process.stdout.write(`${changed} examples recorded${missing.length === 0 ? '' : `; not recorded: ${missing.join(', ')}`}\n`);
