/**
 * `npm run test:chaos`: runs the fault suites with the numbers that fit here and prints each goal of the reliability page as `passed`,
 * `short by …` or `not run here (why)`, with its figure and seed. CHAOS_SEED repeats a run; `-- --full` runs the long numbers, `-- --write`
 * puts the output into docs/reliability.md.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

type Suite = {
  file: string;
  goals: string[];
  count?: number;
  fullCount?: number;
  /** The figure of a suite that prints none itself, from its output. */
  figure?: (output: string) => string;
};

/** The list that every runtime answers, row by row: a test each for what is expected and for what is compared with Node. */
const conformance = (output: string): string => {
  const tests = /Tests\s+(\d+) passed/.exec(output)?.[1] ?? 'no';
  const rows = [...readFileSync('test/runtime/differences.md', 'utf8').matchAll(/^\| `([^`]+)` \|/gm)].map(([, row]) => row);
  return `${tests} comparisons of one list of requests on Node, on the image's bundle and on workerd: all equal, but the ${rows.length} rows of test/runtime/differences.md (${rows.join('; ')})`;
};
const full = process.argv.includes('--full');
const seed = process.env['CHAOS_SEED'] ?? String(Math.floor(Math.random() * 2 ** 31));

/** What each run is asked for; the full numbers are the goals' own. */
const suites: Suite[] = [
  { file: 'test/fuzz/requests.test.ts', goals: ['G5'], count: 20_000, fullCount: 1_000_000 },
  { file: 'test/fuzz/provider-answers.test.ts', goals: ['G6'], count: 4_000, fullCount: 200_000 },
  { file: 'test/security/bola.test.ts', goals: ['G9'] },
  { file: 'test/security/ssrf.test.ts', goals: ['G10'] },
  { file: 'test/security/canary', goals: ['G11'] },
  { file: 'test/security/slowloris.test.ts', goals: ['G15'] },
  { file: 'test/chaos/crash-points', goals: ['G3'] },
  { file: 'test/chaos/kill-loop.test.ts', goals: ['G1', 'G2'], count: 100, fullCount: 10_000 },
  { file: 'test/chaos/history', goals: ['G4'], count: 1_000, fullCount: 50_000 },
  { file: 'test/chaos/outbox.test.ts', goals: ['G7', 'G8'], count: 10_000, fullCount: 10_000 },
  { file: 'test/chaos/providers.test.ts', goals: ['G12', 'G13'], count: 100, fullCount: 1_000 },
  { file: 'test/chaos/overload.long.test.ts', goals: ['G14'] },
  { file: 'test/chaos/soak.long.test.ts', goals: ['G16'], count: 60, fullCount: 1_800 },
  { file: 'test/chaos/rotation.long.test.ts', goals: ['G17'] },
  { file: 'test/chaos/rolling.long.test.ts', goals: ['G19'] },
  { file: 'test/runtime/runtimes.test.ts', goals: ['G20'], figure: conformance },
];

const titles: Record<string, string> = {
  G1: 'orders under kill -9, lost answers, late commits, each profile',
  G2: 'the same with several instances on one database',
  G3: 'every crash point, each profile',
  G4: 'seeded fault plans on a fake clock',
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
};

/** Goals without a suite of this command, and why. */
const notHere: Record<string, string> = { G18: 'nightly, no mutation tool is installed' };

