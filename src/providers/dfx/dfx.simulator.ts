/**
 * A simulated DFX over real HTTP: the catalogue, prices, login, identity, orders, payments, status and webhooks. It misbehaves on demand. For the
 * sandbox and for tests. It was written from DFX's contract alone, and not from our adapter, so that the two do not share an error.
 */
import { Hono, type Context } from 'hono';
import { cutConnection, transportFault, type OwnFaults } from '../kit/faults.simulator.ts';
import { serveSimulator } from '../kit/serve.simulator.ts';
import { sentenceFor } from './dfx.simulator-address.ts';
import { createBooks, refuse, type Books, type User } from './dfx.simulator-books.ts';
import { createControl, runCommand } from './dfx.simulator-control.ts';
import { payCallback, payRequest } from './dfx.simulator-lnurl.ts';
import { confirmOrder, forgetOrders, placeOrder, priced } from './dfx.simulator-orders.ts';
import { payLater } from './dfx.simulator-payments.ts';
import { assetEntry, fiatEntry, type Ramp } from './dfx.simulator-price.ts';
import { readQuoteRequest } from './dfx.simulator-request.ts';
import { settle, type Endpoint, type Fault, type Settled, type SimulatorOptions } from './dfx.simulator-state.ts';
import { listTransactions, readTransaction } from './dfx.simulator-transactions.ts';
import { accountAnswer, holderOf, kycPage, login, mergedAnswer, setMail, verifyMail, type Caller, type LoginVia } from './dfx.simulator-users.ts';

export type { SimulatorOptions } from './dfx.simulator-state.ts';
export type { SimulatorControl } from './dfx.simulator-control.ts';
export type RunningSimulator = { url: string; port: number; control: ReturnType<typeof createControl>; close: () => Promise<void> };

const ownFaults: OwnFaults<Fault> = {
  // UNKNOWN in the docs: the rate limits of quotes, and so the body and headers of this answer.
  '429': () => refuse(429, 'ThrottlerException: Too Many Requests'),
  '500': () => refuse(500, 'Internal server error'),
  'country-403': () => refuse(403, 'The country of IP address is not allowed'),
  'address-linked': () => refuse(409, 'Address already linked to another account'),
  unauthorized: () => refuse(401, 'Unauthorized'),
};

type Call = { c: Context; body: unknown; user: User | undefined };
type Handle = (call: Call) => Response | Promise<Response>;
/** Who may call an endpoint. With `anyone`, a token is read if there is one. */
type Who = 'anyone' | 'user';

