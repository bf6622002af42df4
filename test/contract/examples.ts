/** Which examples the document should have, and whether one is as the document says. */
import { problemsOf } from '../../src/contract/operation-problems.ts';
import { endpoints } from '../../src/http/endpoints.ts';
import { problems } from '../../src/http/problem.ts';
import { answerFaults, operationAt } from './document-check.ts';

/** Every answer of every operation, and every problem that an operation lists. */
export const exampleNames = (): string[] => [
  ...endpoints.flatMap(({ id, otherStatuses = {} }) => ['200', ...Object.keys(otherStatuses)].map((status) => `${id} ${status}`)),
  ...[...new Set(endpoints.flatMap((endpoint) => [...problemsOf(endpoint)]))].toSorted(),
];

export const nameOfExample = ({ method, path, status, body }: { method: string; path: string; status: number; body: unknown }): string | undefined => {
  const operation = operationAt(method, path);
  if (!operation) return undefined;
  const code = typeof body === 'object' && body !== null && 'code' in body && 'type' in body ? String(body.code) : undefined;
  return code ?? `${operation.operationId} ${status}`;
};

/** Of a problem: by an operation that lists it, since those of prices say more. */
export const exampleFaults = (name: string, value: unknown): string[] => {
  const [id, status] = name.split(' ');
  if (status !== undefined) return answerFaults(id ?? '', Number(status), 'application/json', value);
  const code = name as keyof typeof problems;
  const listing = endpoints.filter((endpoint) => problemsOf(endpoint).has(code));
  const faults = listing.map((endpoint) => answerFaults(endpoint.id, problems[code].status, 'application/problem+json', value));
  return faults.find((one) => one.length === 0) ?? faults[0] ?? [`no operation lists ${name}`];
};
