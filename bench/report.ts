/**
 * The table of `npm run bench`. Each part has a section of its own in bench/README.md, between `<!-- bench PART -->` and `<!-- /bench PART -->`. The
 * part's sentences about sizing are in docs/operations.md, between the same marks.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { root, type Figures } from './children.ts';

export type Report = {
  say: (text?: string) => void;
  row: (name: string, figures: Figures, more?: string) => void;
  atLeast: (name: string, value: number, goal: number) => void;
  atMost: (name: string, value: number, goal: number) => void;
  /** Reports a sentence for docs/operations.md. */
  sizing: (text: string) => void;
};

const places = (value: number): number => (Math.abs(value) >= 20 ? 0 : 2);

/** Prints what a part reports, and keeps it. */
export const createReport = () => {
  const lines: string[] = [];
  const sizing: string[] = [];
  const say = (text = ''): void => {
    lines.push(text.trimEnd());
    process.stdout.write(`${text.trimEnd()}\n`);
  };
  const goal = (name: string, value: number, isReached: boolean, wanted: string): void =>
    say(`${name.padEnd(72)} ${value.toFixed(places(value)).padStart(7)}  ${isReached ? 'reached' : 'short'} (goal ${wanted})`);
  const report: Report = {
    say,
    row: (name, one, more = '') =>
      say(
        `${name.padEnd(38)} ${one.perSecond.toFixed(0).padStart(6)}/s  p50 ${one.p50.toFixed(1).padStart(6)} ms  p99 ${one.p99.toFixed(1).padStart(7)} ms  cpu ${one.cpuUs.toFixed(0).padStart(5)} µs  ${more}${one.failed > 0 ? `  FAILED ${one.failed}` : ''}`,
      ),
    atLeast: (name, value, wanted) => goal(name, value, value >= wanted, `≥ ${wanted}`),
    atMost: (name, value, wanted) => goal(name, value, value <= wanted, `≤ ${wanted}`),
    sizing: (text) => void sizing.push(text),
  };
  return { report, lines, sizing };
};

/** Says where the figures come from. `database`: the version of PostgreSQL. */
export const headline = (database: string, command: string): string => {
  const [cpu] = cpus();
  const machine = `${cpus().length} × ${cpu?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${new Date().toISOString().slice(0, 10)}, ${machine}, load average ${loadavg()[0]?.toFixed(1)} before, Node ${process.versions.node}, PostgreSQL ${database}, \`${command}\``;
};

/** Returns the page with a part's section replaced. */
export const withSection = (page: string, part: string, text: string): string => {
  const section = new RegExp(`<!-- bench ${part} -->[\\s\\S]*<!-- /bench ${part} -->`);
  if (!section.test(page)) throw new Error(`there is no section <!-- bench ${part} -->`);
  return page.replace(section, () => `<!-- bench ${part} -->\n\n${text}\n\n<!-- /bench ${part} -->`);
};
const replace = (file: string, part: string, text: string): void => {
  const path = join(root, file);
  writeFileSync(path, withSection(readFileSync(path, 'utf8'), part, text));
};

/** Writes the section of a part into the pages. */
export const writeSection = (part: string, head: string, { lines, sizing }: { lines: string[]; sizing: string[] }): void => {
  replace('bench/README.md', part, `${head}\n\n\`\`\`text\n${lines.join('\n').trim()}\n\`\`\``);
  if (sizing.length > 0) replace('docs/operations.md', part, sizing.map((text) => `- ${text}`).join('\n'));
};
