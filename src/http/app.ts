import { Hono, type Context } from 'hono';
import { errorPlace, errorText } from '../domain/error-text.ts';
import { networkOf } from '../domain/network.ts';
import { Problem } from '../gateway/problem.ts';
import { refuseLostKey } from '../gateway/refuse-lost-key.ts';
import { refreshSwitches } from '../gateway/switches.ts';
import type { Gateway } from '../ports/gateway.ts';
import type { Scope } from '../ports/scope.ts';
import { Sent, type AnswerHeaders, type Call, type Endpoint, type Reply } from './call.ts';
import { endpoints } from './endpoints.ts';
import { areWithin, countersFor, enforceLimits } from './limiter.ts';
import { isConsoleHost, isForOperators, isServedHere } from './console-host.ts';
import { corsHeaders, preflight } from './cors.ts';
import { deprecationHeaders } from './deprecation.ts';
import { appOf, refuseExposedKey } from './known-app.ts';
import { validate, type OptionList } from './validate.ts';
import { takePlace, type InProgress } from './in-progress.ts';
import { problemResponse, problems } from './problem.ts';
import { readBody } from './read-body.ts';
import { noticeRoute } from './notices/receive.ts';
import { isStorageDown } from '../ports/storage-down.ts';
import type { AppOptions } from './platform.ts';

const pagePaths = ['/openapi.json', '/docs', '/docs/*', '/buy', '/console', '/assets/*'];

/**
 * Builds the app, with every path that the gateway serves. A request to an endpoint goes through `serve` to the endpoint's own file, and ends in an
 * answer or a problem.
 */
export const createApp = (options: AppOptions, served: readonly Endpoint[] = endpoints): Hono => {
  const app = new Hono();
  const progress: InProgress = { total: 0, of: new Map() };
  const methods = new Map<string, string[]>();
  app.use(async (c, next) => (isServedHere(c.req.raw, c.req.path, options.http) ? await next() : await notFound(c, options)));
  for (const endpoint of served) {
    const lifecycle = endpoint.deprecated && deprecationHeaders(endpoint.deprecated);
    app.on(endpoint.method, endpoint.path, (c) => serve(c, { endpoint, lifecycle }, options, progress));
    methods.set(endpoint.path, [...(methods.get(endpoint.path) ?? []), endpoint.method.toUpperCase()]);
  }
  app.get('/metrics', async (c) => await marked(c, options, await options.metrics(c)));
  app.post('/notices/*', (c) => noticeRoute(c, options));
  for (const path of pagePaths)
    app.get(path, async (c) => {
      const page = await options.pages(c.req.raw);
      return page ? await marked(c, options, page) : await notFound(c, options);
    });
  // Sends people who open the address in a browser to the documentation or, on the console's own host, to the console.
  app.get('/', async (c) =>
    /\btext\/html\b/.test(c.req.header('accept') ?? '')
      ? await marked(c, options, new Response(null, { status: 302, headers: { location: isConsoleHost(c.req.raw, options.http) ? '/console' : '/docs' } }))
      : await notFound(c, options),
  );
  for (const path of ['/metrics', ...pagePaths]) methods.set(path, ['GET']);
  for (const [path, allowed] of methods) app.all(path, (c) => methodNotAllowed(c, allowed, options));
  app.notFound((c) => notFound(c, options));
  app.onError(async (error, c) => await fail(error, c, options));
  return app;
};

const requestIdOf = (c: Context, gateway: Gateway): string => {
  const given = c.req.header('x-request-id');
  return given !== undefined && /^[\w.-]{8,64}$/.test(given) ? given : `req_${gateway.ids.uuid()}`;
};

const baseHeaders = (c: Context, requestId: string, options: AppOptions): AnswerHeaders => {
  const headers: AnswerHeaders = { 'x-request-id': requestId, 'cache-control': 'no-store' };
  // No page of another site may read what operators see, and no browser may guess a different content type.
  if (isForOperators(c.req.raw, c.req.path, options.http))
    Object.assign(headers, { 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'same-origin' });
  else Object.assign(headers, corsHeaders(c.req.raw, options.http));
  if (options.http.mode === 'sandbox') headers['x-ramp-mode'] = 'sandbox';
  return headers;
};

