import { expect, it } from 'vitest';
import { createLog } from './log.ts';

it('writes one JSON line, with the listed fields only', () => {
  const lines: string[] = [];
  const log = createLog({ level: 'info', instance: 'gw-1', write: (line) => lines.push(line), now: () => 1_795_000_000_000 });
  const canary = 'canary-7f3a';
  log('info', 'request', { request_id: 'req_1', ms: 3, session_id: canary, apikey: canary, note: 'x'.repeat(400) });
  // What a careless caller might pass despite the types: nothing nested gets through.
  log('warn', 'odd', JSON.parse(`{"reason":{"apikey":"${canary}"},"error":["${canary}"],"provider":"alpine"}`));
  log('debug', 'silent', { note: canary });
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { level: 'info', time: 1_795_000_000_000, instance: 'gw-1', event: 'request', request_id: 'req_1', ms: 3, note: `${'x'.repeat(300)}…` },
    { level: 'warn', time: 1_795_000_000_000, instance: 'gw-1', event: 'odd', provider: 'alpine' },
  ]);
  expect(lines.join('')).not.toContain(canary);
});
