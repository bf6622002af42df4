/** Lists the examples that the document should have, and checks an example against the document. */
import { problemNameOf, type Examples } from '../../src/contract/document.ts';
import { problemsOf } from '../../src/contract/operation-problems.ts';
import type { ProblemCode } from '../../src/gateway/problem.ts';
import { endpoints } from '../../src/http/endpoints.ts';
import { problems } from '../../src/http/problem.ts';
import { webhookEvents } from '../../src/contract/webhooks.ts';
import { answerFaults, bodyFaultsOf, eventFaults, operationAt } from './document-check.ts';

/** Returns a name for every good response of every operation: the operation's id and the status. */
export const answerNames = (): string[] =>
  endpoints.flatMap(({ id, otherStatuses = {} }) => ['200', ...Object.keys(otherStatuses)].map((status) => `${id} ${status}`));
/** Returns the id of every operation that takes a body. */
export const requestNames = (): string[] => endpoints.flatMap(({ id, body }) => (body ? [id] : []));
export const webhookNames = (): string[] => Object.keys(webhookEvents);
/** Returns the code of every problem that an operation lists. */
export const problemCodes = (): string[] => [...new Set(endpoints.flatMap((endpoint) => [...problemsOf(endpoint)]))].toSorted();

/** Members that only problems of prices and orders have, and that differ by ramp. */
const ofRamp = ['limits', 'excluded', 'refused', 'failed', 'offers', 'connect_to'];

export const nameOfExample = ({ method, path, status, body }: { method: string; path: string; status: number; body: unknown }): string | undefined => {
  const id = operationAt(method, path)?.operationId;
  const endpoint = endpoints.find((one) => one.id === id);
  if (!endpoint) return undefined;
  if (typeof body !== 'object' || body === null || !('code' in body && 'type' in body)) return `${endpoint.id} ${status}`;
  return ofRamp.some((member) => member in body) ? `${problemNameOf(endpoint)}.${String(body.code)}` : String(body.code);
};

export const exampleFaults = (part: keyof Examples, name: string, value: unknown): string[] => {
  if (part === 'requests') return bodyFaultsOf(name, value);
  if (part === 'webhooks') return eventFaults(name, value);
  const [id = '', status] = name.split(' ');
  if (status !== undefined) return answerFaults(id, Number(status), 'application/json', value);
  const [schema = '', code = schema] = name.split('.');
  const listing = endpoints.filter((one) => problemsOf(one).has(code as ProblemCode) && (code === schema || problemNameOf(one) === schema));
  if (listing.length === 0) return [`no operation lists ${name}`];
  return listing.flatMap((one) => answerFaults(one.id, problems[code as ProblemCode].status, 'application/problem+json', value)).slice(0, 3);
};