/** Makes the request's scope and the headers of its response, and finds out which app called. */
const begin = async (c: Context, options: AppOptions): Promise<{ scope: Scope; headers: AnswerHeaders; ip: Call['ip']; app: Call['app'] }> => {
  const { gateway, ip } = await options.platform(c);
  const requestId = requestIdOf(c, gateway);
  const traceparent = gateway.settings.traceparent ? c.req.header('traceparent') : undefined;
  const app = appOf(c.req.raw, gateway.hash, options.http);
  // A wallet's backend calls for all its customers from one address, so its calls do not count by network.
  const network = app?.isPublic === false || ip() === undefined ? undefined : networkOf(ip());
  return { scope: { gateway, requestId, traceparent, network }, headers: baseHeaders(c, requestId, options), ip, app };
};

/** Adds the common headers to an answer that is not an endpoint's. */
const marked = async (c: Context, options: AppOptions, answer: Response): Promise<Response> => {
  const { headers } = await begin(c, options);
  // A page may depend on Accept-Encoding as well as on Origin.
  const vary = [headers['vary'], answer.headers.get('vary')].filter((one) => typeof one === 'string').join(', ');
  // Copies the whole answer: on workerd, the copy then also knows whether the body is already compressed.
  const sent = new Response(answer.body, answer);
  for (const [name, value] of Object.entries(headers)) if (!sent.headers.has(name)) sent.headers.set(name, value);
  if (vary !== '') sent.headers.set('vary', vary);
  return sent;
};

type Served = { endpoint: Endpoint; lifecycle: AnswerHeaders | undefined };

const serve = async (c: Context, { endpoint, lifecycle }: Served, options: AppOptions, progress: InProgress): Promise<Response> => {
  const { scope, headers, ip, app } = await begin(c, options);
  if (lifecycle) Object.assign(headers, lifecycle);
  const { gateway, requestId } = scope;
  const started = gateway.now();
  let response: Response;
  let about: About;
  let asked: Asked = { body: {}, raw: '' };
  try {
    const caller = { network: scope.network ?? networkOf(undefined), app };
    const call: Call = {
      scope,
      gateway,
      http: options.http,
      ip,
      app,
      headers,
      request: c.req.raw,
      params: c.req.param(),
      limit: async (name, sessionHash) => await enforceLimits(options.limiter, countersFor(options.http.limits, name, caller, sessionHash), headers),
      allows: async (name, sessionHash) => await areWithin(options.limiter, countersFor(options.http.limits, name, caller, sessionHash)),
    };
    refuseExposedKey(call.request, app);
    await endpoint.guard?.(call);
    asked = await readAsked(call, endpoint);
    const reply = await run(call, endpoint, asked, progress);
    headers['content-type'] = 'application/json';
    response = new Response(reply instanceof Sent ? reply.json : JSON.stringify(reply.body), { status: statusOf(reply), headers });
    about = subjectOf(asked.body, reply instanceof Sent ? JSON.parse(reply.json) : reply.body);
  } catch (error) {
    const problem = problemOf(error, scope, endpoint.path);
    response = problemResponse(problem, requestId, headers);
    about = { code: problem.code, ...subjectOf(asked.body, problem.more.members) };
  }
  const ms = gateway.now() - started;
  gateway.count('http_requests_total', { route: endpoint.path, status: String(response.status) });
  gateway.observe('http_request_duration_seconds', { route: endpoint.path }, ms / 1000);
  gateway.log('info', 'request', {
    request_id: requestId,
    method: c.req.method,
    route: endpoint.path,
    status: response.status,
    ms,
    app: app?.id,
    ...about,
  });
  return response;
};

/** What an answer is about, for its line in the log: the order, its provider, and the code of the problem. */
type About = { order?: string; provider?: string; code?: string };

/** Returns the ramp whose options the operation names, and all options that have a number. */
const listOf = ({ gateway }: Call, { path }: Endpoint): OptionList => ({ ramp: path.startsWith('/sell/') ? 'sell' : 'buy', numbers: gateway.state.numbers });

/** A request's members, and its body as it was sent. */
type Asked = { body: Record<string, unknown>; raw: string };

const readAsked = async (call: Call, endpoint: Endpoint): Promise<Asked> => {
  if (endpoint.method === 'post') {
    const { value, text } = await readBody(call.request, call.http.bodyBytes);
    return { body: endpoint.body ? validate(endpoint.body, value, listOf(call, endpoint)) : {}, raw: text };
  }
  if (!endpoint.query) return { body: {}, raw: '' };
  return { body: validate(endpoint.query, Object.fromEntries(new URL(call.request.url).searchParams)), raw: '' };
};

// `body as never` is safe: the endpoint's own schema parsed the body, and `endpoint()` makes the handler accept what that schema returns.
const run = async (call: Call, endpoint: Endpoint, { body, raw }: Asked, progress: InProgress): Promise<Reply<unknown>> =>
  await inTime(call, async () => await admitted(call, endpoint, progress, async () => await endpoint.run(call, body as never, raw)));

