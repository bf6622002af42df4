/**
 * What every adapter owes the gateway, as data. Each verb has a good request and response, from which the bad responses are made. `violations` runs a
 * verb's cases against an adapter and names the cases that fail, so that tests can show that a mutant adapter fails.
 */
import { isDeepStrictEqual } from 'node:util';
import { ProviderFault } from '../../src/providers/fault.ts';
import type { AdapterDeps, CallContext, HttpRequest, HttpResponse } from '../../src/providers/spec.ts';

type Json = Record<string, unknown>;

/**
 * Runs a suite of mutants on Node only. Mutants show that the suite's cases can fail, which does not depend on the runtime. The adapters
 * themselves run all of the cases inside workerd too.
 */
export const onNodeOnly = (suite: () => void): void => {
  if (navigator.userAgent !== 'Cloudflare-Workers') suite();
};
export type Verb<A> = {
  name: string;
  call: (adapter: A, context: CallContext) => Promise<unknown>;
  /** The provider's good response. */
  reply: unknown;
  sent: { method: string; path: string; body?: unknown };
  /** Good responses to the verb's other calls, by path. The cases change only the response to `sent`. */
  others?: Record<string, unknown>;
  returned: unknown;
  /** Members that the reply needs. */
  required: string[];
  /** Members that may be missing or null. */
  optional: string[];
  /** The reply's money members. `believed` says whether the gateway would accept the returned value in spite of a lie in one of them. */
  money?: { fields: string[]; believed: (value: unknown) => boolean };
  /** What a JSON string with HTTP 200 means: a refusal, a malformed response, or an empty list (`none`). */
  stringReply: 'refusal' | 'malformed' | 'none';
  /** What each 4xx means: `refusal`, `none` (an empty list), or a kind of fault. */
  clientErrors: Partial<Record<number, string>>;
};
export type Subject<A> = { create: (deps: AdapterDeps) => A; deps: Partial<AdapterDeps>; context: Partial<CallContext>; baseUrl: string };
type Result = { value?: unknown; fault?: ProviderFault; defect?: unknown; requests: HttpRequest[] };
export type Case<A> = { name: string; violates: (subject: Subject<A>) => Promise<string | undefined> };

const json = (body: unknown, status = 200, headers: Record<string, string> = {}): HttpResponse => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body)),
});

type Given = HttpResponse | ProviderFault | 'silence';

const run = async <A>(subject: Subject<A>, verb: Verb<A>, given: Given, signal = new AbortController().signal): Promise<Result> => {
  const requests: HttpRequest[] = [];
  const deps: AdapterDeps = {
    providerId: 'subject',
    http: (request) => {
      requests.push(request);
      const other = Object.entries(verb.others ?? {}).find(([path]) => request.url === subject.baseUrl + path);
      const answer = other ? json(other[1]) : given;
      if (request.signal.aborted) return Promise.reject(aborted());
      if (answer === 'silence') return new Promise((_, fail) => request.signal.addEventListener('abort', () => fail(aborted())));
      return answer instanceof ProviderFault ? Promise.reject(answer) : Promise.resolve(answer);
    },
    now: () => Date.UTC(2026, 10, 21, 10, 15),
    newId: () => '72614b08-f884-479e-8a90-b13495afd5d9',
    log: () => undefined,
    network: 'regtest',
    mode: 'sandbox',
    secret: () => undefined,
    ...subject.deps,
  };
  try {
    return { value: await verb.call(subject.create(deps), { signal, requestId: 'req_contract', ...subject.context }), requests };
  } catch (error) {
    return error instanceof ProviderFault ? { fault: error, requests } : { defect: error, requests };
  }
};

const aborted = (): ProviderFault => new ProviderFault('timeout', 'aborted');

