/**
 * `npm run test:chaos`: runs the fault suites with CI's numbers, and prints each goal of the reliability page as `passed`, `short by …` or
 * `not run here (why)`, with its figure and seed. CHAOS_SEED repeats a run. `-- --full` runs the goals' full numbers and the nightly suites,
 * `-- --write` puts the output into docs/reliability.md, `-- G5 G6` runs some goals.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

type Suite = {
  file: string;
  /** The goals that the suite is about. If there are none, the suite has no line in the result, but must still pass. */
  goals: string[];
  count?: number;
  fullCount?: number;
  /** Makes the figure from the output of a suite that prints no figure itself. */
  figure?: (output: string) => string;
  /** The command to run instead of vitest, if the file is not a test. */
  command?: (whole: boolean) => string[];
};

/** Makes the figure of the suite that sends the same requests to every runtime: how many tests passed, and the known differences. */
const conformance = (output: string): string => {
  const tests = /Tests\s+(\d+) passed/.exec(output)?.[1] ?? 'no';
  const rows = [...readFileSync('test/runtime/differences.md', 'utf8').matchAll(/^\| `([^`]+)` \|/gm)].map(([, row]) => row);
  return `${tests} comparisons of one list of requests on Node, on the image's bundle and on workerd: all equal, but the ${rows.length} rows of test/runtime/differences.md (${rows.join('; ')})`;
};
const full = process.argv.includes('--full');
const chosen = process.argv.slice(2).filter((word) => /^G\d+$/.test(word));
const seed = process.env['CHAOS_SEED'] ?? String(Math.floor(Math.random() * 2 ** 31));

/** The suites. `count` is how much a suite does in a usual run, and `fullCount` how much it does with `--full`, which is what the goals demand. */
const suites: Suite[] = [
  { file: 'test/fuzz/requests.test.ts', goals: ['G5'], count: 100_000, fullCount: 1_000_000 },
  { file: 'test/fuzz/provider-answers', goals: ['G6'], count: 200_000, fullCount: 200_000 },
  { file: 'test/security/bola.test.ts', goals: ['G9'] },
  { file: 'test/security/ssrf.test.ts', goals: ['G10'] },
  { file: 'test/security/canary', goals: ['G11'] },
  { file: 'test/security/slowloris.test.ts', goals: ['G15'] },
  { file: 'test/chaos/crash-points', goals: ['G3'] },
  { file: 'test/chaos/kill-loop.test.ts', goals: ['G1', 'G2'], count: 2_500, fullCount: 10_000 },
  { file: 'test/chaos/history', goals: ['G4'], count: 1_000, fullCount: 50_000 },
  { file: 'test/chaos/outbox.test.ts', goals: ['G7', 'G8'], count: 10_000, fullCount: 10_000 },
  { file: 'test/chaos/providers.test.ts', goals: ['G12', 'G13'], count: 100, fullCount: 1_000 },
  { file: 'test/chaos/overload.long.test.ts', goals: ['G14'] },
  { file: 'test/chaos/soak.long.test.ts', goals: ['G16'], count: 60, fullCount: 1_800 },
  { file: 'test/chaos/rotation.long.test.ts', goals: ['G17'] },
  { file: 'test/chaos/rolling.long.test.ts', goals: ['G19'] },
  { file: 'test/chaos/database.long.test.ts', goals: ['G21'] },
  { file: 'test/runtime/runtimes.test.ts', goals: ['G20'], figure: conformance },
  { file: 'test/runtime/bad-settings.test.ts', goals: [] },
  { file: 'test/runtime/two-instances.test.ts', goals: [] },
  {
    file: 'scripts/mutate.ts',
    goals: ['G18'],
    command: (whole) => ['node', '--no-warnings', 'scripts/mutate.ts', ...(whole ? [] : ['--sample', '40', '--seed', seed])],
  },
];