/** Pass lines beside the suites' own assertions: what the figure must say, else how much it is short. */
const shortfall = (goal: string, figure: string): string | undefined => {
  const number = (form: RegExp): number => Number(form.exec(figure)?.[1] ?? Number.NaN);
  if (goal === 'G1' || goal === 'G2') {
    const placings = number(/(\d+) placings/);
    const wanted = goal === 'G1' ? 40_000 : 10_000;
    return placings < wanted ? `${wanted - placings} placings of ${wanted} (0 violations in those made)` : undefined;
  }
  if (goal === 'G5') {
    const requests = number(/^(\d+) requests/);
    return requests < 100_000 ? `${100_000 - requests} requests of the 100000 of CI (0 violations in those sent)` : undefined;
  }
  if (goal === 'G6') {
    const answers = number(/^(\d+) changed/);
    return answers < 200_000 ? `${200_000 - answers} answers of 200000 (0 violations in those given)` : undefined;
  }
  if (goal === 'G4') {
    const seeds = number(/^(\d+) seeds/);
    return seeds < 1000 ? `${1000 - seeds} seeds of 1000 (0 violations in those told)` : undefined;
  }
  if (goal === 'G8') {
    const events = number(/^(\d+) events/);
    return events < 10_000 ? `${10_000 - events} events of 10000 (none lost of those sent)` : undefined;
  }
  if (goal === 'G14') {
    const [order, status] = [number(/order p99 \d+ ms, ([\d.]+) x/), number(/status p99 \d+ ms, ([\d.]+) x/)];
    return order > 2 || status > 2 ? `p99 of orders ${order} x and of status ${status} x unloaded, wanted at most 2 x` : undefined;
  }
  if (goal === 'G16') {
    const [took, rate, slope] = [number(/^(\d+) s/), number(/at (\d+) requests/), number(/growing by (-?[\d.]+) kB/)];
    if (took >= 1800 && slope > 10) return `a heap that grows by ${slope} kB/s`;
    return took < 1800 || rate < 500 ? `${Math.max(0, 1800 - took)} s of 1800 and ${Math.max(0, 500 - rate)} requests/s of 500` : undefined;
  }
  if (goal === 'G15') {
    const [sockets, longest] = [number(/^(\d+) sockets/), number(/at most ([\d.]+) s/)];
    if (longest > 15) return `${(longest - 15).toFixed(1)} s: the longest socket lived ${longest} s`;
    return sockets < 500 ? `${500 - sockets} sockets of 500` : undefined;
  }
  return undefined;
};

const run = async ({ file, count, fullCount }: Suite): Promise<{ passed: boolean; output: string; seconds: number }> => {
  const size = full ? fullCount : count;
  const started = Date.now();
  const child = spawn('npx', ['vitest', 'run', '--project', 'node', '--testTimeout', '3600000', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CHAOS: 'full', CHAOS_SEED: seed, NO_COLOR: '1', ...(size === undefined ? {} : { CHAOS_COUNT: String(size) }) },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { passed: code === 0, output, seconds: (Date.now() - started) / 1000 };
};

/** Which tests of a failed suite failed, and the first finding that says something. */
const reasonOf = (output: string): string => {
  const lines = output.split('\n').map((line) => line.trim());
  const failed = [...new Set(lines.flatMap((line) => /^FAIL .*? > (.*)$/.exec(line)?.[1] ?? []))];
  const finding = lines.find((line) => /^\+ {2,}".{20}/.test(line))?.replace(/^\+\s*/, '');
  return `${failed.length} tests: ${failed.join(' | ')}${finding === undefined ? '' : `; first finding ${finding.slice(0, 160)}`}`;
};

const results = new Map<string, string>();
for (const suite of suites) {
  const { passed, output, seconds } = await run(suite);
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${suite.file} (${seconds.toFixed(1)} s)`);
  if (!passed) console.log(output.slice(-6_000));
  for (const goal of suite.goals) {
    const told = [...output.matchAll(new RegExp(`^GOAL ${goal} seed=(\\d+) (.*)$`, 'gm'))];
    const ran = told[0]?.[1];
    const figure = told.length === 0 ? undefined : told.map(([, , text]) => text).join('; ');
    const said = figure ?? suite.figure?.(output) ?? 'its tests';
    const short = passed ? shortfall(goal, said) : reasonOf(output);
    if (/NOT RUN, needs PostgreSQL/.test(output)) results.set(goal, 'not run here (no PostgreSQL)');
    else
      results.set(goal, short === undefined ? `passed: ${said}; seed ${ran ?? 'none'}` : `short by ${short}; ${passed ? `${said}; ` : ''}seed ${ran ?? seed}`);
  }
}

const lines = Object.entries(titles).map(
  ([goal, title]) => `${goal.padEnd(3)} ${title}: ${results.get(goal) ?? `not run here (${notHere[goal] ?? 'unknown'})`}`,
);
const [cpu] = cpus();
const head = `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus().length} x ${cpu?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, seed ${seed}, \`npm run test:chaos${full ? ':full' : ''}\``;
console.log(`\n${head}\n${lines.join('\n')}`);
if (process.argv.includes('--write')) {
  const page = 'docs/reliability.md';
  const text = readFileSync(page, 'utf8');
  writeFileSync(page, text.replace(/<!-- run -->[\s\S]*<!-- \/run -->/, `<!-- run -->\n${head}\n\n\`\`\`text\n${lines.join('\n')}\n\`\`\`\n<!-- /run -->`));
}
if (lines.some((line) => line.includes(': short by'))) process.exitCode = 1;
