/**
 * `npm run test:mutation [-- --sample <n>] [--seed <n>] [<part of a path>…]`: makes small changes to the money modules, one at a time, in a copy of
 * the project. Each must make a test of that module fail. Prints the score of each file, and the changes that no test noticed. Mutants run one after
 * another in a warm vitest. A mutant that runs for ever is killed, and counts as found.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseSync } from 'oxc-parser';
import { createVitest } from 'vitest/node';
import { createRandom } from '../test/fuzz/random.ts';

type Mutant = { start: number; end: number; text: string; line: number; was: string };
type Node = { type: string; start: number; end: number; [member: string]: unknown };
type Job = { folder: string; file: string; tests: string[]; mutants: Mutant[] };
/** What the child reports: first whether the tests pass without a change (`ready`), then whether a test found the mutant `n`. */
type Report = { ready: boolean } | { n: number; found: boolean };

/** The modules that decide about money, and the tests that must notice a change. */
const targets: Record<string, string[]> = {
  'src/domain/settle-placing.ts': ['src/domain/settle-placing.test.ts'],
  'src/domain/judge-order.ts': ['src/domain/judge-order.test.ts'],
  'src/domain/exclusion.ts': ['src/domain/exclusion.test.ts'],
  'src/domain/net-result.ts': ['src/domain/net-result.test.ts'],
  'src/domain/ramp.ts': ['src/domain/ramp.test.ts', 'src/domain/exclusion.test.ts', 'src/domain/net-result.test.ts'],
  'src/domain/ranking.ts': ['src/domain/ranking.test.ts'],
  'src/domain/money.ts': ['src/domain/money.test.ts'],
  'src/domain/fee-styles.ts': ['src/domain/fee-styles.test.ts'],
  'src/domain/order-life.ts': ['src/domain/order-life.test.ts', 'src/domain/order-life-pairs.test.ts', 'src/domain/settle-placing.test.ts'],
  'src/outbound/sign.ts': ['src/outbound/sign.test.ts'],
  'src/bitcoin/node-signature.ts': ['src/bitcoin/node-signature.test.ts'],
  'src/seal/seal.ts': ['src/seal/seal.test.ts'],
};
/** How long a mutant may take before it counts as endless. */
const patienceMs = 60_000;
/** A child process ends after this many mutants, because vitest does not free all memory after a run. */
const batch = 60;

const operators: Record<string, string | undefined> = Object.fromEntries(
  '< <=, <= <, > >=, >= >, === !==, !== ===, + -, - +, * /, / *, % *, && ||, || &&, ?? &&, += -=, -= +='.split(', ').map((pair) => pair.split(' ')),
);
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'type' in value && 'start' in value;

export const mutantsOf = (fileName: string, source: string): Mutant[] => {
  const mutants: Mutant[] = [];
  const lineOf = (at: number): number => source.slice(0, at).split('\n').length;
  const add = (start: number, end: number, text: string): void => void mutants.push({ start, end, text, line: lineOf(start), was: source.slice(start, end) });
  const visit = (node: Node): void => {
    const { type, start, end, left, right, operator, value, test } = node;
    if (/^(?:TSType|TSInterface|TSEnum|ImportDeclaration)/.test(type)) return;
    if (typeof operator === 'string' && isNode(left) && isNode(right)) {
      const at = source.indexOf(operator, left.end);
      const other = operators[operator];
      if (other !== undefined && at < right.start) add(at, at + operator.length, other);
    }
    if (type === 'UnaryExpression' && operator === '!') add(start, start + 1, '');
    if (type === 'Literal' && typeof value === 'boolean') add(start, end, String(!value));
    if (type === 'Literal' && typeof value === 'number') add(start, end, String(value + 1));
    if (type === 'Literal' && typeof node['bigint'] === 'string') add(start, end, `${BigInt(node['bigint']) + 1n}n`);
    if ((type === 'IfStatement' || type === 'ConditionalExpression') && isNode(test)) for (const fixed of ['true', 'false']) add(test.start, test.end, fixed);
    if (type === 'ExpressionStatement' || type === 'ThrowStatement') add(start, end, ';');
    for (const member of Object.values(node)) for (const one of Array.isArray(member) ? member : [member]) if (isNode(one)) visit(one);
  };
  const { program, errors } = parseSync(fileName, source);
  if (errors.length > 0) throw new Error(`${fileName} does not parse`);
  visit(program as unknown as Node); // the published types have no type for all nodes
  return mutants;
};

