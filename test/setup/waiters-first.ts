/**
 * Sorts the test files: those that wait longest (for clocks or processes) start first, so that others run meanwhile and no slow file is left at the
 * end.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Roughly the slowest files first. Files that compute (processes, workerd) are between files that only wait, and files that measure latency come
 * last. Files that are not named here follow in Vitest's own sequence.
 */
const waiters = [
  'test/worker-http/sell-and-liquidity',
  'test/runtime/bad-settings',
  'test/http/paid-then-failed',
  'packages/checkout/test/buy',
  'test/worker-http/pages',
  'test/worker-http/purchase',
  'test/worker-http/reference',
  'test/docs/sandbox',
  'test/security/slowloris',
  'test/runtime/runtimes',
  'test/tooling/new-provider',
  'test/chaos/crash-points',
  'test/chaos/outbox',
  'test/http/sell-orders',
  'test/chaos/history',
  'test/runtime/two-instances',
  'test/http/liquidity-orders',
  'test/http/sell-connections',
  'test/runtime/bad-start',
  'test/ops/restored',
  'test/chaos/kill-loop',
  'test/http/orders',
  'test/chaos/providers',
  'test/ops/order',
  'test/runtime/doctor',
  'src/entry/database-node',
  'src/outbound/drain',
  'src/providers/bitrefill/bitrefill',
].map((name) => `/${name}.test.ts`);

export class WaitersFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => rankOf(a) - rankOf(b));
  }
}

/** A worker that changes projects is a new process. So the files that run inside workerd come last, which are many and short: no worker ends early. */
const rankOf = ({ moduleId, project }: TestSpecification): number => {
  if (project.name === 'workerd') return waiters.length + 1;
  const rank = waiters.findIndex((waiter) => moduleId.endsWith(waiter));
  return rank < 0 ? waiters.length : rank;
};
