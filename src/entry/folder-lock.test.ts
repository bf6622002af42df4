import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { lockFolder } from './folder-lock.ts';

const folder = mkdtempSync(join(tmpdir(), 'ramp-lock-'));
const file = join(folder, 'lock');
beforeEach(() => rmSync(file, { force: true }));
afterAll(() => rmSync(folder, { recursive: true }));
const owner = (): unknown => JSON.parse(readFileSync(file, 'utf8'));

it('holds until it is released', () => {
  const unlock = lockFolder(file);
  expect(owner()).toMatchObject({ pid: process.pid });
  expect(() => lockFolder(file)).toThrow(`${file}: this data folder is in use by process ${process.pid}.`);
  unlock();
  expect(existsSync(file)).toBe(false);
  lockFolder(file)();
  expect(readdirSync(folder)).toEqual([]);
});

it('is taken over from a process that has stopped', async () => {
  const gone = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => gone.once('exit', resolve));
  writeFileSync(file, JSON.stringify({ pid: gone.pid }));
  lockFolder(file);
  expect(owner()).toMatchObject({ pid: process.pid });
  expect(readdirSync(folder)).toEqual(['lock']);
});

it('is taken over when another process has the number now', () => {
  writeFileSync(file, JSON.stringify({ pid: process.pid, started: '1' }));
  lockFolder(file);
  expect(owner()).not.toMatchObject({ started: '1' });
});

it.each(['', 'half a lo', '[]', '{"pid":"x"}'])('is taken over from a file that says %j', (text) => {
  writeFileSync(file, text);
  lockFolder(file);
  expect(owner()).toMatchObject({ pid: process.pid });
});

it('respects a process of another user', () => {
  const started = readStart(1);
  writeFileSync(file, JSON.stringify({ pid: 1, started }));
  expect(() => lockFolder(file)).toThrow('in use by process 1');
});

/** Returns when the process started (field 22 of /proc/<pid>/stat), or undefined if the system has no such file. */
const readStart = (pid: number): string | undefined => {
  if (!existsSync(`/proc/${pid}/stat`)) return undefined;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
};
