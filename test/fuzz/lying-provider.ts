/**
 * A simulated provider that changes its true responses at random, or, with a plan, tells one named lie. The same seed chooses the same changes. For
 * orders, it records what was true and what it sent.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeLnurl } from '../../src/bitcoin/lnurl.ts';
import { createFiatOnRampSimulator, type SimulatorControl, type SimulatorOptions } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { liesOfKind } from './kinds.ts';
import type { Random } from './random.ts';
import { toText } from './hostile.ts';

export type Said = { endpoint: string; asked: Record<string, unknown>; truth: unknown; status: number; text: string };
export type LyingProvider = {
  url: string;
  /** The responses to requests for an order, as the simulator made them (`truth`) and as they were sent (`text`). */
  said: Said[];
  /** The first 200 true responses, with their endpoint. Recorded only with a plan. */
  told: { endpoint: string; truth: unknown }[];
  /** The request for each quote, by the quote's true id. */
  quoted: Map<unknown, Record<string, unknown>>;
  /** The simulator that knows the truth. */
  truth: SimulatorControl;
  /** The number of all responses, and of those that differ from what the simulator said. */
  counts: { answers: number; changed: number };
  close: () => Promise<void>;
};
/** One lie in an otherwise true response: it replaces the value of the first member that is called `key`. */
export type Planned = { endpoint: string; key: string; lie: unknown };

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Returns every member in a JSON value, as its holder and key. */
export const placesOf = (value: unknown): { holder: Json; key: string }[] =>
  isObject(value)
    ? Object.keys(value).flatMap((key) => [{ holder: value, key }, ...placesOf(value[key])])
    : Array.isArray(value)
      ? value.flatMap(placesOf)
      : [];

const numbers = (old: number): unknown[] => [
  -old,
  0,
  old + 1,
  old - 1,
  old * 2,
  Math.floor(old / 2),
  Math.floor(old * 1.01),
  old + 0.5,
  old + 1e-9,
  String(old),
  `${old}.00`,
  '\u{e000}1e400\u{e000}',
  '\u{e000}9007199254740993\u{e000}',
  '\u{e000}-0\u{e000}',
  2 ** 53,
  null,
  'NaN',
];
/** Values that PostgreSQL refuses, that every object inherits, or that are in the far future. */
const unstorable = ['a\0b', '\ud800', '__proto__', '9999-12-31T23:59:59Z'];
const texts = (old: string): unknown[] => [
  '',
  ...unstorable,
  'x'.repeat(20_000),
  'USD',
  'finished',
  'refunded',
  'in_progress',
  '1970-01-01T00:00:00Z',
  '2099-12-31T23:59:59Z',
  'tomorrow',
  'https://pay.evil.example/1',
  'javascript:alert(1)',
  'http://169.254.169.254/',
  encodeLnurl('https://evil.example/lnurlw/1'),
  encodeLnurl('http://10.0.0.1/x'),
  old.toUpperCase(),
  old.slice(1),
  `${old} `,
  17,
  null,
];
const anything: unknown[] = [null, true, [], {}, [[]], { a: { b: 1 } }, '', 0, -1, '\u{e000}[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]\u{e000}'];

/** What a lie can be made of: the current time, and ids from earlier responses. */
type Known = { now: () => number; ids: readonly string[] };

const lieIn = (value: unknown, random: Random, known: Known): void => {
  const places = placesOf(value);
  if (places.length === 0) return;
  for (let i = 1 + random.below(2); i > 0; i -= 1) {
    const { holder, key } = random.pick(places);
    const old = holder[key];
    const kind = random.chance(0.6) ? liesOfKind(key, old, { now: known.now(), ids: known.ids }) : [];
    const way = random.next();
    if (kind.length > 0) holder[key] = random.pick(kind);
    else if (way < 0.12) delete holder[key];
    else if (way < 0.2) holder[random.pick(['__proto__x', 'extra', 'order_id', 'amount_sats', 'amount_btc', 'payment_url'])] = random.pick(anything);
    else if (typeof old === 'number' && way < 0.85) holder[key] = random.pick(numbers(old));
    else if (typeof old === 'string' && way < 0.85) holder[key] = random.pick(texts(old));
    else holder[key] = random.pick(anything);
  }
};

type Spoken = { status: number; headers: Record<string, string>; body: string | Uint8Array };

