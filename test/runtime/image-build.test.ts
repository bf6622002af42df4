import { expect, it } from 'vitest';
import { isSent } from './image-build.ts';

it.each([
  ['src/entry/node.ts', true],
  ['src/entry/node.test.ts', false],
  ['src/providers/lsps1/lsps1.simulator.ts', false],
  ['README.md', false],
  ['docs/wallet.md', true],
  ['docs/decisions/one.md', false],
])('what Docker sends: %s %s', (path, sent) => expect(isSent(path, '**\n!src\n!docs/*.md\n**/*.test.ts\nsrc/**/*.simulator*.ts\n')).toBe(sent));
