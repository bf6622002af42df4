/** One run of the conformance kit: how it asks, how it judges refusals, and how it describes an answer to people. */
import type { ConformanceParts, ConformanceRun } from '../kit/kind.conformance.ts';
import type { Exchange } from '../kit/kind.dialects.ts';
import { listingBytes } from '../kit/request-json.ts';
import { bodyOf, isObject, shown, type Body, type Endpoint, type Listed, type Members } from './fiat-on-ramp.conformance-answers.ts';
import { createTally, type CheckId, type Tally } from './fiat-on-ramp.conformance-checks.ts';

/** Thrown with the reason when a run cannot go on. */
export class Ended extends Error {}

export type Answered = { exchange: Exchange; body: Body | undefined };
/** One run: its parts, its results so far, and the functions that make its requests. */
export type Run = ConformanceParts & {
  tally: Tally;
  /** Calls an endpoint. `sent` is the body of a POST, or the query of a GET. */
  ask: (endpoint: Endpoint, sent?: Members, method?: 'GET' | 'POST') => Promise<Answered>;
  /** Records a flaw if a request that must be refused is accepted. `isAccepted` says whether an answer with status 200 accepts it. */
  mustRefuse: (id: CheckId, what: string, ask: Promise<Answered>, isAccepted: (value: Members) => boolean) => Promise<void>;
  run: ConformanceRun;
};
export type Session = { id: string; token: string | undefined };
/** A listed option, and the server's quote for it. */
export type Priced = { listed: Listed; quote: Members };

/** Recognises a fault by its shape, because a bundled command has its own copy of the class ProviderFault. */
const faultKind = (fault: unknown): string | undefined =>
  fault instanceof Error && 'kind' in fault && typeof fault.kind === 'string' ? fault.kind : undefined;

/** After this many calls without an answer, the run ends: nobody should wait for forty time-outs. */
const mostSilent = 3;

export const newRun = (parts: ConformanceParts): Run => {
  const tally = createTally();
  const run: ConformanceRun = { checks: [], priced: false, orders: [], exchanges: [], learnt: {} };
  const ask: Run['ask'] = async (endpoint, sent, method = sent === undefined ? 'GET' : 'POST') => {
    const query = method === 'GET' && sent !== undefined ? `?${new URLSearchParams(sent as Record<string, string>).toString()}` : '';
    const url = `${parts.base}${parts.paths[endpoint] ?? `/${endpoint}`}${query}`;
    const body = method === 'GET' ? undefined : JSON.stringify(sent);
    const began = parts.now();
    const exchange: Exchange = {
      method,
      path: new URL(url).pathname,
      status: 0,
      text: '',
      ms: 0,
      ...(body === undefined ? {} : { sent: body }),
    };
    run.exchanges.push(exchange);
    try {
      const answer = await parts.http({
        method: exchange.method,
        url,
        headers: { accept: 'application/json', 'accept-encoding': 'identity', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(parts.stepMs),
        maxBytes: listingBytes,
      });
      const { 'content-type': type, location } = answer.headers;
      const goal = location === undefined ? undefined : URL.parse(location, url);
      Object.assign(exchange, { status: answer.status, text: new TextDecoder().decode(answer.body) }, type === undefined ? {} : { type });
      if (goal) exchange.location = `${goal.origin}${goal.pathname}`;
    } catch (fault) {
      const kind = faultKind(fault);
      if (kind === undefined) throw fault;
      exchange.text = kind;
    }
    exchange.ms = parts.now() - began;
    if (run.exchanges.filter((one) => one.status === 0).length >= mostSilent)
      throw new Ended(`the server stopped answering: ${told({ exchange, body: undefined })}`);
    const answered = { exchange, body: bodyOf(exchange) };
    judgeTransport(tally, answered);
    return answered;
  };
  const mustRefuse: Run['mustRefuse'] = async (id, what, asked, isAccepted) => {
    const answered = await asked;
    const { status } = answered.exchange;
    if (status === 0) return tally.broken(id, `${what}: ${told(answered)}`);
    const value = answered.body?.value;
    if (status === 200 && isObject(value) && isAccepted(value)) return tally.broken(id, `${what}: ${told(answered)}, although the request was wrong`);
    tally.held(id);
    judgeRefusal(tally, answered, what);
  };
  return { ...parts, tally, ask, mustRefuse, run };
};

const judgeTransport = (tally: Tally, answered: Answered): void => {
  const { status, type } = answered.exchange;
  if (status === 429) throw new Ended('the server answered 429, so it limits the number of requests. Run the check again later');
  if (status >= 300 && status < 400) return tally.broken('transport-status', told(answered));
  if (status === 0 || status >= 400) return;
  tally.judge('transport-status', status === 200, told(answered));
  tally.judge('transport-json', answered.body !== undefined && /^application\/(?:[\w.+-]+\+)?json\b/i.test(type ?? ''), told(answered));
};

/** Judges the form of a refusal. The standard does not say which refusal belongs to which mistake. */
export const judgeRefusal = (tally: Tally, answered: Answered, what: string): void => {
  const { status } = answered.exchange;
  if (status < 300) return tally.broken('refusal-status', `${what}: ${told(answered)}`);
  tally.held('refusal-status');
  const isForm = status >= 400 && status < 500 && isObject(answered.body?.value);
  tally.judge('refusal-form', isForm, `${what}: ${told(answered)}`);
};

export const isGood = (answered: Answered): answered is Answered & { body: Body } => answered.exchange.status === 200 && isObject(answered.body?.value);
export const valueOf = (answered: Answered): Members => (isObject(answered.body?.value) ? answered.body.value : {});

const excerptOf = ({ exchange, body }: Answered): string => {
  if (body === undefined) return exchange.text === '' ? ', empty' : ', not JSON';
  if (typeof body.value === 'string') return `, the string “${shown(body.value)}”`;
  if (!isObject(body.value)) return Array.isArray(body.value) ? ', a list' : `, ${String(body.value)}`;
  const { detail, message, error, title } = body.value;
  const said = [detail, message, error, title].find((one) => typeof one === 'string');
  return typeof said === 'string'
    ? `, “${shown(said)}”`
    : Object.keys(body.value).length === 0
      ? ', {}'
      : `, with ${Object.keys(body.value)
          .slice(0, 6)
          .map((key) => shown(key, 24))
          .join(', ')}`;
};
/**
 * Describes an answer to people. Hides what looks like a UUID or a long token or key in the answer's content type, its body, and a redirect's path.
 */
export const told = (answered: Answered): string => {
  const { method, path, status, type, location, text } = answered.exchange;
  if (status === 0) return `${method} ${path} got no answer (${text})`;
  const kind = type === undefined ? 'no content type' : shown(type.split(';')[0] ?? '', 40);
  return `${method} ${path} answered ${status} (${kind})${
    location === undefined
      ? excerptOf(answered)
      : `, a redirect to ${location
          .split('/')
          .map((part) => shown(part))
          .join('/')}`
  }`;
};

export const askQuote = async (run: Run, session: Session, { currencyId, id }: Listed, amount: Members): Promise<Answered> =>
  await run.ask('quote', { session_id: session.id, ...amount, currency_id: currencyId, payment_option_id: id });
