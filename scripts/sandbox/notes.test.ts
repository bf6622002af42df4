import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { demoCommand, noteSandbox, noteStarting, notedSandbox, waitForGateway } from './notes.ts';

let dataDir: string;
let waited: number;
const sayWaiting = (): void => void (waited += 1);
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'notes-'));
  waited = 0;
});
afterEach(() => rmSync(dataDir, { recursive: true }));

/** A server whose port is closed until `listen` is called. */
const laterServer = async () => {
  const server = createServer((_, response) => response.end('{}'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return {
    url: `http://127.0.0.1:${port}`,
    listen: () => void server.listen(port, '127.0.0.1'),
    close: async () => await new Promise((closed) => server.close(closed)),
  };
};

it('waits for a gateway that said it was starting', async () => {
  const gateway = await laterServer();
  noteStarting(dataDir, gateway.url);
  const found = waitForGateway(gateway.url, [join(dataDir, 'other'), dataDir], sayWaiting);
  setTimeout(gateway.listen, 700);
  expect([await found, waited]).toEqual([true, 1]);
  expect([await waitForGateway(gateway.url, [dataDir], sayWaiting), waited]).toEqual([true, 1]);
  await gateway.close();
});

it('does not wait without a note, for a process that died, for another port, or for ever', async () => {
  const gateway = await laterServer();
  expect(await waitForGateway(gateway.url, [dataDir], sayWaiting)).toBe(false);
  const child = spawn(process.execPath, ['--version']);
  await once(child, 'exit');
  writeFileSync(join(dataDir, 'starting.json'), JSON.stringify({ gateway: gateway.url, pid: child.pid }));
  expect(await waitForGateway(gateway.url, [dataDir], sayWaiting)).toBe(false);
  noteStarting(dataDir, 'http://127.0.0.1:1');
  expect([await waitForGateway(gateway.url, [dataDir], sayWaiting), waited]).toEqual([false, 0]);
  noteStarting(dataDir, gateway.url);
  expect([await waitForGateway(gateway.url, [dataDir], sayWaiting, 400), waited]).toEqual([false, 1]);
});

it('takes the providers from the newer of two notes for the same port', async () => {
  noteSandbox(dataDir, 'http://127.0.0.1:8787', [{ id: 'alpine', url: 'http://127.0.0.1:1' }]);
  await new Promise((then) => setTimeout(then, 20));
  noteSandbox(join(dataDir, 'worker'), 'http://127.0.0.1:8787', [{ id: 'alpine', url: 'http://127.0.0.1:2' }]);
  const dataDirs = [dataDir, join(dataDir, 'worker')];
  expect(notedSandbox(dataDirs, 'http://localhost:8787')).toEqual({ alpine: 'http://127.0.0.1:2' });
  expect(notedSandbox(dataDirs, 'http://127.0.0.1:9000')).toEqual({});
});

it('names the command of the demo with what the other terminal cannot know', () => {
  expect(demoCommand('http://127.0.0.1:8787', {})).toBe('npm run demo');
  expect(demoCommand('http://127.0.0.1:9001', {})).toBe('PORT=9001 npm run demo');
  expect(demoCommand('http://127.0.0.1:9001', { DATA_DIR: '/srv/ramp' })).toBe('DATA_DIR=/srv/ramp PORT=9001 npm run demo');
});
