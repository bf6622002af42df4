/** Makes the report of a conformance run: as JSON for machines, and as Markdown for people, in which a provider's words are plain text. */
import type { Conformance, ConformanceCheck, ConformanceRun } from '../../src/providers/kit/kind.conformance.ts';
import { isUsable, type Checked } from './check-provider.ts';

export type Verdict = 'conforms' | 'deviates' | 'incomplete';
export type ConformanceReport = {
  format: 'ramp-gateway conformance 1';
  standard: string;
  source: string;
  /** The URL prefix of the standard's paths. */
  base: string;
  on: string;
  verdict: Verdict;
  /** Whether the run was allowed to make an order, for the checks that need one. */
  ordered: boolean;
  counts: { held: number; deviations: number; advice: number; not_tried: number };
  checks: ConformanceCheck[];
  orders: string[];
  calls: { count: number; slowest_ms: number };
  /** Whether ramp-gateway can use this server today, and the server's block for providers.config.yaml. */
  gateway: { usable: boolean; because: string[]; block: string };
};
export type ReportParts = {
  kit: Conformance;
  run: ConformanceRun;
  checked: Checked;
  base: string;
  /** The server's block for providers.config.yaml. */
  block: string;
  ordered: boolean;
  on: number;
};

const verdictOf = ({ checks, priced, exchanges }: ConformanceRun): Verdict => {
  if (exchanges.every((one) => one.status === 0)) return 'incomplete';
  if (checks.some((one) => one.outcome === 'deviation')) return 'deviates';
  // Without a price, most checks saw nothing, so the report makes no claim about them.
  return priced ? 'conforms' : 'incomplete';
};

export const makeReport = ({ kit, run, checked, base, block, ordered, on }: ReportParts): ConformanceReport => {
  const count = (outcome: ConformanceCheck['outcome']): number => run.checks.filter((one) => one.outcome === outcome).length;
  return {
    format: 'ramp-gateway conformance 1',
    standard: kit.standard,
    source: kit.source,
    base,
    on: new Date(on).toISOString(),
    verdict: verdictOf(run),
    ordered,
    counts: { held: count('held'), deviations: count('deviation'), advice: count('advice'), not_tried: count('not-tried') },
    checks: run.checks,
    orders: run.orders,
    calls: { count: run.exchanges.length, slowest_ms: Math.max(0, ...run.exchanges.map((one) => one.ms)) },
    gateway: {
      usable: isUsable(checked),
      because: [...checked.blockers, ...checked.steps.filter((step) => step.startsWith('stopped: '))],
      block,
    },
  };
};

const verdictText = ({ verdict, ordered, counts, gateway }: ConformanceReport): string => {
  const part = ordered ? '' : ' Only calls that make no order were tried; `--order` also makes an order.';
  const priced = gateway.usable ? '' : ' ramp-gateway cannot use this server as it is: see below.';
  if (verdict === 'conforms') return `**No deviation** in ${counts.held} checks.${part}${priced}`;
  if (verdict === 'deviates') return `**${counts.deviations} ${counts.deviations === 1 ? 'deviation' : 'deviations'}** from the standard.${part}${priced}`;
  return `**Incomplete**: no price was seen, so most of the standard was not checked.${part}${priced}`;
};

/** Escapes text so that no Markdown renderer makes a link, picture, HTML or table cell of it. */
const plain = (text: string): string =>
  text
    .replaceAll(/[\\`*[\]<>|&!]/g, (character) => `&#${character.codePointAt(0) ?? 32};`)
    .replaceAll('://', ':&#47;&#47;')
    .replaceAll(/www\./gi, 'www&#46;')
    .replaceAll(/\s+/g, ' ');

const table = (title: string, checks: readonly ConformanceCheck[]): string[] => {
  if (checks.length === 0) return [];
  const rows = checks.flatMap((one) => one.seen.map(({ what, clause }) => `| ${one.endpoint} | ${plain(one.title)} | ${plain(what)} | ${plain(clause)} |`));
  return ['', `## ${title}`, '', '| Endpoint | Wanted | Seen | Clause |', '|---|---|---|---|', ...rows];
};

export const toMarkdown = (report: ConformanceReport): string => {
  const of = (outcome: ConformanceCheck['outcome']): ConformanceCheck[] => report.checks.filter((one) => one.outcome === outcome);
  const { gateway, calls, orders } = report;
  const list = (title: string, items: readonly string[]): string[] => (items.length === 0 ? [] : ['', `## ${title}`, '', ...items.map((item) => `- ${item}`)]);
  return `${[
    `# ${report.standard}: ${plain(report.base)}`,
    '',
    `${report.on}, ${calls.count} calls, the slowest ${calls.slowest_ms} ms. The standard: ${report.source}`,
    '',
    verdictText(report),
    ...(orders.length === 0 ? [] : ['', `Orders made, which must not be paid: ${orders.map(plain).join(', ')}`]),
    ...table('Deviations', of('deviation')),
    ...table('Advice', of('advice')),
    ...list(
      'Held',
      of('held').map((one) => `${one.endpoint}: ${plain(one.title)}`),
    ),
    ...list(
      'Not tried',
      of('not-tried').map((one) => `${one.endpoint}: ${plain(one.title)} (${plain(one.because ?? '')})`),
    ),
    '',
    '## In a ramp-gateway',
    '',
    gateway.usable ? 'Works with this block:' : `Cannot be used yet: ${gateway.because.map(plain).join('; ')}. What was learnt so far:`,
    '',
    '```yaml',
    gateway.block.trimEnd(),
    '```',
  ].join('\n')}\n`;
};
