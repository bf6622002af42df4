import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { expect, it } from 'vitest';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { root } from './runtimes.ts';

type Rule = { alert: string; expr: string; labels: { severity: string }; annotations: { summary: string } };
const rules = (parse(readFileSync(join(root, 'docs/alerts.yml'), 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
const gauges = [...readFileSync(join(root, 'src/entry/database-gauges.ts'), 'utf8').matchAll(/name: '(\w+)'/g)].map(([, name]) => `ramp_${name}`);
const counted = [
  ...createMetrics()
    .render()
    .matchAll(/^# TYPE (\w+)/gm),
].map(([, name]) => name);

it('every rule asks for metrics that there are, and says what to do', () => {
  const asked = rules.flatMap(({ expr }) => [...expr.matchAll(/\bramp_\w+/g)].map(([name]) => name.replace(/_bucket$/, '')));
  expect(asked.filter((name) => !counted.includes(name) && !gauges.includes(name))).toEqual([]);
  expect(gauges.filter((name) => !asked.includes(name))).toEqual([]);
  expect(rules.length).toBe(22);
  expect(rules.filter((rule) => !['page', 'warn'].includes(rule.labels.severity) || rule.annotations.summary.length < 20)).toEqual([]);
});
