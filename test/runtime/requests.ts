/**
 * The list of requests that every runtime must answer. The rows run in this sequence. Each row makes a request, says which status is expected, and
 * returns the response or the part of it that matters. What a row returns is compared between the runtimes, without ids and times.
 */
import { createWallet } from '../../scripts/demo/wallet.ts';
import { verifyDelivery } from '../../src/outbound/sign.ts';
import { until } from '../support/gateway.ts';
import { normal, type Answer, type World } from './world.ts';

type Row = {
  name: string;
  /** The expected status and, for a problem, its code. */
  expected: [number, string?];
  run: (world: World) => Promise<Answer>;
  /** Returns what else is compared between the runtimes. */
  also?: (world: World, answer: Answer) => unknown;
  /** For the Worker only status and code are compared: differences.md says why. */
  workerDiffers?: true;
};

const eur = { currency_id: 1, payment_option_id: 1 };
const price = (world: World, more: object = { amount_fiat: 10_000 }) => ({ session_id: world.kept.get('session'), ...eur, ...more });
const stranger = '8f2c1f3e-0000-4000-8000-000000000000';
const keep = (world: World, name: string, value: unknown): void => void world.kept.set(name, String(value));
const kept = (world: World, name: string): string => world.kept.get(name) ?? '';
const owned = (world: World) => ({ session_id: kept(world, 'session'), order_id: kept(world, 'order') });

const service: Row[] = [
  { name: 'GET /health/live', expected: [200], run: ({ ask }) => ask('/health/live') },
  { name: 'GET /health/ready', expected: [200], run: ({ ask }) => ask('/health/ready') },
  { name: 'GET /openapi.json', expected: [200], run: ({ ask }) => ask('/openapi.json') },
  {
    name: 'GET /openapi.json again, by its ETag',
    expected: [304],
    run: async ({ ask }) => {
      const { headers } = await ask('/openapi.json');
      return await ask('/openapi.json', undefined, { headers: { 'if-none-match': headers.get('etag') ?? 'no ETag' } });
    },
  },
  { name: 'GET /docs', expected: [200], run: ({ ask }) => ask('/docs') },
  { name: 'GET /docs/errors', expected: [200], run: ({ ask }) => ask('/docs/errors') },
  { name: 'GET /docs/wallet', expected: [200], run: ({ ask }) => ask('/docs/wallet') },
  { name: 'GET a guide that there is not', expected: [404, 'not-found'], run: ({ ask }) => ask('/docs/nothing') },
  { name: 'GET / by a program', expected: [404, 'not-found'], run: ({ ask }) => ask('/') },
  { name: 'GET / by a browser', expected: [302], run: ({ ask }) => ask('/', undefined, { headers: { accept: 'text/html,*/*' }, redirect: 'manual' }) },
  { name: 'GET /docs/../wrangler.toml is not served', expected: [404, 'not-found'], run: ({ ask }) => ask('/docs/%2e%2e%2fwrangler.toml') },
  { name: 'GET /buy', expected: [200], run: ({ ask }) => ask('/buy') },
  {
    name: 'GET /buy with a return_to that is not listed',
    expected: [400, 'invalid-request'],
    run: ({ ask }) => ask('/buy?return_to=https%3A%2F%2Fevil.example%2F'),
  },
  {
    name: 'the script of /buy',
    expected: [200],
    run: async ({ ask }) => await ask(/src="([^"]+)"/.exec((await ask('/buy')).raw)?.[1] ?? '/no-script'),
  },
  { name: 'an unknown path', expected: [404, 'not-found'], run: ({ ask }) => ask('/nothing') },
  { name: 'another method', expected: [405, 'method-not-allowed'], run: ({ ask }) => ask('/quote') },
  { name: 'GET /.well-known/webhook-keys', expected: [200], run: ({ ask }) => ask('/.well-known/webhook-keys') },
  { name: 'GET /metrics without its token', expected: [403], run: ({ ask }) => ask('/metrics') },
  {
    name: 'GET /metrics with its token',
    expected: [200],
    workerDiffers: true,
    run: async ({ ask, runtime }) => {
      const answer = await ask('/metrics', undefined, { headers: { authorization: `Bearer ${runtime.metricsToken}` } });
      return { ...answer, raw: [...answer.raw.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name).join(' ') };
    },
  },
];

