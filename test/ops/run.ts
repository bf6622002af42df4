/** Runs an operator's command as a person would, in its own process. */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { inject } from 'vitest';
import { childPath } from '../setup/children.ts';

export type Ran = { code: number | null; out: string; error: string };

const started = new Set<string>();
/**
 * Returns the file to run. A command's first start is from its source, as for a user; later starts use a bundle, which takes an eighth of the time.
 */
const pathOf = (script: string): string => {
  const path = resolve(`scripts/${script}.ts`);
  if (started.has(script)) return childPath(inject('children'), path);
  started.add(script);
  return path;
};

export const runCommand = async (script: string, args: readonly string[], environment: Record<string, string>): Promise<Ran> => {
  const child = spawn(process.execPath, ['--no-warnings', pathOf(script), ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let error = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text));
  return await new Promise((done) => child.once('close', (code) => done({ code, out, error })));
};
