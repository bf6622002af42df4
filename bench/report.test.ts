import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { withSection } from './report.ts';

it('replaces the section of one part and nothing else', () => {
  const page = 'before\n\n<!-- bench a -->\n\nold\n\n<!-- /bench a -->\n\n<!-- bench b -->\n\nb\n\n<!-- /bench b -->\n';
  expect(withSection(page, 'a', '$& new')).toBe(page.replace('old', () => '$& new'));
  expect(() => withSection(page, 'c', 'new')).toThrow('there is no section <!-- bench c -->');
});

it('every part has a section, so that a long run can write what it found', () => {
  const [, parts = ''] = /const parts: [^=]*= \{ ([^}]*) \};/.exec(readFileSync('bench/run.ts', 'utf8')) ?? [];
  const page = readFileSync('bench/README.md', 'utf8');
  const names = parts.split(', ');
  expect(names).toContain('providers');
  for (const name of [...names, 'operator']) expect(withSection(page, name, 'new')).toContain('new');
  const sizing = readFileSync('docs/operations.md', 'utf8');
  for (const name of ['providers', 'memory', 'orders', 'deliveries', 'worker']) expect(withSection(sizing, name, 'new')).toContain('new');
});