const sessions: Row[] = [
  { name: 'GET /features', expected: [200], run: ({ ask }) => ask('/features') },
  {
    name: 'GET /verify',
    expected: [200],
    run: async (world) => {
      const answer = await world.ask('/verify');
      keep(world, 'unproven', answer.body['session_id']);
      return answer;
    },
  },
  {
    name: 'POST /session with a wrong signature',
    expected: [403, 'ownership-proof-failed'],
    run: (world) => world.ask('/session', { session_id: kept(world, 'unproven'), node_pubkey: world.wallet.pubkey, signatures: { gateway: 'y'.repeat(104) } }),
  },
  {
    name: 'POST /session',
    expected: [200],
    run: async (world) => {
      const answer = await world.ask('/session', { session_id: kept(world, 'unproven'), app_id: 'wallet' });
      keep(world, 'session', await world.session());
      return answer;
    },
  },
  { name: 'POST /payment-options', expected: [200], run: (world) => world.ask('/payment-options', { session_id: kept(world, 'session') }) },
  {
    name: 'GET /payment-options',
    expected: [200],
    run: (world) => world.ask('/payment-options?currency_code=EUR', undefined, { headers: { 'x-session-id': kept(world, 'session') } }),
  },
  {
    name: 'POST /payment-options without a session',
    expected: [401, 'session-invalid'],
    run: ({ ask }) => ask('/payment-options', { session_id: stranger }),
  },
  {
    name: 'GET /providers',
    expected: [200],
    run: async ({ ask, runtime }) => {
      const answer = await ask('/providers');
      // The gateway keeps trying to read the listings of providers that cannot be reached. After five failures the circuit opens, at a moment of its
      // own on each runtime.
      const providers = (answer.body['providers'] as { id: string; circuits: object }[]).map((one) =>
        Object.hasOwn(runtime.simulators, one.id) ? one : { ...one, circuits: { ...one.circuits, quote: 'not compared' } },
      );
      return { ...answer, body: { ...answer.body, providers } };
    },
  },
];

const prices: Row[] = [
  { name: 'POST /offers', expected: [200], run: (world) => world.ask('/offers', price(world)) },
  {
    name: 'POST /quote for fiat',
    expected: [200],
    run: async (world) => {
      const answer = await world.ask('/quote', price(world));
      keep(world, 'quote', answer.body['quote_id']);
      return answer;
    },
  },
  { name: 'POST /quote for sats', expected: [200], run: (world) => world.ask('/quote', price(world, { amount_sats: 50_000 })) },
  { name: 'POST /quote below every minimum', expected: [422, 'no-offer'], run: (world) => world.ask('/quote', price(world, { amount_fiat: 10 })) },
  {
    name: 'POST /quote for an unknown option',
    expected: [422, 'option-unavailable'],
    run: (world) => world.ask('/quote', price(world, { amount_fiat: 10_000, payment_option_id: 999 })),
  },
  { name: 'POST /quote without an amount', expected: [400, 'invalid-request'], run: (world) => world.ask('/quote', price(world, {})) },
  { name: 'a body that is not JSON', expected: [400, 'invalid-request'], run: ({ ask }) => ask('/quote', '{') },
  {
    name: 'another media type',
    expected: [415, 'unsupported-media-type'],
    run: ({ ask }) => ask('/quote', '{}', { headers: { 'content-type': 'text/plain' } }),
  },
  { name: 'a body of 1 MiB', expected: [413, 'payload-too-large'], run: ({ ask }) => ask('/quote', { x: 'y'.repeat(1_048_576) }) },
];

const circuitOpens: Row = {
  name: 'a provider that fails opens its circuit',
  expected: [200],
  run: async (world) => {
    world.runtime.simulators['eiger']?.control.setFault({ endpoint: 'quote', fault: '500' });
    // Failures in the requests of one network do not open the circuit, so these requests come from six networks.
    const sessions = await Promise.all(Array.from({ length: 6 }, () => world.session()));
    for (let n = 0; n < 60; n += 1) {
      const ip = `203.0.113.${n % 6}`;
      const headers = { 'content-type': 'application/json', 'x-forwarded-for': ip, 'cf-connecting-ip': ip };
      await world.ask('/offers', { session_id: sessions[n % 6], ...eur, amount_fiat: 10_000 }, { headers });
      if ((await circuitOf(world)) === 'open') break;
    }
    keep(world, 'other', sessions[0]);
    world.runtime.simulators['eiger']?.control.clearFaults();
    return await world.ask('/offers', { session_id: sessions[0], ...eur, amount_fiat: 10_000 });
  },
  also: async (world) => await circuitOf(world),
};
const circuitOf = async ({ ask }: World): Promise<string | undefined> => {
  const { body } = await ask('/providers');
  return (body['providers'] as { id: string; circuits: { quote: string } }[]).find((one) => one.id === 'eiger')?.circuits.quote;
};
const circuitCloses: Row = {
  name: 'and time closes it again',
  expected: [200],
  run: async (world) => {
    // After this wait, the circuit is half open, or already closed by another request's probe or, on a busy machine, by a new isolate.
    await until('the time of the next probe', async () => ((await circuitOf(world)) === 'open' ? undefined : true), 100_000);
    return await world.ask('/offers', { session_id: kept(world, 'other'), ...eur, amount_fiat: 10_000 });
  },
  also: async (world) => await circuitOf(world),
};