const statusOf = (reply: Reply<unknown>): number => (reply instanceof Sent ? 200 : (reply.status ?? 200));

/** Finds the order that an answer or its request names, and the order's provider. */
const subjectOf = (asked: Record<string, unknown>, answered: unknown): About => {
  const { order_id: told, provider } = (answered ?? {}) as { order_id?: unknown; provider?: { id?: unknown } };
  const order = told ?? asked['order_id'];
  return { ...(typeof order === 'string' ? { order } : {}), ...(typeof provider?.id === 'string' ? { provider: provider.id } : {}) };
};

/**
 * Runs the work, and fails the request if the work takes longer than a quote, an order and a status read may take together, plus some seconds for the
 * database. The work itself goes on and keeps its slot.
 */
const inTime = async <T>({ gateway }: Call, work: () => Promise<T>): Promise<T> => {
  const { quote_deadline_ms, order_deadline_ms, status_deadline_ms } = gateway.settings.routing;
  let done: { value: T } | undefined;
  const running = (async () => void (done = { value: await work() }))();
  await gateway.waitAtMost(running, quote_deadline_ms + order_deadline_ms + status_deadline_ms + databaseMs);
  if (!done)
    throw new Problem('storage-unavailable', 'The database did not answer in time. Repeat the request: nothing will be ordered twice.', { retryAfterMs: 2000 });
  return done.value;
};
const databaseMs = 5_000;

/**
 * Runs the work in a slot. Only a request that was read in full takes a slot, so a client that sends its body slowly takes none. Requests in the lane
 * `free`, such as liveness checks, need no slot.
 */
const admitted = async <T>(call: Call, endpoint: Endpoint, progress: InProgress, work: () => Promise<T>): Promise<T> => {
  if (endpoint.lane === 'free') return await work();
  const { network } = call.scope;
  // An endpoint with a guard is only for operators. Others on the same network must not lock operators out, so requests to such an endpoint count
  // only against the limit of all requests.
  const caller = endpoint.guard ? {} : { app: call.app, ...(network ? { network } : {}) };
  const leave = takePlace(progress, caller, endpoint.lane, call.http);
  try {
    await refuseLostKey(call.gateway);
    await refreshSwitches(call.gateway);
    return await work();
  } finally {
    leave();
  }
};

const problemOf = (error: unknown, { gateway, requestId }: Scope, route: string): Problem => {
  let problem: Problem;
  if (error instanceof Problem) problem = error;
  else if (isStorageDown(error))
    problem = new Problem('storage-unavailable', 'The database did not answer. Repeat the request: nothing will be ordered twice.', {
      retryAfterMs: 2000,
      cause: error,
    });
  else problem = new Problem('internal', 'Something unexpected happened. The log of the gateway has the cause under this request id.', { cause: error });
  if (problems[problem.code].status >= 500) {
    const cause = error instanceof Problem ? error.more.cause : error;
    gateway.log(problem.code === 'internal' ? 'error' : 'warn', 'problem', {
      request_id: requestId,
      route,
      code: problem.code,
      ...(cause instanceof Error ? { error_name: cause.name, error: errorText(cause), error_at: errorPlace(cause) } : {}),
    });
  }
  return problem;
};

const methodNotAllowed = async (c: Context, allowed: string[], options: AppOptions): Promise<Response> => {
  const answer = isForOperators(c.req.raw, c.req.path, options.http) ? undefined : preflight(c.req.raw, allowed, options.http);
  if (answer) return answer;
  const { scope, headers } = await begin(c, options);
  headers['allow'] = allowed.join(', ');
  return problemResponse(new Problem('method-not-allowed', `This path accepts ${allowed.join(' and ')}.`), scope.requestId, headers);
};

const notFound = async (c: Context, options: AppOptions): Promise<Response> => {
  const answer = isForOperators(c.req.raw, c.req.path, options.http) ? undefined : preflight(c.req.raw, ['GET', 'POST'], options.http);
  if (answer) return answer;
  const { scope, headers } = await begin(c, options);
  return problemResponse(new Problem('not-found', 'There is nothing at this path. /openapi.json lists the paths of the API.'), scope.requestId, headers);
};

const fail = async (error: unknown, c: Context, options: AppOptions): Promise<Response> => {
  const { scope, headers } = await begin(c, options);
  return problemResponse(problemOf(error, scope, 'unrouted'), scope.requestId, headers);
};