export const createDfxSimulator = (given: SimulatorOptions, origin: () => string = () => 'http://127.0.0.1') => {
  const options = withOwnCurrencies(settle(given));
  const books = createBooks(options, origin);
  const { faults } = books;
  const control = createControl(books);
  const app = new Hono({ strict: false });

  const route = (method: 'GET' | 'PUT' | 'POST', path: string, who: Who, handle: Handle): void => {
    const endpoint = `${method} ${path}` as Endpoint;
    app.on(method, path.replaceAll(/\{(\w+)\}/g, ':$1'), async (c) => {
      const body: unknown = method === 'GET' ? undefined : await readBody(c);
      const { pathname, search } = new URL(c.req.url);
      books.requests.push({ endpoint, path: `${pathname}${search}`, body: body === notJson ? undefined : body, headers: c.req.header() });
      await books.catchUp();
      forgetOrders(books);
      const fault = await transportFault(c, endpoint, faults, ownFaults);
      if (fault) return fault;
      const holder = holderOf(books, c.req.header('authorization'));
      if (who === 'user' && !holder) return refuse(401, 'Unauthorized');
      if (who === 'user' && holder?.isMerged === true) return mergedAnswer(holder.user.account);
      if (body === notJson) return refuse(400, 'Unexpected token in JSON');
      const answer = await handle({ c, body, user: holder?.user });
      return faults.take(endpoint, 'lost-answer') ? cutConnection(c) : await sent(books, endpoint, answer);
    });
  };

  route('GET', '/v1/asset', 'anyone', ({ c }) => {
    const chains = c.req.query('blockchains')?.split(',');
    return Response.json(options.assets.filter(({ blockchain }) => chains?.includes(blockchain) ?? true).map((asset) => assetEntry(options, asset)));
  });
  route('GET', '/v1/fiat', 'anyone', () => Response.json(options.currencies.map((currency) => fiatEntry(options, currency))));

  const quoting =
    (ramp: Ramp): Handle =>
    ({ body, user }) => {
      const request = readQuoteRequest(ramp, body);
      if (Array.isArray(request)) return refuse(400, request);
      return Response.json(priced(books, ramp, request, user && { user, iban: undefined }).answer);
    };
  route('PUT', '/v1/buy/quote', 'anyone', quoting('buy'));
  route('PUT', '/v1/sell/quote', 'anyone', quoting('sell'));

  route('GET', '/v1/auth/signMessage', 'anyone', ({ c }) =>
    Response.json({ message: sentenceFor(c.req.query('address') ?? '', options.stage), blockchains: ['Lightning'] }),
  );
  const loggingIn =
    (via: LoginVia): Handle =>
    async ({ c, body }) =>
      await login(books, via, body, callerOf(c));
  route('POST', '/v1/auth', 'anyone', loggingIn('auth'));
  route('POST', '/v1/auth/signUp', 'anyone', loggingIn('signUp'));
  route('POST', '/v1/auth/signIn', 'anyone', loggingIn('signIn'));

  /** Registers an endpoint that needs a user. */
  const userRoute = (method: 'GET' | 'PUT' | 'POST', path: string, handle: (user: User, call: Call) => Response | Promise<Response>): void =>
    route(method, path, 'user', async (call) => (call.user ? await handle(call.user, call) : refuse(401, 'Unauthorized')));
  userRoute('GET', '/v2/user', (user) => Response.json(accountAnswer(books, user)));
  userRoute('PUT', '/v2/user/mail', (user, { c, body }) => setMail(books, user, body, callerOf(c)));
  userRoute('POST', '/v2/user/mail/verify', (user, { c, body }) => verifyMail(books, user, body, callerOf(c)));

  const ordering =
    (ramp: Ramp) =>
    (user: User, { body }: Call): Response => {
      const placed = placeOrder(books, ramp, user, body);
      if (placed instanceof Response) return placed;
      const { order, answer } = placed;
      payLater(books, order, ramp === 'sell' ? (answer as { paymentRequest?: string }).paymentRequest : undefined);
      return Response.json(answer);
    };
  userRoute('PUT', '/v1/buy/paymentInfos', ordering('buy'));
  userRoute('PUT', '/v1/sell/paymentInfos', ordering('sell'));
  userRoute('PUT', '/v1/buy/paymentInfos/{id}/confirm', (user, { c }) => confirmOrder(books, user, c.req.param('id') ?? ''));

  const reading =
    (endpoint: Endpoint): Handle =>
    ({ c, user }) => {
      const { id, uid, 'order-id': orderId, 'order-uid': orderUid } = c.req.query();
      return readTransaction(books, { id, uid, orderId, orderUid }, { endpoint, user });
    };
  route('GET', '/v1/transaction/single', 'anyone', reading('GET /v1/transaction/single'));
  userRoute('GET', '/v1/transaction/detail', (user) => listTransactions(books, user));
  route('GET', '/v1/transaction/detail/single', 'user', reading('GET /v1/transaction/detail/single'));

  route('GET', '/v1/lnurlp/{id}', 'anyone', ({ c }) => payRequest(books, c.req.param('id') ?? ''));
  route('GET', '/v1/lnurlp/{id}/callback', 'anyone', ({ c }) => payCallback(books, c.req.param('id') ?? '', c.req.query('amount')));

  app.get('/kyc', (c) => kycPage(books, c.req.query('session'), c.req.query('code')));
  app.get('/tx/:uid', (c) => c.text(`Order ${c.req.param('uid')}. This is a simulation.\n`));
  app.notFound((c) => refuse(404, `Cannot ${c.req.method} ${c.req.path}`));
  app.post('/__control', async (c) => {
    await books.catchUp();
    return await runCommand(books, control, await c.req.json());
  });
  return { app, control };
};

const notJson = Symbol('not JSON');
/** Reads a JSON body. A call without a body counts as `{}`. */
const readBody = async (c: Context): Promise<unknown> => {
  const text = await c.req.text();
  try {
    return text === '' ? {} : (JSON.parse(text) as unknown);
  } catch {
    return notJson;
  }
};
/** Everybody calls from loopback, unless a test says otherwise. */
const callerOf = (c: Context): Caller => ({ ip: c.req.header('x-simulated-ip') ?? '127.0.0.1' });

/** Copies what setPrice and setWallet change, so that two simulators do not share it. */
const withOwnCurrencies = (options: Settled): Settled => ({ ...options, currencies: structuredClone(options.currencies), wallets: { ...options.wallets } });

/** Rewrites a good answer as `says` and the faults demand. */
const sent = async ({ options, faults }: Books, endpoint: Endpoint, answer: Response): Promise<Response> => {
  if (answer.status > 201 || answer.body === null) return answer;
  const { status } = answer;
  const truth: unknown = await answer.json();
  const said = options.says?.(endpoint, truth);
  if (said !== undefined) return Response.json(said, { status });
  if (faults.take(endpoint, 'oversized')) return Response.json(withMore(truth, { padding: 'x'.repeat(4_000_000) }), { status });
  return Response.json(faults.take(endpoint, 'unknown-member') ? withMore(truth, { somethingNew: { since: 2027 } }) : truth, { status });
};
const withMore = (truth: unknown, more: object): unknown =>
  Array.isArray(truth) ? truth.map((entry: object) => ({ ...entry, ...more })) : { ...(truth as object), ...more };

export const startDfxSimulator = async (options: SimulatorOptions): Promise<RunningSimulator> =>
  await serveSimulator(options.port ?? 0, (origin) => createDfxSimulator(options, origin));
