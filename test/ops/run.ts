/** Runs an operator's command as a person would: its own process on the test's database. */
import { spawn } from 'node:child_process';
import { vi } from 'vitest';

// Every command is a process of its own; on a busy machine that takes seconds.
vi.setConfig({ testTimeout: 60_000 });

export type Ran = { code: number | null; out: string; error: string };

export const runCommand = async (script: string, args: readonly string[], environment: Record<string, string>): Promise<Ran> => {
  const child = spawn(process.execPath, ['--no-warnings', `scripts/${script}.ts`, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let error = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text));
  return await new Promise((done) => child.once('close', (code) => done({ code, out, error })));
};