const isRefusal = (value: unknown): boolean => typeof value === 'object' && value !== null && 'ok' in value && value.ok === false;
const isNone = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'value' in value && Array.isArray(value.value) && value.value.length === 0;
const told = (result: Result): string =>
  result.fault
    ? `fault ${result.fault.kind}`
    : result.defect === undefined
      ? (JSON.stringify(result.value, (_, v: unknown) => (typeof v === 'bigint' ? v.toString() : v)) ?? 'nothing')
      : `defect ${result.defect instanceof Error ? result.defect.message : 'unknown'}`;

/** Changes a reply, or each row of a reply that is a list. */
const inEach = (reply: unknown, change: (row: Json) => Json): unknown =>
  Array.isArray(reply) ? reply.map((row) => change(row as Json)) : change(reply as Json);
const without = (reply: unknown, field: string): unknown => Object.fromEntries(Object.entries(reply as Json).filter(([name]) => name !== field));
const withField = (reply: unknown, field: string, value: unknown): unknown => ({ ...(reply as Json), [field]: value });

export const casesOf = <A>(verb: Verb<A>): Case<A>[] => {
  const one = (name: string, answer: HttpResponse | ProviderFault, judge: (result: Result) => boolean): Case<A> => ({
    name: `${verb.name}: ${name}`,
    violates: async (subject) => {
      const result = await run(subject, verb, answer);
      return result.defect === undefined && judge(result) ? undefined : told(result);
    },
  });
  const fault = (kind: string) => (result: Result) => result.fault?.kind === kind;
  const good = (result: Result) => isDeepStrictEqual(result.value, verb.returned);
  const asString = { refusal: (result: Result) => isRefusal(result.value), malformed: fault('malformed'), none: (result: Result) => isNone(result.value) }[
    verb.stringReply
  ];
  const errors = Object.entries(verb.clientErrors).map(([status, kind]) =>
    one(
      `status ${status} is ${kind ?? ''}`,
      json({ detail: 'no' }, Number(status)),
      kind === 'refusal' ? (result) => isRefusal(result.value) : kind === 'none' ? (result) => isNone(result.value) : fault(kind ?? ''),
    ),
  );
  const lies = (verb.money?.fields ?? []).flatMap((field) =>
    [-1, 0, 1e18, 0.5, 'NaN', '1e5', true].map((lie) =>
      one(
        `the lie ${JSON.stringify(lie)} in ${field} is not believed`,
        json(withField(verb.reply, field, lie)),
        (result) => result.fault !== undefined || isRefusal(result.value) || (result.value !== undefined && verb.money?.believed(result.value) === false),
      ),
    ),
  );
  return [
    one('good', json(verb.reply), good),
    {
      name: `${verb.name}: sends exactly`,
      violates: async (subject) => {
        const { requests } = await run(subject, verb, json(verb.reply));
        const request = requests.find(({ url }) => !Object.keys(verb.others ?? {}).some((path) => url === subject.baseUrl + path));
        const expected = { method: verb.sent.method, url: subject.baseUrl + verb.sent.path, body: verb.sent.body };
        const actual = { method: request?.method, url: request?.url, body: request?.body === undefined ? undefined : (JSON.parse(request.body) as unknown) };
        return isDeepStrictEqual(actual, expected) ? undefined : JSON.stringify(actual);
      },
    },
    one('unknown keys are ignored', json(inEach(verb.reply, (row) => ({ ...row, something_new: { a: [1] }, vendor: 'x' }))), good),
    one(
      'keys that reach a prototype are dropped',
      json(JSON.stringify(inEach(verb.reply, (row) => ({ ...row, ['__proto__ ']: { polluted: true } }))).replaceAll('"__proto__ "', '"__proto__"')),
      (result) => good(result) && !Object.hasOwn(Object.prototype, 'polluted'),
    ),
    ...verb.required.flatMap((field) => [
      one(
        `without ${field}`,
        json(without(verb.reply, field)),
        (result) => result.fault?.kind === 'malformed' || isRefusal(result.value) || isNone(result.value),
      ),
      one(
        `${field} of another type`,
        json(withField(verb.reply, field, { odd: true })),
        (result) => result.fault?.kind === 'malformed' || isRefusal(result.value) || isNone(result.value),
      ),
    ]),
    ...verb.optional.flatMap((field) => [
      one(`without the optional ${field}`, json(without(verb.reply, field)), (result) => result.value !== undefined && !isRefusal(result.value)),
      one(`null for the optional ${field}`, json(withField(verb.reply, field, null)), (result) => result.value !== undefined && !isRefusal(result.value)),
    ]),
    ...lies,
    ...errors,
    one('HTML under 200', json('<html>', 200, { 'content-type': 'text/html' }), fault('malformed')),
    one('truncated JSON', json('{"a":'), fault('malformed')),
    one('an empty body', json('', 204), fault('malformed')),
    one('invalid UTF-8', { ...json(''), body: Uint8Array.from([0x22, 0xff, 0x22]) }, fault('malformed')),
    one('nested beyond reason', json(`{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`), fault('malformed')),
    one('a string under 200', json('"Something went wrong"'), asString),
    one('a number under 200', json('5'), fault('malformed')),
    one('null under 200', json('null'), (result) => result.fault?.kind === 'malformed' || isNone(result.value)),
    one('an empty array under 200', json('[]'), (result) => result.fault?.kind === 'malformed' || isNone(result.value)),
    one(
      "the provider's own words stay out of a fault",
      json({ detail: 'its-own-words' }, 500),
      (result) => result.fault !== undefined && !`${result.fault.message}${String(result.fault.cause)}`.includes('its-own-words'),
    ),
    one('a body beyond the cap', new ProviderFault('malformed', 'over the cap'), fault('malformed')),
    one('500', json({}, 500), (result) => result.fault?.kind === 'server' && !result.fault.retryable),
    one('503', json({}, 503), (result) => result.fault?.kind === 'server' && result.fault.retryable),
    one(
      '429 with Retry-After',
      json({}, 429, { 'retry-after': '7' }),
      (result) => result.fault?.kind === 'rate-limited' && result.fault.retryAfterMs === 7000 && result.fault.taken === 'no',
    ),
    one(
      'a redirect is not followed',
      json({}, 307, { location: 'https://elsewhere.example/' }),
      (result) => result.fault?.kind === 'malformed' && result.requests.every((request) => !request.url.includes('elsewhere')),
    ),
    one('a time-out passes through', new ProviderFault('timeout', 'late'), (result) => result.fault?.kind === 'timeout' && result.fault.taken === 'maybe'),
    one(
      'what never left stays so',
      new ProviderFault('unreachable', 'refused', { taken: 'no' }),
      (result) => result.fault?.kind === 'unreachable' && result.fault.taken === 'no',
    ),
    one('caps the bytes', json(verb.reply), (result) => result.requests.length > 0 && result.requests.every((request) => request.maxBytes <= 262_144)),
    {
      name: `${verb.name}: hands its abort on`,
      violates: async (subject) => {
        const gone = new AbortController();
        gone.abort();
        const result = await run(subject, verb, json(verb.reply), gone.signal);
        return result.fault?.kind === 'timeout' ? undefined : told(result);
      },
    },
    {
      name: `${verb.name}: ends with its abort while the provider is silent`,
      violates: async (subject) => {
        const gone = new AbortController();
        const running = run(subject, verb, 'silence', gone.signal);
        setTimeout(() => gone.abort(), 1);
        const result = await Promise.race([running, new Promise<undefined>((done) => setTimeout(() => done(undefined), 400))]);
        if (result === undefined) return 'still waiting';
        return result.fault?.kind === 'timeout' ? undefined : told(result);
      },
    },
  ];
};

/** Returns the names of the cases that an adapter breaks. */
export const violations = async <A>(subject: Subject<A>, verb: Verb<A>): Promise<string[]> => {
  const broken: string[] = [];
  for (const one of casesOf(verb)) {
    const how = await one.violates(subject);
    if (how !== undefined) broken.push(`${one.name}: ${how}`);
  }
  return broken;
};