const titles: Record<string, string> = {
  G1: 'orders under kill -9, lost answers, late commits, each profile, DFX, Blocktank',
  G2: 'the same with several instances on one database',
  G3: 'every crash point, each profile, each provider kind',
  G4: 'seeded fault plans on a fake clock, each profile, DFX, Blocktank',
  G5: 'fuzzed requests on every endpoint',
  G6: 'fuzzed provider answers',
  G7: 'webhooks over a receiver outage',
  G8: 'outbox worker killed',
  G9: 'BOLA matrix',
  G10: 'SSRF table and rebinding',
  G11: 'canary secrets',
  G12: 'quotes with black-holed and dripping providers',
  G13: 'breaker',
  G14: 'overload at three times the capacity',
  G15: 'slowloris',
  G16: 'soak',
  G17: 'key rotation during traffic',
  G18: 'mutation score on the money modules',
  G19: 'SIGTERM and rolling restart under load',
  G20: 'conformance on Node and on workerd',
  G21: 'PostgreSQL restarted, crashed, read-only, locked, slow, under three ramps',
};

/** Goals whose suites run in full only at night, by these commands. Otherwise a suite's short form runs, and its figure is printed. */
const nightly: Record<string, string> = { G16: 'npm run test:chaos:full', G18: 'npm run test:mutation' };

/** Goals that demand a count. `form` finds the count in the figure. `wanted` is the full count; if `ci` is set, that count is enough in CI. */
const counted: Record<string, { form: RegExp; what: string; ci?: number; wanted: number }> = {
  G1: { form: /(\d+) placings/g, what: 'placings', ci: 10_000, wanted: 40_000 },
  G2: { form: /(\d+) placings/g, what: 'placings', ci: 2_500, wanted: 10_000 },
  G4: { form: /(\d+) seeds/g, what: 'seeds', ci: 1_000, wanted: 50_000 },
  G5: { form: /(\d+) requests/g, what: 'requests', ci: 100_000, wanted: 1_000_000 },
  G6: { form: /(\d+) answers of/g, what: 'answers', wanted: 200_000 },
  G8: { form: /(\d+) events/g, what: 'events', wanted: 10_000 },
  G15: { form: /(\d+) sockets/g, what: 'sockets', wanted: 500 },
};

/** Checks limits on a figure, in addition to the suite's own assertions. Returns by how much the figure falls short, or undefined. */
const shortfall = (goal: string, figure: string): string | undefined => {
  const number = (form: RegExp): number => Number(form.exec(figure)?.[1] ?? Number.NaN);
  const over = (value: number, most: number, what: string): string | undefined => (value <= most ? undefined : `${what} ${value}, wanted at most ${most}`);
  if (goal === 'G5' && figure.includes('gateway alone')) return over(number(/: \+?(-?\d+) MB/), 49, 'MB of growth');
  if (goal === 'G14') return over(Math.max(number(/order p99 \d+ ms, ([\d.]+) x/), number(/status p99 \d+ ms, ([\d.]+) x/)), 2, 'times unloaded');
  if (goal === 'G15') return over(number(/at most ([\d.]+) s/), 15, 'seconds of the longest socket');
  if (goal === 'G18' && full) return number(/score ([\d.]+) %/) >= 85 ? undefined : `a score of ${number(/score ([\d.]+) %/)} %, wanted 85 %`;
  if (goal === 'G16' && full) {
    const [took, rate] = [number(/^(\d+) s/), number(/at (\d+) requests/)];
    // In half an hour, 10 kB/s are 18 MB.
    const [heap, rss] = [number(/heap [^,]+, growing by (-?[\d.]+) kB/), number(/RSS \d+ MB, growing by (-?[\d.]+) kB/)];
    if (took >= 1800 && rate >= 500) return over(heap, 10, 'kB/s of growth of the heap') ?? over(rss, 10, 'kB/s of growth of the RSS');
    return `${Math.max(0, 1800 - took)} s of 1800 and ${Math.max(0, 500 - rate)} requests/s of 500`;
  }
  return undefined;
};

