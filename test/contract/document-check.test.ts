import { describe, expect, it } from 'vitest';
import { wrongWith } from '../setup/described.ts';
import { webhookFaults, type Exchange } from './document-check.ts';

const session = '72614b08-f884-479e-8a90-b13495afd5d9';
const common = { 'x-request-id': 'req_12345678', 'cache-control': 'no-store', 'content-type': 'application/json' };
const options = {
  currencies: [{ eur: { currency_id: 1, currency_code: 'EUR', payment_options: [{ option: 'SEPA', id: 1, fee_rate: 0.009, min_amount: 1000 }] } }],
};
const good: Exchange = {
  method: 'POST',
  path: '/payment-options',
  request: { headers: new Headers(), body: { session_id: session } },
  status: 200,
  headers: new Headers(common),
  body: options,
};
const busy = {
  type: 'urn:ramp-gateway:problem:temporary-reduced-capacity',
  title: 'The gateway is busy',
  status: 503,
  detail: 'Too many requests are in progress.',
  instance: 'req_12345678',
  code: 'temporary-reduced-capacity',
  action: 'retry',
  retryable: true,
  help: '/docs/errors#temporary-reduced-capacity',
  retry_after_ms: 1500,
};
const problem: Exchange = {
  ...good,
  status: 503,
  headers: new Headers({ ...common, 'content-type': 'application/problem+json', 'retry-after': '2' }),
  body: busy,
};
const wrong = (change: Partial<Exchange>, of = good): string => wrongWith({ ...of, ...change }).join('; ');
const withHeader = (name: string, value?: string, of = good): Headers => {
  const headers = new Headers(of.headers);
  if (value === undefined) headers.delete(name);
  else headers.set(name, value);
  return headers;
};

describe('a request and its response are checked against the document', () => {
  it('nothing is wrong with good ones', () => {
    expect([wrong({}), wrong({}, problem)]).toEqual(['', '']);
    expect(wrong({ request: { headers: new Headers(), body: { sessionId: session, currency_code: null, more: 1 } } })).toBe('');
    expect(wrong({ path: '/no-operation', status: 299 })).toBe('');
  });

  it.each<[string, Partial<Exchange>, RegExp]>([
    ['a status that is not listed', { status: 418 }, /^418 is not described$/],
    ['a member too many', { body: { ...options, more: 1 } }, /additional properties.*"more"/],
    ['a member too few', { body: {} }, /required property 'currencies'/],
    ['a member of another type', { body: { currencies: 'none' } }, /\/currencies must be array/],
    ['another media type', { headers: withHeader('content-type', 'text/html') }, /the type text\/html is not described/],
    ['a header that is not described', { headers: withHeader('etag', '"a"') }, /^the header etag is not described$/],
    ['a header that is missing', { headers: withHeader('x-request-id') }, /^the header x-request-id is missing$/],
    ['a header of another form', { headers: withHeader('deprecation', 'soon') }, /header deprecation: .*must match pattern/],
    [
      'a request that was served and is not described',
      { request: { headers: new Headers(), body: {} } },
      /^request \/ must have required property 'session_id'/,
    ],
    ['a request without its header', { method: 'GET', request: { headers: new Headers(), body: undefined } }, /the header X-Session-Id is required/],
  ])('%s', (_what, change, says) => {
    expect(wrong(change)).toMatch(says);
  });

  it.each<[string, Partial<Exchange>, RegExp]>([
    ['a code that the operation does not list', { body: { ...busy, code: 'no-offer' } }, /^no-offer is not listed$/],
    ['a code under another status', { body: { ...busy, code: 'rate-limited' } }, /^rate-limited came as 503$/],
    ['a word that no action is', { body: { ...busy, action: 'pray' } }, /\/action must be equal to one of the allowed values/],
    ['a wait that the header does not tell', { headers: withHeader('retry-after', undefined, problem) }, /Retry-After null does not match retry_after_ms 1500/],
    ['a wait that the body does not tell', { body: { ...busy, retry_after_ms: undefined } }, /Retry-After 2 does not match retry_after_ms/],
  ])('of a problem: %s', (_what, change, says) => {
    expect(wrong(change, problem)).toMatch(says);
  });
});

describe('a webhook is checked against the document', () => {
  const headers = { 'webhook-id': 'msg_1', 'webhook-timestamp': '1795276927', 'webhook-signature': 'v1a,x', 'webhook-sequence': '3', 'webhook-attempt': '1' };
  const event = { type: 'withdrawal_ready', data: { order_id: session, order_status: 'filled' } };
  it('nothing is wrong with a good one', () => expect(webhookFaults(headers, JSON.stringify(event))).toEqual([]));
  it.each<[string, object, object, RegExp]>([
    ['a type that is not listed', headers, { ...event, type: 'news' }, /^the webhook news is not described$/],
    ['a member too many', headers, { ...event, data: { ...event.data, amount: 1 } }, /additional properties.*"amount"/],
    ['a word that no status is', headers, { ...event, data: { ...event.data, order_status: 'lost' } }, /order_status must be equal to one of/],
    ['a header that is missing', { ...headers, 'webhook-id': undefined }, event, /the header webhook-id is missing/],
    ['a header of another form', { ...headers, 'webhook-sequence': 'third' }, event, /must match pattern/],
  ])('%s', (_what, sent, body, says) => expect(webhookFaults(sent as Record<string, string>, JSON.stringify(body)).join()).toMatch(says));
});