const purchase: Row[] = [
  {
    name: 'POST /order of an unknown quote',
    expected: [404, 'quote-not-found'],
    run: (world) => world.ask('/order', { session_id: kept(world, 'session'), quote_id: stranger }),
  },
  {
    name: 'POST /order with a webhook to a private address',
    expected: [422, 'webhook-url-refused'],
    run: (world) => world.ask('/order', { session_id: kept(world, 'session'), quote_id: kept(world, 'quote'), webhook_url: 'http://10.0.0.1/hook' }),
  },
  {
    name: 'POST /order',
    expected: [200],
    run: async (world) => {
      const answer = await world.ask('/order', orderBody(world));
      keep(world, 'order', answer.body['order_id']);
      keep(world, 'placed', answer.raw);
      return answer;
    },
  },
  {
    name: 'POST /order of the same quote: the same bytes',
    expected: [200],
    run: (world) => world.ask('/order', orderBody(world)),
    also: (world, answer) => answer.raw === kept(world, 'placed'),
  },
  { name: 'POST /order-status of all', expected: [200], run: (world) => world.ask('/order-status', { session_id: kept(world, 'session') }) },
  {
    name: 'POST /order-status of a stranger',
    expected: [404, 'order-not-found'],
    run: async (world) => {
      const { sessionId } = await createWallet(world.runtime.url).open();
      return await world.ask('/order-status', { session_id: sessionId, order_id: kept(world, 'order') });
    },
  },
  { name: 'POST /withdrawal before the money came', expected: [409, 'order-not-withdrawable'], run: (world) => world.ask('/withdrawal', owned(world)) },
  {
    name: 'POST /route of the order',
    expected: [200],
    run: (world) => world.ask('/route', owned(world)),
  },
  {
    name: 'a forged notice',
    expected: [202],
    run: async ({ ask }) => await ask(`/notices/alpine/order/${stranger}/${'A'.repeat(43)}`, {}),
  },
  {
    name: "the provider's notice",
    expected: [202],
    run: async (world) => {
      const { control } = alpine(world);
      const [upstream] = control.history.orders;
      await control.pay(upstream?.orderId ?? '');
      const address = new URL(control.orders.get(upstream?.orderId ?? '')?.webhookUrl ?? 'http://none');
      return await world.ask(address.pathname, { type: 'withdrawal_ready' });
    },
  },
  { name: 'filled', expected: [200], run: (world) => world.reach(kept(world, 'session'), kept(world, 'order'), 'filled') },
  {
    name: 'the webhook to the wallet, signed',
    expected: [200],
    run: async (world) => {
      await world.runtime.wake();
      const { body } = await world.receiver.waitFor('withdrawal_ready', (one) => one.path === '/hook' && one.body.includes('"withdrawal_ready"'));
      return { status: 200, headers: new Headers(), body: JSON.parse(body) as Record<string, unknown>, raw: body };
    },
    also: async (world) => await hookOf(world),
  },
  {
    name: 'POST /withdrawal',
    expected: [200],
    run: async (world) => {
      const answer = await world.ask('/withdrawal', owned(world));
      keep(world, 'lnurlw', answer.body['lnurlw']);
      return answer;
    },
  },
  {
    name: 'finished',
    expected: [200],
    run: async (world) => {
      keep(world, 'claimed', JSON.stringify(await world.wallet.withdraw(kept(world, 'lnurlw'))));
      return await world.reach(kept(world, 'session'), kept(world, 'order'), 'finished');
    },
    also: (world) => kept(world, 'claimed'),
  },
  {
    name: 'POST /webhook-test',
    expected: [200],
    run: (world) => world.ask('/webhook-test', { session_id: kept(world, 'session'), webhook_url: `${world.receiver.url}/test` }),
  },
];
const alpine = ({ runtime }: World) => {
  const simulator = runtime.simulators['alpine'];
  if (!simulator) throw new Error('no alpine');
  return simulator;
};
const orderBody = (world: World) => ({ session_id: kept(world, 'session'), quote_id: kept(world, 'quote'), webhook_url: `${world.receiver.url}/hook` });
const hookOf = async (world: World) => {
  const hooks = world.receiver.received.filter((one) => one.path === '/hook');
  const [hook] = hooks;
  const { body } = await world.ask('/.well-known/webhook-keys');
  const keys = (body['keys'] as { whpk: string }[]).map((key) => key.whpk);
  const of = (name: string): string => String(hook?.headers[name]);
  const received = { id: of('webhook-id'), timestamp: of('webhook-timestamp'), signature: of('webhook-signature'), body: hook?.body ?? '' };
  return {
    ids: new Set(hooks.map((one) => one.headers['webhook-id'])).size,
    signed: await verifyDelivery(received, keys, hook?.at ?? 0),
    attempt: of('webhook-attempt'),
  };
};

