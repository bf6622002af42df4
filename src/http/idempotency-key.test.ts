import { expect, it } from 'vitest';
import type { IdempotencyStore } from '../ports/idempotency.ts';
import { createNoticeTokens, sha256Hex } from '../seal/hash.ts';
import type { Call } from './call.ts';
import { onceByKey } from './idempotency-key.ts';

const [first, second] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
const raw = JSON.stringify({ session_id: 's', phone: '+43664000001' });
const written = JSON.stringify([['phone', '+43664000001']]);
const camel = JSON.stringify({ sessionId: 's', phone: '+43664000001' });
/** The text from which earlier releases made the fingerprint of `camel`. */
const camelWritten = JSON.stringify([
  ['phone', '+43664000001'],
  ['sessionId', 's'],
]);

/** Returns `run`, which makes one call with a key, and `row`, which returns the one stored row. */
const calling = (stored?: { fingerprint: string; answer?: string }) => {
  let row = stored;
  const idempotency: IdempotencyStore = {
    begin: async ({ fingerprint }) => {
      if (row?.answer !== undefined) return await Promise.resolve({ state: 'done', fingerprint: row.fingerprint, answer: row.answer });
      // As if the earlier call had stopped: a call with the same body takes over.
      if (row && row.fingerprint !== fingerprint) return { state: 'running', fingerprint: row.fingerprint };
      row = { fingerprint };
      return { state: 'begun' };
    },
    finish: async ({ answer }) => await Promise.resolve(void (row = { fingerprint: row?.fingerprint ?? '', answer })),
    abandon: async () => await Promise.resolve(),
  };
  const seal = { seal: async (text: string) => await Promise.resolve(text), open: async (text: string) => await Promise.resolve(text) };
  const run = async (keys: Uint8Array[], body: string, answer: string): Promise<string> => {
    const gateway = { hash: sha256Hex, notices: createNoticeTokens(keys), now: () => 0, seal, stores: { idempotency } };
    const request = new Request('https://ramp.example/accounts', { headers: { 'idempotency-key': 'k' } });
    try {
      const sent = await onceByKey({ gateway, request } as unknown as Call, 'caller', '/accounts', body, async () => await Promise.resolve(answer));
      return JSON.parse(sent.json) as string;
    } catch (problem) {
      return (problem as { code: string }).code;
    }
  };
  return { run, row: () => row };
};

it('what is kept of a body cannot be guessed without a key of the gateway, and tells bodies apart', async () => {
  const { run, row } = calling();
  expect(await run([first], raw, 'made')).toBe('made');
  expect([sha256Hex(written), sha256Hex(raw)]).not.toContain(row()?.fingerprint);
  expect(row()?.fingerprint).not.toContain(createNoticeTokens([second]).token('idempotency', written));
  expect([await run([first], raw, 'again'), await run([first], raw.replace('1"', '2"'), 'other')]).toEqual(['made', 'idempotency-key-reused']);
});

it.each(['session_id', 'sessionId'])('a repeat in another session, named as %s, is the same request', async (name) => {
  const { run } = calling();
  const body = (session: string, quoteId: string) => JSON.stringify({ [name]: session, quoteId });
  expect([await run([first], body('old', 'q'), 'made'), await run([first], body('new', 'q'), 'again')]).toEqual(['made', 'made']);
  expect(await run([first], body('new', 'r'), 'other')).toBe('idempotency-key-reused');
});

it.each([
  ['an earlier release', raw, sha256Hex(written)],
  ['a key that was rotated', raw, createNoticeTokens([first]).token('idempotency', written)],
  ['an earlier release, of a body in camelCase,', camel, sha256Hex(camelWritten)],
  ['a later one, of a body in camelCase,', camel, createNoticeTokens([second]).token('idempotency', camelWritten)],
  ['a key that was rotated, of a body in camelCase,', camel, createNoticeTokens([first]).token('idempotency', camelWritten)],
])('what %s has kept still matches its body only', async (_by, body, fingerprint) => {
  const keys = [second, first];
  expect(await calling({ fingerprint, answer: '"made"' }).run(keys, body, 'again')).toBe('made');
  expect(await calling({ fingerprint, answer: '"made"' }).run(keys, body.replace('1"', '2"'), 'other')).toBe('idempotency-key-reused');
  // The call that stored this fingerprint has stopped halfway.
  expect(await calling({ fingerprint }).run(keys, body, 'taken over')).toBe('taken over');
});

it('an instance that has not made the second step of a rotation yet repeats what one that has began, and the other way around', async () => {
  for (const [by, repeatedBy] of [
    [
      [second, first],
      [first, second],
    ],
    [
      [first, second],
      [second, first],
    ],
  ] as const) {
    const { run } = calling();
    expect([await run([...by], raw, 'made'), await run([...repeatedBy], raw, 'again')]).toEqual(['made', 'made']);
  }
});