/** Runs in the child: runs the tests of one file without a change, and then once for each mutant. */
const runJob = async ({ folder, file, tests, mutants }: Job): Promise<void> => {
  const tell = (report: Report): void => void process.send?.(report);
  const path = join(folder, file);
  const source = readFileSync(path, 'utf8');
  const vitest = await createVitest(
    'test',
    {
      root: folder,
      config: false,
      watch: false,
      bail: 1,
      reporters: [{}],
      include: tests,
      pool: 'threads',
      isolate: true,
      maxWorkers: 1,
      testTimeout: 10_000,
    },
    { server: { watch: null }, cacheDir: join(folder, '.vite') },
  );
  const passes = async (): Promise<boolean> => {
    const specifications = await vitest.globTestSpecifications(tests);
    const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications, true);
    return testModules.length === tests.length && unhandledErrors.length === 0 && testModules.every((one) => one.ok());
  };
  tell({ ready: await passes() });
  for (const [n, { start, end, text }] of mutants.entries()) {
    writeFileSync(path, source.slice(0, start) + text + source.slice(end));
    vitest.invalidateFile(path);
    tell({ n, found: !(await passes()) });
  }
  writeFileSync(path, source);
  await vitest.close();
  process.disconnect?.();
};

/** Starts children until every mutant has run. Returns for each mutant whether it was found. */
const judge = async (job: Job): Promise<boolean[]> => {
  const found: boolean[] = [];
  while (found.length < job.mutants.length) {
    const before = found.length;
    writeFileSync(join(job.folder, job.file), readFileSync(job.file, 'utf8'));
    const child: ChildProcess = fork(fileURLToPath(import.meta.url), ['--child'], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: ['--no-warnings', '--max-old-space-size=1000'],
    });
    let ready = false;
    let silent = setTimeout(() => child.kill('SIGKILL'), patienceMs * 2);
    const gone = new Promise((done) => child.once('exit', done));
    child.on('message', (report: Report) => {
      clearTimeout(silent);
      silent = setTimeout(() => child.kill('SIGKILL'), patienceMs);
      if ('ready' in report) ({ ready } = report);
      else found.push(report.found);
      if (!ready) child.kill('SIGKILL');
    });
    child.send({ ...job, mutants: job.mutants.slice(before, before + batch) });
    await gone;
    clearTimeout(silent);
    if (!ready) throw new Error(`the tests of ${job.file} fail without any change`);
    if (found.length < Math.min(before + batch, job.mutants.length)) {
      console.log(`  never ended: ${job.file}:${job.mutants[found.length]?.line}`);
      found.push(true);
    }
  }
  return found;
};

const main = async (): Promise<void> => {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { sample: { type: 'string' }, seed: { type: 'string', default: '1' } } });
  const folder = mkdtempSync(join(tmpdir(), 'ramp-mutants-'));
  try {
    for (const part of readdirSync('.')) if (!/^(?:node_modules|dist|\..*)$/.test(part)) cpSync(part, join(folder, part), { recursive: true });
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
    const random = createRandom(Number(values.seed));
    const jobs = Object.entries(targets)
      .filter(([file]) => positionals.length === 0 || positionals.some((part) => file.includes(part)))
      .map(([file, tests]): Job => ({ folder, file, tests, mutants: mutantsOf(file, readFileSync(file, 'utf8')) }));
    const all = jobs.flatMap((job) => job.mutants).map((mutant) => ({ mutant, draw: random.next() }));
    const drawn = new Set(
      all
        .toSorted((a, b) => a.draw - b.draw)
        .slice(0, Number(values.sample ?? all.length))
        .map(({ mutant }) => mutant),
    );
    const scores: string[] = [];
    let [total, killed] = [0, 0];
    for (const job of jobs) {
      const mutants = job.mutants.filter((one) => drawn.has(one));
      if (mutants.length === 0) continue;
      const found = await judge({ ...job, mutants });
      const n = found.filter(Boolean).length;
      total += mutants.length;
      killed += n;
      scores.push(`${((n / mutants.length) * 100).toFixed(0)} % of ${mutants.length} in ${job.file.split('/').at(-1)}`);
      console.log(`${job.file}: ${n} of ${mutants.length} found`);
      for (const [i, { line, was, text }] of mutants.entries())
        if (found[i] !== true)
          console.log(`  survived ${job.file}:${line}  ${was.replaceAll(/\s+/g, ' ').slice(0, 100)}  ->  ${text === '' ? '(nothing)' : text}`);
    }
    console.log(
      `GOAL G18 seed=${values.seed} score ${((killed / total) * 100).toFixed(1)} %: ${killed} of ${total} changes found${values.sample === undefined ? '' : ` (drawn from ${all.length})`}; ${scores.join(', ')}`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

if (process.argv.includes('--child')) process.once('message', (job: Job) => void runJob(job));
else await main();
