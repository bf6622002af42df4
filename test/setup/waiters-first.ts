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
  'test/docs/sandbox',
  'packages/checkout/test/buy',
  'test/http/paid-then-failed',
  'test/docs/documents',
  'packages/client/test/killed',
  'test/worker-http/sell-and-liquidity',
  'test/security/slowloris',
  'test/worker-http/reference',
  'test/worker-http/pushed-payouts',
  'test/worker-http/purchase',
  'test/chaos/crash-points',
  'packages/client/test/previous-release',
  'test/runtime/ramp',
  'test/runtime/bad-settings',
  'test/chaos/outbox',
  'test/runtime/two-instances',
  'test/http/sell-orders',
  'test/tooling/new-provider',
  'test/runtime/npm-start',
  'test/runtime/runtimes',
  'test/chaos/history',
  'packages/client/test/sell-and-liquidity',
  'test/runtime/pgbouncer',
  'test/http/liquidity-orders',
  'packages/console/test/console',
  'test/http/sell-connections',
  'test/tooling/ramps',
  'packages/checkout/test/embed',
  'test/runtime/bad-start',
  'test/ops/restored',
  'test/chaos/kill-loop',
  'test/http/orders',
  'test/chaos/providers',
  'test/ops/order',
  'test/runtime/doctor',
  'packages/client/test/hermes',
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

/**
 * A worker that changes projects becomes a new process. So the files that run inside workerd come last. They are many and short, so that no worker
 * ends early.
 */
const rankOf = ({ moduleId, project }: TestSpecification): number => {
  if (project.name === 'workerd') return waiters.length + 1;
  const rank = waiters.findIndex((waiter) => moduleId.endsWith(waiter));
  return rank < 0 ? waiters.length : rank;
};