const failover: Row = {
  name: 'POST /order with failover: the next rank takes what the first refuses, and the repeat is told the same',
  expected: [200],
  run: async (world) => {
    // This needs a new customer, because the refusal excludes the first provider for later requests of the same customer.
    const { sessionId: session } = await createWallet(world.runtime.url).open();
    const { body } = await world.ask('/offers', { session_id: session, ...eur, amount_fiat: 30_000 });
    const [first] = body['offers'] as { quote_id: string; amount_sats: number }[];
    alpine(world).control.setFault({ endpoint: 'order', fault: 'order-refused', times: 1 });
    const bound = Math.floor((first?.amount_sats ?? 0) * 0.99);
    const order = { session_id: session, quote_id: first?.quote_id, failover: { max: 1, min_amount_sats: bound } };
    const answer = await world.ask('/order', order);
    const again = await world.ask('/order', order);
    keep(world, 'failover', again.raw === answer.raw);
    return answer;
  },
  also: (world, answer) => [kept(world, 'failover'), answer.body['moved_from']],
};

const aborted: Row = {
  name: 'POST /order aborted in mid-flight and repeated: one payable order',
  expected: [200],
  run: async (world) => {
    const session = kept(world, 'other');
    const quote = await world.ask('/quote', { session_id: session, ...eur, amount_fiat: 20_000 });
    alpine(world).control.setFault({ endpoint: 'order', fault: 'latency', times: 1, ms: 500 });
    const before = alpine(world).control.history.orders.length;
    const body = { session_id: session, quote_id: quote.body['quote_id'] };
    const gone = await world.ask('/order', body, { ...jsonBody(body), signal: AbortSignal.timeout(200) }).catch((error: unknown) => error);
    if (!(gone instanceof DOMException)) throw new Error('the first request got its response before it was aborted');
    const answer = await until('the order', async () => {
      await world.runtime.wake();
      const again = await world.ask('/order', body);
      return again.status === 200 ? again : undefined;
    });
    keep(world, 'placed-upstream', alpine(world).control.history.orders.length - before);
    return answer;
  },
  also: (world) => kept(world, 'placed-upstream'),
};
const jsonBody = (body: object): RequestInit => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

/** These rows run last, because requests from this address are refused for the rest of the minute after them. */
const limits: Row[] = [
  {
    name: 'the RateLimit fields of an answer',
    expected: [200],
    workerDiffers: true,
    run: (world) => world.ask('/quote', price(world)),
    also: (_world, answer) => [answer.headers.has('ratelimit'), answer.headers.get('ratelimit-policy')],
  },
  {
    name: 'GET /verify more often than allowed',
    expected: [429, 'rate-limited'],
    run: async (world) => await until('429', async () => await first429(world), 8000),
  },
];
const first429 = async ({ ask }: World): Promise<Answer | undefined> => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => ask('/verify')));
  return answers.find((one) => one.status === 429);
};

export const rows: readonly Row[] = [...service, ...sessions, ...prices, circuitOpens, ...purchase, failover, aborted, circuitCloses, ...limits];

export type Told = { expected: unknown; compared: unknown };
/** Runs the whole list. A row that throws is recorded as such, and the next ones continue. */
export const runList = async (world: World): Promise<Map<string, Told>> => {
  const told = new Map<string, Told>();
  for (const row of rows) {
    try {
      const answer = await row.run(world);
      const code = answer.body['code'];
      told.set(row.name, {
        expected: typeof code === 'string' ? [answer.status, code] : [answer.status],
        compared: { answer: normal(answer), also: await row.also?.(world, answer) },
      });
    } catch (error) {
      told.set(row.name, { expected: `threw: ${error instanceof Error ? error.message : String(error)}`, compared: undefined });
    }
  }
  return told;
};
