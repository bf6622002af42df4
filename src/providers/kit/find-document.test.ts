import { expect, it } from 'vitest';
import { findDocument, withSnakeNames } from './find-document.ts';

const hasId = (members: Record<string, unknown>): boolean => members['order_id'] !== undefined;

it.each([
  ['bare', { order_id: 1 }, { order_id: 1 }],
  ['with what stands beside it', { order: { order_id: 1 }, payment: 2, status: 'ok' }, { order_id: 1, payment: 2 }],
  ['in four envelopes', { result: { data: { order: { body: { order_id: 1 } } } }, fee: 3 }, { order_id: 1, fee: 3 }],
  ['in a list of one', { result: [{ order_id: 1 }], fee: 3 }, { order_id: 1, fee: 3 }],
  ['the first of a list', [{ order_id: 1 }, { order_id: 2 }], { order_id: 1 }],
  ['the last of a thousand', { items: [...Array.from({ length: 1000 }, () => ({ no: 1 })), { order_id: 7 }] }, { order_id: 7 }],
  ['nowhere', { result: { data: [] }, order: null }, undefined],
])('%s', (_, answer, found) => {
  const read = findDocument(answer, hasId);
  const { order_id, payment, fee } = read ?? {};
  expect(read && JSON.parse(JSON.stringify({ order_id, payment, fee }))).toEqual(found);
});

/** Returns nested objects: each has these members, and a further object under every one of the names. */
const nested = (names: string[], levels: number, members: object): object =>
  Object.fromEntries([...names.map((name) => [name, levels === 0 ? {} : nested(names, levels - 1, members)] as const), ...Object.entries(members)]);
const spellings = (word: string): string[] =>
  Array.from({ length: 2 ** word.length }, (_, n) => [...word].map((letter, i) => ((n >> i) & 1 ? letter.toUpperCase() : letter)).join(''));
const fourteen = ['result', 'results', 'data', 'order', 'orders', 'body', 'response', 'payload', 'content', 'value', 'item', 'items', 'info', 'options'];
const many = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`a${n}`, 0]));

it.each([
  ['every envelope at once', { ...Object.fromEntries(fourteen.map((name) => [name, {}])), ...many }],
  ['one envelope in 64 spellings', { ...Object.fromEntries(spellings('result').map((name) => [name, {}])), ...many }],
  ['two envelopes in 192 spellings', Object.fromEntries([...spellings('result'), ...spellings('results')].map((name) => [name, { a: 1 }]))],
  ['envelopes within envelopes', nested(fourteen.slice(0, 9), 3, { a: 1 })],
  ['lists of envelopes', { items: Array.from({ length: 3000 }, () => ({ data: { result: {} }, order: { body: {} } })), ...many }],
])('%s: found soon that there is nothing', (_, answer) => {
  for (const given of [answer, withSnakeNames(answer)]) {
    let looked = 0;
    const look = (): boolean => {
      looked += 1;
      // Without its limit, the search would go on for hours.
      if (looked > 50_000) throw new Error('it looks without end');
      return false;
    };
    expect(findDocument(given, look)).toBeUndefined();
  }
});
