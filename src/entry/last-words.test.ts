import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { lastWords } from './last-words.ts';

/** An error as the database's driver makes it with its `debug` option on: the statement and its parameters are enumerable members. */
const driverError = `Object.assign(new Error('duplicate key value violates unique constraint "orders_pkey"'), { code: '23505', query: 'insert into customers values ($1)', parameters: ['secret-blob'], args: ['secret-blob'] })`;

const file = fileURLToPath(new URL('last-words.ts', import.meta.url));
const run = async (work: string): Promise<{ code: number | null; error: string }> => {
  const script = `import { sayLastWords } from ${JSON.stringify(file)}; sayLastWords((line) => process.stderr.write(line + '\\n')); ${work}`;
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], { stdio: ['ignore', 'ignore', 'pipe'] });
  let error = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text));
  return await new Promise((done) => child.once('close', (code) => done({ code, error })));
};

it.each([
  ['thrown by a timer', `setTimeout(() => { throw ${driverError}; });`],
  ['a promise that nobody waits for', `void Promise.reject(${driverError}); setTimeout(() => undefined, 10_000);`],
  ['thrown by the main file', `throw ${driverError};`],
  [
    'with the ORM around it',
    `void Promise.reject(new Error('Failed query: x\\nparams: secret-blob', { cause: ${driverError} })); setTimeout(() => undefined, 10_000);`,
  ],
])('an error that reaches nobody is one line without its parameters: %s', async (_name, work) => {
  const { code, error } = await run(work);
  expect([code, error]).toEqual([1, expect.stringMatching(/^Error: 23505 duplicate key value violates unique constraint "orders_pkey" at .+\n$/)]);
  expect(error).not.toMatch(/secret-blob|insert into/);
});

it('repeats nothing of a thrown value that is not an error', () =>
  expect([lastWords('secret'), lastWords({ secret: 1 }), lastWords(undefined)]).toEqual(Array(3).fill('error: unknown')));
