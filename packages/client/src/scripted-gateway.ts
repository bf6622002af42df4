/** A gateway with scripted answers, and a clock that moves with each pause, for tests. */
import type { Runtime } from './runtime.ts';

type Answered = Response | Error | 'never' | [status: number, body: object | string, headers?: Record<string, string>];
type Script = (path: string, body: Record<string, unknown>, headers: Headers) => Answered | Promise<Answered>;
export type Asked = { path: string; body: Record<string, unknown>; key: string | null };

export const scripted = (script: Script) => {
  const asked: Asked[] = [];
  const pauses: number[] = [];
  let now = Date.parse('2026-11-28T10:00:00Z');
  const deadlines = new Set<{ at: number; run: () => void }>();
  const runtime: Runtime = {
    now: () => now,
    id: () => `id-${asked.length}`,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      pauses.push(ms);
      now += ms;
      await Promise.resolve();
    },
    after: (ms, run) => {
      const one = { at: now + ms, run };
      deadlines.add(one);
      return () => void deadlines.delete(one);
    },
    fetch: async (url, request) => {
      const path = new URL(url).pathname;
      const body = typeof request.body === 'string' ? (JSON.parse(request.body) as Record<string, unknown>) : {};
      const sent = new Headers(request.headers);
      asked.push({ path, body, key: sent.get('idempotency-key') });
      const answer = await script(path, body, sent);
      if (answer instanceof Error) throw answer;
      if (answer === 'never') {
        for (const { at, run } of deadlines) {
          now = Math.max(now, at);
          run();
        }
        return await new Promise<Response>(() => undefined);
      }
      if (answer instanceof Response) return answer;
      const [status, said, headers] = answer;
      return typeof said === 'string' ? new Response(said, { status, headers: headers ?? {} }) : Response.json(said, { status, headers: headers ?? {} });
    },
  };
  return { runtime, asked, pauses };
};

export const problem = (status: number, code: string, action: string, more: object = {}): [number, object] => [
  status,
  {
    type: `urn:ramp-gateway:problem:${code}`,
    title: code,
    status,
    detail: `It is ${code}.`,
    instance: 'req_1',
    code,
    action,
    retryable: action === 'retry',
    ...more,
  },
];

const provider = { id: 'alpine', name: 'Alpine' };
export const quoteId = '49d09de1-dcf7-45e6-b908-fc31584cce01';
export const orderId = '3f0a5c9e-6a57-4c34-9b1e-0f6d2a7b8c11';
export const theOffer = {
  rank: 1,
  quote_id: quoteId,
  provider,
  amount_fiat: 10_000,
  amount_sats: 107_869,
  currency_id: 1,
  currency_code: 'EUR',
  payment_option_id: 1,
  is_estimate: false,
  btc_price: 9_187_069,
  order_fee: 90,
  accept_by: '2026-11-28T10:05:00.000Z',
  requires: [],
  warnings: [],
};
export const theOrder = {
  order_id: orderId,
  order_status: 'placed',
  stage: 'awaiting_payment',
  provider,
  amount_fiat: 10_000,
  amount_sats: 107_869,
  currency_id: 1,
  currency_code: 'EUR',
  payment_option_id: 1,
  expires_on: '2026-11-29T10:00:00.000Z',
  payment_info: { payment_details: { provider_iban: 'DE89370400440532013000', provider_reference: 'ALP-4F7K2' } },
};
export const session = '72614b08-f884-479e-8a90-b13495afd5d9';
/** Returns the answer of a gateway where all goes well. Tests script what differs. */
export const goodAnswer = (path: string): [number, object] => {
  const answers: Record<string, object> = {
    '/verify': { session_id: session, tokens: { gateway: 'ramp-gateway:gateway.example:c2VjcmV0c2VjcmV0c2VjcmV0' }, expires_on: '2026-11-28T11:00:00.000Z' },
    '/session': { session_id: session, expires_on: '2026-11-29T10:00:00.000Z', recovery_secret: 'recovery-secret-of-this-customer', proven: [] },
    '/payment-options': {
      currencies: [{ eur: { currency_id: 1, currency_code: 'EUR', payment_options: [{ option: 'SEPA', id: 1, fee_rate: 0.009, min_amount: 1000 }] } }],
    },
    '/offers': { offers_id: quoteId, offers: [theOffer], excluded: [], refused: [], failed: [], policy: {} },
    '/order': theOrder,
    '/order-status': { [orderId]: { ...theOrder, final: false, quote_id: quoteId } },
    '/withdrawal': { order_id: orderId, lnurlw: 'LNURL1SECRET', withdrawal_expiration_date: '2026-11-29T10:00:00.000Z' },
  };
  const answer = answers[path];
  return answer ? [200, answer] : problem(404, 'not-found', 'fix-request');
};
