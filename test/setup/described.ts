/**
 * Checks every request that a test sends to a gateway by `fetch`, and its response, against the OpenAPI document: requests that were served, the
 * status, the headers, the members of the schema (no others are allowed), and the problem codes of the operation. The compiler finds most mistakes;
 * answers.ts fails the test for what the compiler cannot see (an extra member, stored bytes). This file is loaded once per process, because making
 * the document takes longer than most files' tests. RECORD_EXCHANGES names a file to which all of this is written, for the document's examples.
 */
import { appendFileSync } from 'node:fs';
import { expect } from 'vitest';
import { problemsOf } from '../../src/contract/operation-problems.ts';
import type { ProblemCode } from '../../src/gateway/problem.ts';
import { endpoints } from '../../src/http/endpoints.ts';
import { problems } from '../../src/http/problem.ts';
import { checkExchange, webhookFaults, type Exchange } from '../contract/document-check.ts';

const listed = new Map(endpoints.map((endpoint) => [endpoint.id, problemsOf(endpoint)]));
const isProblem = (body: unknown): body is { code: ProblemCode } => typeof body === 'object' && body !== null && 'code' in body && 'type' in body;

/** Returns what is wrong with a request and its response. Returns nothing for a path that the document does not describe. */
export const wrongWith = (exchange: Exchange): string[] => {
  const checked = checkExchange(exchange);
  if (!checked) return [];
  const { body, status } = exchange;
  if (isProblem(body)) {
    if (listed.get(checked.operationId)?.has(body.code) === false) checked.wrong.push(`${body.code} is not listed`);
    else if (problems[body.code].status !== status) checked.wrong.push(`${body.code} came as ${status}`);
  }
  return checked.wrong;
};

const readJson = async (response: Response): Promise<unknown> => {
  if (!/json/.test(response.headers.get('content-type') ?? '')) return undefined;
  // If a body is cut off, only the test itself can say whether that is right.
  return await response
    .clone()
    .json()
    .catch(() => undefined);
};
const sentJson = (body: unknown): unknown => {
  try {
    return typeof body === 'string' ? (JSON.parse(body) as unknown) : undefined;
  } catch {
    return undefined;
  }
};

const watched =
  (send: typeof fetch, wrong: Set<string>): typeof fetch =>
  async (input, init) => {
    const response = await send(input, init);
    // Only a gateway has this header in its responses.
    if (!response.headers.has('x-request-id')) return response;
    const given = input instanceof Request ? input : undefined;
    const exchange: Exchange = {
      method: init?.method ?? given?.method ?? 'GET',
      path: new URL(input instanceof Request ? input.url : input).pathname,
      request: { headers: new Headers(init?.headers ?? given?.headers), body: sentJson(init?.body) },
      status: response.status,
      headers: response.headers,
      body: await readJson(response),
    };
    if (exchange.method !== 'HEAD') for (const one of wrongWith(exchange)) wrong.add(`${exchange.method} ${exchange.path} ${exchange.status} ${one}`);
    record(exchange);
    return response;
  };

const recording = process.env['RECORD_EXCHANGES'];
const record = ({ method, path, request, status, body }: Exchange): void => {
  if (body !== undefined) keep({ method, path, request: request.body, status, body });
};
const keep = (what: object): void => {
  if (recording === undefined) return;
  const { currentTestName: test, testPath: file } = expect.getState();
  let line: string;
  try {
    line = JSON.stringify({ ...what, file, test });
  } catch {
    return; // nested too deeply, which is no example
  }
  appendFileSync(recording, `${line}\n`);
};

const wrong = new Set<string>();
globalThis.fetch = watched(globalThis.fetch, wrong);

/** Checks a request that a wallet's receiver got against the document, if the request is a webhook. */
export const watchWebhook = (headers: Parameters<typeof webhookFaults>[0], text: string): void => {
  if (headers['webhook-id'] === undefined) return;
  for (const one of webhookFaults(headers, text)) wrong.add(one);
  keep({ webhook: JSON.parse(text) as unknown });
};

/** Returns what was found wrong since this function was last called. */
export const takeWrong = (): string[] => {
  const found = [...wrong];
  wrong.clear();
  return found;
};
