/**
 * Runs an operator's command. In each test run, the first run of each command is a process of its own, started from its source as users start it. All
 * others run in the test's process, because starting a process costs ten times as much as the work of a command.
 */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { inject, vi } from 'vitest';
import { isFirstStart } from '../setup/children.ts';

export type Ran = { code: number | null; out: string; error: string };

let last: Promise<unknown> = Promise.resolve();

export const runCommand = async (script: string, args: readonly string[], environment: Record<string, string> = {}): Promise<Ran> => {
  const path = resolve(`scripts/${script}.ts`);
  if (isFirstStart(inject('scratch'), path)) return await inOwnProcess(path, args, environment);
  return await inThisProcess([path, ...args], environment);
};

/** Runs a command in the test's process, but called as in the image: `ramp <name> …`. */
export const runAsRamp = async ([name = '', ...args]: readonly string[], environment: Record<string, string> = {}): Promise<Ran> =>
  await inThisProcess(['/usr/local/bin/ramp', ...args], environment, resolve(`scripts/${name.replace(':', '-')}.ts`));

const inOwnProcess = async (path: string, args: readonly string[], environment: Record<string, string>): Promise<Ran> => {
  // The module that is loaded first only saves time: without it, loading the files takes twice as long.
  const quick = resolve('scripts/quick-modules.ts');
  const child = spawn(process.execPath, ['--no-warnings', '--import', quick, path, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let error = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text));
  return await new Promise((done) => child.once('close', (code) => done({ code, out, error })));
};

/** A command has the whole process for itself: its arguments, its variables and its output. */
const inThisProcess = async (words: readonly string[], environment: Record<string, string>, path = words[0]): Promise<Ran> => {
  const ran = last.then(async () => await evaluate(words, environment, path));
  last = ran.catch(() => undefined);
  return await ran;
};

let runs = 0;
const evaluate = async (words: readonly string[], environment: Record<string, string>, path = ''): Promise<Ran> => {
  const { argv, exitCode } = process;
  const variables = { ...process.env };
  const ran: Ran = { code: 0, out: '', error: '' };
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((ran.out += String(text)), true));
  const error = vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((ran.error += String(text)), true));
  try {
    process.argv = [process.execPath, ...words];
    process.exitCode = undefined;
    Object.assign(process.env, environment);
    // With another query, the command's file is evaluated again, while everything that it imports is shared.
    await import(/* @vite-ignore */ `${path}?run=${(runs += 1)}`);
    ran.code = Number(process.exitCode ?? 0);
    return ran;
  } finally {
    out.mockRestore();
    error.mockRestore();
    for (const name of Object.keys(process.env)) if (!(name in variables)) delete process.env[name];
    Object.assign(process.env, variables);
    process.exitCode = exitCode;
    process.argv = argv;
  }
};
