import { expect, it } from 'vitest';
import type { Log } from '../ports/runtime.ts';
import { createLog } from './log.ts';
import { prettyLine } from './pretty.ts';

const logInto = (lines: string[], modules = new Map<string, { logFields?: readonly string[] }>()): Log =>
  createLog({ level: 'info', instance: 'gw-1', write: (line) => lines.push(line), now: () => 1_795_000_000_000, modules });

it('writes one JSON line, with the listed fields only', () => {
  const lines: string[] = [];
  const log = logInto(lines);
  const canary = 'canary-7f3a';
  // @ts-expect-error a field that is not on the list does not compile, and is dropped at run time
  log('info', 'request', { request_id: 'req_1', ms: 3, session_id: canary, apikey: canary, note: 'x'.repeat(400) });
  // A careless caller might pass this despite the types. Nested values are dropped.
  log('warn', 'odd', JSON.parse(`{"reason":{"apikey":"${canary}"},"error":["${canary}"],"provider":"alpine"}`));
  log('debug', 'silent', { note: canary });
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { level: 'info', time: '2026-11-18T11:06:40.000Z', instance: 'gw-1', event: 'request', request_id: 'req_1', ms: 3, note: `${'x'.repeat(300)}…` },
    { level: 'warn', time: '2026-11-18T11:06:40.000Z', instance: 'gw-1', event: 'odd', provider: 'alpine' },
  ]);
  expect(lines.join('')).not.toContain(canary);
});

it("writes an operator's action whole: who did what to what", () => {
  const lines: string[] = [];
  logInto(lines)('info', 'operator', { actor: 'token:0123abcd', action: 'order.read', subject: '3f0a5c9e-6a57-4c34-9b1e-0f6d2a7b8c11' });
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ actor: 'token:0123abcd', action: 'order.read', subject: '3f0a5c9e-6a57-4c34-9b1e-0f6d2a7b8c11' });
});

it('writes the fields on the list of a kind of provider', () => {
  const lines: string[] = [];
  const log: (level: 'warn', event: string, fields: object) => void = logInto(lines, new Map([['bringin', { logFields: ['rows'] }]]));
  log('warn', 'cut', { rows: 50, email: 'a@b.example' });
  expect(JSON.parse(lines[0] ?? '')).toEqual({ level: 'warn', time: '2026-11-18T11:06:40.000Z', instance: 'gw-1', event: 'cut', rows: 50 });
});

it('shows a line to people: time of day, level, event, then the fields', () => {
  const lines: string[] = [];
  logInto(lines)('warn', 'request', { request_id: 'req_1', route: '/order', status: 409, note: 'to "Alpine" = new' });
  expect(prettyLine(lines[0] ?? '')).toBe('11:06:40 warn  request request_id=req_1 route=/order status=409 note="to \\"Alpine\\" = new"');
});
