/**
 * Sorts the test files: those that wait longest (for clocks or processes) start first, so that others run meanwhile and no slow file is left at the
 * end.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The projects in the sequence in which they run. A worker runs only files of one project, and the files of workerd have to wait for it to start. */
const projects = ['node', 'workerd'];
/**
 * Roughly the slowest files first. Files that compute (processes, workerd) are between files that only wait, and files that measure latency come
 * last. Files that are not named here follow in Vitest's own sequence.
 */
const waiters = [
  'test/worker-http/sell-and-liquidity',
  'test/worker-http/purchase',
  'test/worker-http/reference',
  'test/security/slowloris',
  'test/runtime/bad-settings',
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
    return sorted.toSorted((a, b) => projectOf(a) - projectOf(b) || rankOf(a) - rankOf(b));
  }
}

const projectOf = ({ project }: TestSpecification): number => projects.indexOf(project.name);
const rankOf = ({ moduleId }: TestSpecification): number => {
  const rank = waiters.findIndex((waiter) => moduleId.endsWith(waiter));
  return rank < 0 ? waiters.length : rank;
};