const speak = (truth: unknown, status: number, random: Random, known: Known): Spoken => {
  const json = { 'content-type': 'application/json' };
  const whole = { status, headers: json, body: JSON.stringify(truth) };
  const way = random.next();
  if (way < 0.35) return whole;
  if (way < 0.8) {
    const lie = structuredClone(truth);
    lieIn(lie, random, known);
    const text = toText(lie);
    // If a member appears twice, readers take the first or the last value.
    return { ...whole, body: random.chance(0.03) && text.startsWith('{"') ? `{${text.slice(1, text.indexOf(':'))}:7,${text.slice(1)}` : text };
  }
  if (way < 0.85) return { ...whole, body: whole.body.slice(0, random.below(whole.body.length + 1)) };
  if (way < 0.88) {
    const bytes = new TextEncoder().encode(whole.body);
    bytes[random.below(bytes.length)] = random.below(256);
    return { ...whole, body: bytes };
  }
  if (way < 0.91) return { ...whole, status: random.pick([201, 202, 204, 400, 401, 403, 404, 409, 410, 418, 422, 429, 500, 502, 503]) };
  if (way < 0.93) return { ...whole, headers: { 'content-type': random.pick(['text/html', 'text/plain', 'application/octet-stream', '']) } };
  if (way < 0.95) return { ...whole, body: `{"padding":"${'x'.repeat(random.pick([70_000, 300_000]))}",${whole.body.slice(1)}` };
  if (way < 0.97) return { ...whole, body: '['.repeat(50_000) };
  return { ...whole, body: random.pick(['', 'null', '[]', '"An order already exists"', '0', '{}', '{"__proto__":{"polluted":true}}', '<html></html>']) };
};

const asPlanned = (planned: Planned | undefined, endpoint: string, truth: unknown): unknown => {
  if (planned?.endpoint !== endpoint) return truth;
  const told = structuredClone(truth);
  const place = placesOf(told).find(({ key }) => key === planned.key);
  if (place) place.holder[planned.key] = planned.lie;
  else if (isObject(told)) told[planned.key] = planned.lie;
  return told;
};

/** Starts the provider. With a plan, everything that it says is true, except for the lie that the plan names. */
export const startLyingProvider = async (options: SimulatorOptions, random: Random, plan?: { lie?: Planned | undefined }): Promise<LyingProvider> => {
  const said: Said[] = [];
  const told: LyingProvider['told'] = [];
  const quoted: LyingProvider['quoted'] = new Map();
  const counts = { answers: 0, changed: 0 };
  let url = '';
  // The simulator needs no socket: its responses pass through this process anyway, to be altered.
  const { app, control } = createFiatOnRampSimulator(options, () => url);
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const endpoint = (request.url ?? '').slice(1).split('?')[0] ?? '';
    const asked = await app.request(request.url ?? '/', {
      method: request.method ?? 'GET',
      ...(request.method === 'POST' ? { body, headers: { 'content-type': 'application/json' } } : {}),
    });
    const truth: unknown = await asked.json().catch(() => null);
    // Most responses about sessions and listings are true: otherwise most rounds would end before their first price.
    const honest = random.chance({ verify: 0.8, session: 0.8, 'payment-options': 0.75 }[endpoint] ?? 0);
    const spoken = plan
      ? { status: asked.status, headers: { 'content-type': 'application/json' }, body: toText(asPlanned(plan.lie, endpoint, truth)) }
      : honest
        ? { status: asked.status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(truth) }
        : speak(truth, asked.status, random, { now: Date.now, ids: control.history.orders.slice(-6).map(({ orderId }) => orderId) });
    counts.answers += 1;
    if (spoken.status !== asked.status || spoken.headers['content-type'] !== 'application/json' || spoken.body !== JSON.stringify(truth)) counts.changed += 1;
    if (control.history.requests.length > 1000) control.history.requests.splice(0, 1000);
    if (endpoint === 'quote' && isObject(truth)) quoted.set(truth['quote_id'], JSON.parse(body) as Record<string, unknown>);
    if (plan && told.length < 200) told.push({ endpoint, truth });
    if (endpoint === 'order')
      said.push({
        endpoint,
        asked: JSON.parse(body) as Record<string, unknown>,
        truth,
        status: spoken.status,
        text: typeof spoken.body === 'string' ? spoken.body : new TextDecoder().decode(spoken.body),
      });
    response.writeHead(spoken.status, spoken.headers).end(spoken.status === 204 ? undefined : spoken.body);
  };
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    said,
    told,
    quoted,
    truth: control,
    counts,
    close: async () =>
      await new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
};
