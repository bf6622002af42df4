import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { afterAll, describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/entry/metrics.ts';
import { startTestGateway } from '../support/gateway.ts';
import { alertCases } from './alert-cases.ts';
import { root } from './runtimes.ts';

type Rule = { alert: string; expr: string; labels: { severity: string }; annotations: { summary: string } };
const file = join(root, 'docs/alerts.yml');
const rules = (parse(readFileSync(file, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
const gauges = [...readFileSync(join(root, 'src/entry/database-gauges.ts'), 'utf8').matchAll(/(?:one\(\s*|name: )'(\w+)'/g)].map(([, name]) => `ramp_${name}`);

it('every rule asks for metrics that there are, and says what to do', async () => {
  const counted = [...(await createMetrics({ providers: [], routes: [], feeds: [] }).render()).matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name);
  const asked = rules.flatMap(({ expr }) => [...expr.matchAll(/\bramp_\w+/g)].map(([name]) => name.replace(/_bucket$/, '')));
  expect(asked.filter((name) => !counted.includes(name) && !gauges.includes(name))).toEqual([]);
  expect(rules.filter((rule) => !['page', 'warn'].includes(rule.labels.severity) || rule.annotations.summary.length < 20)).toEqual([]);
  expect(Object.keys(alertCases).sort()).toEqual(rules.map(({ alert }) => alert).sort());
});

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

describe.skipIf(!hasPromtool)('promtool', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ramp-alerts-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const promtool = (args: string[], input?: string): string =>
    execFileSync('promtool', args, { encoding: 'utf8', ...(input === undefined ? {} : { input }), stdio: ['pipe', 'pipe', 'pipe'] });

  it('finds no mistake in the rules', () => {
    expect(promtool(['check', 'rules', file])).toContain(`${rules.length} rules found`);
  });

  it('finds no mistake in the configuration of the profile "observability"', () => {
    expect(promtool(['check', 'config', '--syntax-only', join(root, 'docs/prometheus.yml')])).toContain('SUCCESS');
  });

  it('finds no mistake in GET /metrics, apart from the two old names in milliseconds', async () => {
    const gateway = await startTestGateway({ alpine: { simulator: {} } });
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    await gateway.close();
    const current = text
      .split('\n')
      .filter((line) => !/\bramp_\w+_ms(?:_|\b)/.test(line))
      .join('\n');
    expect(promtool(['check', 'metrics'], current)).toBe('');
  });

  it.each(rules)('$alert fires in its case, and not in another', ({ alert, labels, annotations }) => {
    const known = alertCases[alert];
    if (!known) throw new Error('no case');
    const summary = annotations.summary.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => known.labels?.[name] ?? '');
    const test = (series: { [series: string]: string }, fires: boolean) => ({
      interval: '1m',
      input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
      alert_rule_test: [
        {
          eval_time: `${known.at}m`,
          alertname: alert,
          exp_alerts: fires ? [{ exp_labels: { ...labels, ...known.labels }, exp_annotations: { summary } }] : [],
        },
      ],
    });
    const path = join(folder, `${alert}.yml`);
    writeFileSync(path, stringify({ rule_files: [file], evaluation_interval: '1m', tests: [test(known.fires, true), test(known.silent, false)] }));
    promtool(['test', 'rules', path]);
  });
});
