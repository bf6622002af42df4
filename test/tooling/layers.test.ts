import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { checkLayers, importsOf, ladder } from '../../scripts/layers.ts';

const made: string[] = [];
afterAll(() => made.forEach((folder) => rmSync(folder, { recursive: true })));

const plant = (files: Record<string, string>): string => {
  const root = mkdtempSync(join(tmpdir(), 'layers-'));
  made.push(root);
  for (const [path, text] of Object.entries({ 'src/domain/a.ts': `import './b.ts';`, ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
};
/** Plants files and returns the broken rules, one line each. */
const rulesBrokenBy = (files: Record<string, string>): string[] => checkLayers(plant(files)).violations.map(({ from, rule }) => `${from}: ${rule}`);

describe('layer rules', () => {
  const broken: [path: string, imports: string, rule: string][] = [
    ['src/domain/x.ts', `import type { A } from '../ports/gateway.ts';`, 'domain does not import ports'],
    ['src/domain/x.ts', `import { z } from 'zod';`, 'domain is pure: no package zod'],
    ['src/bitcoin/x.ts', `import { a } from '../domain/a.ts';`, 'bitcoin does not import domain'],
    ['src/bitcoin/x.ts', `import 'hono';`, 'hono belongs to src/http'],
    ['src/providers/spec.ts', `import './kit/x.ts';`, 'spec does not import kit'],
    ['src/providers/bringin/x.ts', `import '../lsps1/x.ts';`, 'no provider imports another'],
    ['src/providers/bringin/x.ts', `import '../../gateway/place-order.ts';`, 'provider does not import gateway'],
    [
      'src/providers/bringin/x.ts',
      `import './bringin.simulator.ts';`,
      'simulators, sandboxes, dialects, conformance kits and the contract are for scripts, tests and bench',
    ],
    [
      'src/entry/compose.ts',
      `import '../contract/document.ts';`,
      'simulators, sandboxes, dialects, conformance kits and the contract are for scripts, tests and bench',
    ],
    [
      'src/entry/compose.ts',
      `import '../providers/bringin/bringin.simulator.ts';`,
      'simulators, sandboxes, dialects, conformance kits and the contract are for scripts, tests and bench',
    ],
    [
      'src/providers/bringin/index.ts',
      `import './bringin.sandbox.ts';`,
      'simulators, sandboxes, dialects, conformance kits and the contract are for scripts, tests and bench',
    ],
    [
      'src/providers/bringin/index.ts',
      `import type { A } from '../kit/kind.dialects.ts';`,
      'simulators, sandboxes, dialects, conformance kits and the contract are for scripts, tests and bench',
    ],
    ['src/providers/bringin/bringin.sandbox.ts', `import '../../gateway/place-order.ts';`, 'provider does not import gateway'],
    ['src/providers/bringin/bringin.simulator.ts', `import '../lsps1/lsps1.simulator.ts';`, 'no provider imports another'],
    ['src/gateway/x.ts', `export * from '../store/order-store.ts';`, 'gateway does not import store'],
    ['src/gateway/x.ts', `const m = () => import('../http/app.ts');`, 'gateway does not import http'],
    ['src/gateway/x.ts', `import opossum from 'opossum';`, 'opossum belongs to src/resilience'],
    ['src/gateway/x.ts', `import retry from 'p-retry';`, 'p-retry belongs to src/resilience'],
    ['src/http/x.ts', `import { request } from 'undici';`, 'undici belongs to src/entry'],
    ['src/http/x.ts', `import '../store/order-store.ts';`, 'http does not import store'],
    ['src/http/x.ts', `import '../entry/compose.ts';`, 'nobody imports entry'],
    ['src/http/x.ts', `import { readFileSync } from 'node:fs';`, 'node:fs belongs to src/entry'],
    ['src/http/x.ts', `import { readFile } from 'fs/promises';`, 'node:fs/promises belongs to src/entry'],
    ['src/store/x.ts', `import { placeOrder } from '../gateway/place-order.ts';`, 'store does not import gateway'],
    ['src/resilience/x.ts', `import '../gateway/place-order.ts';`, 'resilience does not import gateway'],
    ['src/log/x.ts', `import '../../test/support/postgres.ts';`, 'product code does not import scripts, test or bench'],
    ['src/log/x.ts', `import './x.test.ts';`, 'nobody imports a test'],
    ['src/entry/x.ts', `import '../../packages/client/src/a.ts';`, 'a package is imported by its name'],
    ['packages/client/src/x.ts', `import '../../checkout/src/a.ts';`, 'a package is imported by its name'],
    ['packages/client/src/x.ts', `import '../../../src/gateway/problem.ts';`, 'a package imports its own files, src/domain and src/bitcoin'],
    ['src/gateway/pricing/x.ts', `import type { A } from '../ordering/a.ts';`, 'gateway/pricing does not import gateway/ordering'],
    ['src/gateway/upstream/x.ts', `import '../deliveries/a.ts';`, 'gateway/upstream does not import gateway/deliveries'],
    ['src/gateway/sessions/x.ts', `import '../run-scheduled.ts';`, 'gateway/sessions does not import gateway/run-scheduled.ts'],
    ['src/gateway/places.ts', `import './problem.ts';`, 'gateway/places.ts does not import gateway/problem.ts'],
    ['src/gateway/receive-notice.ts', `import './ordering/a.ts';`, 'gateway/receive-notice.ts does not import gateway/ordering'],
    ['src/gateway/misc/x.ts', `import '../problem.ts';`, 'gateway/misc has no floor: add it to the ladder in scripts/layers.ts'],
    ['src/gateway/pricing/x.ts', `import '../misc/a.ts';`, 'gateway/misc has no floor: add it to the ladder in scripts/layers.ts'],
    ['src/utils/x.ts', `import '../domain/a.ts';`, 'src/utils is not a known room: add it to scripts/layers.ts'],
  ];
  it.each(broken)('%s with %s', (path, text, rule) => {
    expect(rulesBrokenBy({ [path]: text })).toEqual([`${path}: ${rule}`]);
  });

  const kept: [path: string, imports: string][] = [
    ['src/providers/bringin/x.ts', `import '../kit/x.ts'; import '../spec.ts'; import './y.ts'; import { z } from 'zod';`],
    ['src/providers/bringin/bringin.test.ts', `import './bringin.simulator.ts'; import '../../../test/support/x.ts'; import 'node:fs';`],
    ['src/providers/bringin/bringin.simulator.ts', `import '../kit/faults.simulator.ts'; import 'node:http';`],
    ['src/providers/registry.gen.ts', `import './bringin/index.ts';`],
    ['src/gateway/ordering/x.ts', `import './y.ts'; import '../pricing/a.ts'; import '../problem.ts'; import '../../ports/gateway.ts';`],
    ['src/gateway/run-scheduled.ts', `import './ordering/a.ts'; import './receive-notice.ts';`],
    ['src/store/x.ts', `import { eq } from 'drizzle-orm/pg-core';`],
    ['src/resilience/x.ts', `import opossum from 'opossum'; import '../providers/fault.ts';`],
    ['src/entry/node.ts', `import 'node:fs'; import 'undici'; import './compose.ts'; import '../http/app.ts';`],
    ['scripts/start.ts', `import '../src/entry/compose.ts'; import '../src/providers/bringin/bringin.simulator.ts';`],
    ['src/http/x.ts', `// import { x } from 'undici';\nconst text = "import 'undici'";`],
  ];
  it.each(kept)('allows %s with %s', (path, text) => {
    expect(rulesBrokenBy({ [path]: text })).toEqual([]);
  });

  const circlesIn = (files: Record<string, string>): string[][] => checkLayers(plant(files)).circles.map((circle) => circle.toSorted());
  it('finds an import cycle, even one of types alone', () => {
    const files = {
      'src/domain/b.ts': `import type { C } from './c.ts'; import './leaf.ts';`,
      'src/domain/c.ts': `export type { A } from './a.ts'; import './d.ts';`,
      'src/domain/d.ts': `import './leaf.ts';`,
      'src/domain/leaf.ts': '',
    };
    expect(circlesIn(files)).toEqual([['src/domain/a.ts', 'src/domain/b.ts', 'src/domain/c.ts']]);
  });
  it('finds two circles that meet nowhere, and a file that imports itself', () => {
    const files = {
      'src/log/a.ts': `import './b.ts';`,
      'src/log/b.ts': `const a = () => import('./a.ts');`,
      'src/seal/a.ts': `import type { B } from './b.ts';`,
      'src/seal/b.ts': `import type { A } from './a.ts';`,
      'src/store/a.ts': `import type { A } from './a.ts';`,
    };
    expect(circlesIn(files)).toEqual([['src/log/a.ts', 'src/log/b.ts'], ['src/seal/a.ts', 'src/seal/b.ts'], ['src/store/a.ts']]);
  });
  it('calls no circle what two files import, nor what tests do', () => {
    const files = {
      'src/domain/b.ts': `import './c.ts'; import './d.ts';`,
      'src/domain/c.ts': `import './d.ts';`,
      'src/domain/d.ts': '',
      'test/x.ts': `import './y.ts';`,
      'test/y.ts': `import './x.ts';`,
    };
    expect(circlesIn(files)).toEqual([]);
  });

  it('fails when it looked at nothing', () => {
    const empty = mkdtempSync(join(tmpdir(), 'layers-'));
    made.push(empty);
    expect(() => checkLayers(empty)).toThrow('nothing was checked');
  });

  it('refuses a file it cannot read', () => {
    expect(() => importsOf('x.ts', 'import {')).toThrow('x.ts:');
  });

  it('sees this repository', () => {
    const seen = checkLayers(fileURLToPath(new URL('../..', import.meta.url)));
    expect(seen.modules).toBeGreaterThan(20);
    expect(seen.imports).toBeGreaterThan(seen.modules);
    expect(seen.circles).toEqual([]);
    // The ladder must name everything in src/gateway: otherwise no rule would apply to a room that was renamed.
    expect(ladder.flat().toSorted()).toEqual(
      readdirSync(new URL('../../src/gateway', import.meta.url))
        .filter((name) => !name.endsWith('.test.ts'))
        .toSorted(),
    );
  });
});
