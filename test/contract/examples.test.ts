import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { normaliseExample } from '../../scripts/normalise-example.ts';
import type { Examples } from '../../src/contract/document.ts';
import { answerNames, exampleFaults, problemCodes, requestNames, webhookNames } from './examples.ts';

const recorded = JSON.parse(readFileSync('src/contract/examples.json', 'utf8')) as Examples;
const { requests, answers, problems, webhooks } = recorded;
const examples = { ...requests, ...answers, ...problems, ...webhooks };

it('every request, answer, webhook and listed problem has a recorded example (npm run record:examples), and there is no other', () => {
  expect(Object.keys(requests).toSorted()).toEqual(requestNames().toSorted());
  expect(Object.keys(webhooks).toSorted()).toEqual(webhookNames().toSorted());
  expect(Object.keys(answers).toSorted()).toEqual(answerNames().toSorted());
  expect([...new Set(Object.keys(problems).map((name) => name.split('.').at(-1) ?? name))].toSorted()).toEqual(problemCodes());
});

it('every example is as the document says, with no extra member', () => {
  const parts = Object.keys(recorded) as (keyof Examples)[];
  const faults = parts.flatMap((part) =>
    Object.entries(recorded[part]).flatMap(([name, value]) => exampleFaults(part, name, value).map((fault) => `${name}: ${fault}`)),
  );
  expect(faults).toEqual([]);
});

it('an example shows neither this machine nor the day of its recording', () => {
  const text = JSON.stringify(examples);
  expect(text.match(/127\.0\.0\.1|localhost:/g) ?? []).toEqual([]);
  const firsts = Object.values(examples).flatMap((one) =>
    [...JSON.stringify(one).matchAll(/\d{4}-\d{2}-\d{2}T[\d:.]+Z/g)]
      .map(([time]) => time)
      .toSorted()
      .slice(0, 1),
  );
  expect([...new Set(firsts.map((time) => time?.slice(0, 16)))]).toEqual(['2026-11-21T10:15']);
});

it('is normalised: ids and times keep their relations, measured figures and addresses do not stay', () => {
  const [one, two] = ['6f1c1b0e-9b1c-4b7a-8f43-2f6f0c9d5a10', '0b6f3e91-4c2a-4d58-8e77-a1c5d2f4b9e0'];
  const raw = {
    [one]: { quote_id: two, same: one, at: '2026-11-28T22:00:05.250Z', before: '2026-11-28T22:00:00.000Z' },
    latency_ms: 3,
    instance: 'host-4711',
    link: 'http://127.0.0.1:38123/pay',
    receipt: 'x'.repeat(1000),
  };
  const shown = normaliseExample('seed', raw) as { [key: string]: unknown };
  const [id] = Object.keys(shown);
  expect(id).not.toBe(one);
  expect(shown[id ?? '']).toMatchObject({ same: id, at: '2026-11-21T10:15:05.250Z', before: '2026-11-21T10:15:00.000Z' });
  expect(shown).toMatchObject({ latency_ms: 212, instance: 'gw-1', link: 'https://alpine.example/pay', receipt: `${'x'.repeat(80)}…` });
  expect(normaliseExample('seed', raw)).toEqual(shown);
});
