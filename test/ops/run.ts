/** Runs an operator's command as a person would, in its own process. */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { inject } from 'vitest';
import { commandPath } from '../setup/children.ts';

export type Ran = { code: number | null; out: string; error: string };

export const runCommand = async (script: string, args: readonly string[], environment: Record<string, string>): Promise<Ran> => {
  const path = commandPath(inject('children'), inject('scratch'), resolve(`scripts/${script}.ts`));
  const child = spawn(process.execPath, ['--no-warnings', path, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let error = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text));
  return await new Promise((done) => child.once('close', (code) => done({ code, out, error })));
};
