import { expect, it } from 'vitest';
import { readableLog, startText } from './start-text.ts';

const alpine = { id: 'alpine', what: 'buy', url: 'http://127.0.0.1:1001', mode: 'on', pid: 20 };
const dune = { ...alpine, id: 'dune', url: 'http://127.0.0.1:1004', pid: 30 };
const thor = { ...alpine, id: 'thor', what: 'liquidity', url: 'http://127.0.0.1:1010/v1', mode: 'shadow' };
const sandbox = { url: 'http://127.0.0.1:8787', mode: 'sandbox', network: 'regtest', rows: '.data', pid: 10, demo: 'npm run demo' };

it('says which process belongs to whom, and what to do next', () => {
  expect(startText({ ...sandbox, providers: [alpine, dune, thor], operatorToken: 'op_1' })).toBe(`
ramp-gateway on http://127.0.0.1:8787   mode sandbox, network regtest

pid 10      the gateway, data in .data (embedded PostgreSQL)
pid 20      alpine   buy         http://127.0.0.1:1001
            thor     liquidity   http://127.0.0.1:1010/v1   shadow
pid 30      dune     buy         http://127.0.0.1:1004

Sandbox providers forget everything when they stop. The gateway does not: delete .data for a fresh start.

next, in another terminal
  npm run demo                           one purchase, from offers to sats; demo sell, demo liquidity
  http://127.0.0.1:8787/buy              the same in a browser
  http://127.0.0.1:8787/console          the operator's view; its token until this stops: op_1
  curl -s http://127.0.0.1:8787/verify   a session to begin with
  http://127.0.0.1:8787/docs             every call
  docs/sandbox.md                        how to pay, the code to enter, amounts that make things go wrong
`);
});

it('names a real provider without a process, and in live mode neither demo nor sandbox', () => {
  const real = { ...alpine, url: 'https://api.alpine.example', pid: undefined };
  expect(startText({ ...sandbox, mode: 'live', network: 'main', rows: undefined, providers: [real] })).toBe(`
ramp-gateway on http://127.0.0.1:8787   mode live, network main

pid 10      the gateway, data in PostgreSQL, from DATABASE_URL
            alpine   buy   https://api.alpine.example

every call: http://127.0.0.1:8787/docs
`);
});

it('turns a line of the log into one for a terminal', () => {
  const line = (level: string, more: object): string => JSON.stringify({ level, instance: 'vm-1', time: 1_795_245_689_510, event: 'request', ...more });
  expect(readableLog(line('info', { route: '/offers', status: 200, ms: 12 }))).toBe('07:21:29.510  request  route=/offers  status=200  ms=12');
  expect(readableLog(line('warn', {}))).toBe('07:21:29.510  WARN  request');
});