/** Returns the verdict on a suite that passed. */
const verdict = (goal: string, figure: string): string => {
  const command = nightly[goal];
  if (command !== undefined && !full) return `not run here (nightly: ${command}); its short form: ${figure}`;
  const short = shortfall(goal, figure);
  if (short !== undefined) return `short by ${short}; ${figure}`;
  const count = counted[goal];
  if (!count) return `passed: ${figure}`;
  const { form, what, ci, wanted } = count;
  const had = [...figure.matchAll(form)].reduce((sum, [, n]) => sum + Number(n), 0);
  if (had >= wanted) return `passed: ${figure}`;
  if (ci !== undefined && had >= ci) return `passed (CI's number; the full ${wanted} by test:chaos:full): ${figure}`;
  return `short by ${(ci ?? wanted) - had} ${what} of ${ci ?? wanted} (0 violations in those made); ${figure}`;
};

const run = async ({ file, count, fullCount, command }: Suite): Promise<{ passed: boolean; output: string; seconds: number }> => {
  const size = full ? fullCount : count;
  const started = Date.now();
  const [name = '', ...words] = command?.(full) ?? ['npx', 'vitest', 'run', '--project', 'node', '--testTimeout', '3600000', file];
  const child = spawn(name, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CHAOS: 'full', CHAOS_SEED: seed, NO_COLOR: '1', ...(size === undefined ? {} : { CHAOS_COUNT: String(size) }) },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { passed: code === 0, output, seconds: (Date.now() - started) / 1000 };
};

/** Returns which tests of a suite failed, and the first finding that the output shows. */
const reasonOf = (output: string): string => {
  const lines = output.split('\n').map((line) => line.trim());
  const failed = [...new Set(lines.flatMap((line) => /^FAIL .*? > (.*)$/.exec(line)?.[1] ?? []))];
  const finding = lines.find((line) => /^\+ {2,}".{20}/.test(line))?.replace(/^\+\s*/, '');
  // What to show if the run ended before any test ran, or failed outside the tests.
  const broken = lines.find((line) => /^(?:\w*Error:|No test files found|Error: )/.test(line)) ?? lines.findLast((line) => line !== '') ?? 'no output';
  if (failed.length === 0) return `its suite: it ended with ${broken.slice(0, 200)}`;
  return `${failed.length} tests: ${failed.join(' | ')}${finding === undefined ? '' : `; first finding ${finding.slice(0, 160)}`}`;
};

const results = new Map<string, string>();
for (const suite of suites.filter(({ goals }) => chosen.length === 0 || goals.some((goal) => chosen.includes(goal)))) {
  const { passed, output, seconds } = await run(suite);
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${suite.file} (${seconds.toFixed(1)} s)`);
  if (!passed) {
    console.log(output.slice(-6_000));
    process.exitCode = 1;
  }
  for (const goal of suite.goals) {
    const told = [...output.matchAll(new RegExp(`GOAL ${goal} seed=(\\d+) (.*)$`, 'gm'))];
    const ran = told.map(([, of]) => of).join(' and ') || seed;
    const figure = told.length === 0 ? (suite.figure?.(output) ?? 'its tests') : told.map(([, , text]) => text).join('; ');
    // Searches only at the start of a line, because a failed test also shows its source, which may contain these words.
    if (/^NOT RUN, needs PostgreSQL: /m.test(output)) results.set(goal, 'not run here (no PostgreSQL)');
    else results.set(goal, `${passed ? verdict(goal, figure) : `short by ${reasonOf(output)}`}; seed ${ran}`);
  }
}

const lines = Object.entries(titles).map(([goal, title]) => `${goal.padEnd(3)} ${title}: ${results.get(goal) ?? 'not run here (not chosen)'}`);
const [cpu] = cpus();
const head = `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus().length} x ${cpu?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, seed ${seed}, \`npm run test:chaos${full ? ':full' : ''}\``;
console.log(`\n${head}\n${lines.join('\n')}`);
if (process.argv.includes('--write')) {
  const page = 'docs/reliability.md';
  const text = readFileSync(page, 'utf8');
  writeFileSync(page, text.replace(/<!-- run -->[\s\S]*<!-- \/run -->/, `<!-- run -->\n${head}\n\n\`\`\`text\n${lines.join('\n')}\n\`\`\`\n<!-- /run -->`));
}
if (lines.some((line) => line.includes(': short by'))) process.exitCode = 1;
