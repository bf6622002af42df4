/**
 * A simulated Bringin over real HTTP, with people, text messages, Lightning addresses and webhooks. It misbehaves on demand. For the sandbox and for
 * tests.
 */
import { Hono, type Context } from 'hono';
import { createFaults, cutConnection, transportFault, type Faults, type OwnFaults } from '../kit/faults.simulator.ts';
import { serveSimulator } from '../kit/serve.simulator.ts';
import { advanceKyc, connect, connected, connectStatus, isMaster, isSigned, signupPage, userByKey } from './bringin.simulator-accounts.ts';
import { cancel, confirmCancel, confirmLink, createLink, domainOf, getLink, listLinks, resendCode, shareWallet } from './bringin.simulator-links.ts';
import { depositAddress, listTransactions, makeOrder, pay, payCallback, payRequest, rates, settle } from './bringin.simulator-money.ts';
import { createState, errorReply, newKey, type Fault, type LinkStatus, type SimulatorOptions, type State, type User } from './bringin.simulator-state.ts';
import { spoken } from './bringin.simulator-dialects.ts';
import { post, releaseReversed } from './bringin.simulator-webhooks.ts';

export type { SimulatorOptions } from './bringin.simulator-state.ts';
export type SimulatorControl = ReturnType<typeof createControl>;
export type RunningSimulator = { url: string; port: number; control: SimulatorControl; close: () => Promise<void> };

const prefix = '/api/v0';
type Body = { [name: string]: unknown };
type Call = { c: Context; body: Body; raw: string; user: User };

const createControl = (state: State, faults: Faults<Fault>) => {
  const userOf = (email: string): User => {
    const user = state.users.get(email);
    if (!user) throw new Error(`no user ${email}`);
    return user;
  };
  return {
    state,
    setFault: (fault: Fault): void => faults.set(fault),
    clearFaults: (): void => faults.clear(),
    setOptions: (options: Partial<SimulatorOptions>): void => void Object.assign(state.options, options),
    /** Moves the simulator's clock, by which codes, invoices and connections expire. */
    moveClock: (ms: number): void => void (state.clockOffsetMs += ms),
    user: userOf,
    advanceKyc: async (email: string): Promise<void> => await advanceKyc(state, userOf(email)),
    rejectKyc: (email: string): void => void (userOf(email).step = 'rejected'),
    /** Connects the user, as if they had followed the link in the consent e-mail. */
    consent: async (email: string): Promise<void> => await connected(state, userOf(email)),
    rotateKey: (email: string): string => (userOf(email).key = newKey(state.options)),
    disconnect: (email: string): void => void (userOf(email).connected = false),
    nextLink: (status: LinkStatus): void => void (state.nextLink = status),
    setLink: (email: string, linkId: string, status: string): void =>
      void Object.assign(userOf(email).links.find((link) => link.id === linkId) ?? {}, { status }),
    shareWallet: (email: string, lnAddress: string, iban: string): void => shareWallet(state, userOf(email), lnAddress, iban),
    pay: async (target: string, sats?: bigint): Promise<string> => await pay(state, target, sats),
    setTransaction: async (email: string, orderId: string, status: string): Promise<void> => {
      const row = userOf(email).transactions.find((one) => one.orderId === orderId);
      if (!row) throw new Error(`no transaction ${orderId}`);
      await settle(state, userOf(email), row, status, 'card');
    },
    releaseReversed: async (): Promise<void> => await releaseReversed(state),
    /** Posts to a callback, as a stranger who has learned its URL could. */
    forge: async (url: string, body: object): Promise<void> => await post(state, url, body),
  };
};

const ownFaults = (state: State): OwnFaults<Fault> => ({
  '429': () => Response.json({ message: 'slow down', statusCode: 429 }, { status: 429, headers: { 'retry-after': '2' } }),
  '500': () => errorReply(state, 500, 'Internal server error'),
  refuse: ({ status }) => errorReply(state, status ?? 400, 'refused by a test', '20001'),
});

export const createBringinSimulator = (options: SimulatorOptions, origin: () => string) => {
  const state = createState(options);
  const faults = createFaults<Fault>();
  const own = ownFaults(state);
  const control = createControl(state, faults);
  const app = new Hono();

  /** Registers an endpoint. `who`: whose key it takes. A bad key gets 403, as at Bringin. */
  const route = (
    method: 'GET' | 'POST',
    path: string,
    who: 'master' | 'user' | 'both',
    handle: (call: Call, endpoint: string) => Response | Promise<Response>,
  ): void => {
    const endpoint = `${method} ${path}`;
    app.on(method, `${prefix}${path.replaceAll(/\{(\w+)\}/g, ':$1')}`, async (c) => {
      const raw = method === 'POST' ? await c.req.text() : '';
      const key = c.req.header('api-key') ?? c.req.header('x-api-key') ?? '';
      const parsed = parse(raw);
      state.requests.push({
        at: Date.now(),
        endpoint,
        key,
        body: method === 'POST' ? parsed : c.req.query(),
        ip: typeof parsed?.['ipAddress'] === 'string' ? parsed['ipAddress'] : undefined,
      });
      await state.catchUp();
      const fault = await transportFault(c, endpoint, faults, own);
      if (fault) return fault;
      const { refuses } = state.options;
      if (refuses?.endpoint === endpoint)
        return typeof refuses.body === 'string' ? c.text(refuses.body, refuses.status as 400) : Response.json(refuses.body, { status: refuses.status });
      const user = userByKey(state, key);
      const admitted = (who !== 'user' && isMaster(state, key)) || (who !== 'master' && user !== undefined);
      if (!admitted) return errorReply(state, 403, 'Unauthorized', '10403');
      if (parsed === undefined) return errorReply(state, 400, 'the body is not JSON');
      const answer = await handle({ c, body: parsed, raw, user: user ?? nobody }, endpoint);
      return faults.take(endpoint, 'lost-answer') ? cutConnection(c) : await spoken(state, endpoint, await decorated(answer, endpoint));
    });
  };
  const nobody: User = {
    email: '',
    id: '',
    key: '',
    connected: false,
    step: undefined,
    consent: false,
    inviteId: '',
    callback: undefined,
    ref: undefined,
    links: [],
    transactions: [],
    balance: 0n,
  };
  const parse = (raw: string): Body | undefined => {
    try {
      return raw === '' ? {} : (JSON.parse(raw) as Body);
    } catch {
      return undefined;
    }
  };
  const decorated = async (answer: Response, endpoint: string): Promise<Response> => {
    const dropKey = faults.take(endpoint, 'no-key');
    if (!dropKey && !faults.take(endpoint, 'unknown-member')) return answer;
    const body = (await answer.json()) as Body;
    return Response.json({ ...body, ...(dropKey ? { apiKey: null } : {}), somethingNew: { since: 2027 } }, { status: answer.status });
  };

  route('POST', '/application/connect', 'master', async ({ c, body, raw }) => {
    const signed = isSigned(state, c.req.header('authorization'), 'POST', `${prefix}/application/connect`, raw);
    return body['callback'] !== undefined && !signed ? errorReply(state, 403, 'bad signature', '10403') : await connect(state, origin(), body);
  });
  route('GET', '/application/connect/status', 'master', ({ c }, endpoint) =>
    faults.take(endpoint, 'unknown-status') ? Response.json({ status: 'in_review' }) : connectStatus(state, c.req.query('email')),
  );
  route('POST', '/offramp/rates', 'both', ({ body }, endpoint) => rates(state, faults, endpoint, body));
  route('GET', '/user/user-id', 'user', ({ user }) => Response.json({ userId: user.id }));
  route('POST', '/offramp/address', 'user', ({ user, body }, endpoint) => depositAddress(state, user, faults, endpoint, body, domainOf(state), origin()));
  route('POST', '/offramp/order', 'user', ({ user, body }, endpoint) => makeOrder(state, user, faults, endpoint, body));
  route('POST', '/account/get-balance', 'user', ({ user, body }) =>
    body['currency'] === 'EUR' ? Response.json({ balance: user.balance.toString() }) : errorReply(state, 400, 'currency'),
  );
  // The older name, which BTCPay's plugin still calls.
  route('POST', '/user/get-balance/fiat', 'user', ({ user }) => Response.json({ balance: user.balance.toString() }));
  route('POST', '/account/transactions', 'user', ({ user, body }, endpoint) => listTransactions(state, user, faults, endpoint, body));
  route('POST', '/bringin-link', 'user', ({ user, body }) => createLink(state, user, body));
  route('GET', '/bringin-link', 'user', ({ user }) => listLinks(state, user));
  route('POST', '/bringin-link/confirm', 'user', ({ user, body }) => confirmLink(state, user, body));
  route('POST', '/bringin-link/resend-otp', 'user', ({ user, body }) => resendCode(state, user, body));
  route('GET', '/bringin-link/{id}', 'user', ({ c, user }) => getLink(state, user, c.req.param('id') ?? ''));
  route('POST', '/bringin-link/{id}/cancel', 'user', ({ c, user }) => cancel(state, user, c.req.param('id') ?? ''));
  route('POST', '/bringin-link/{id}/cancel/confirm', 'user', ({ c, user, body }) => confirmCancel(state, user, c.req.param('id') ?? '', body));

  app.get('/.well-known/lnurlp/:name', async (c) => {
    const fault = await transportFault(c, 'GET /.well-known/lnurlp', faults, own);
    return fault ?? payRequest(state, c.req.param('name'), origin(), domainOf(state), c.req.query('pos') === 'true');
  });
  app.get('/lnurlp/:name/callback', (c) => payCallback(state, c.req.param('name'), domainOf(state), c.req.query('amount')));
  app.notFound((c) => errorReply(state, 404, `Cannot ${c.req.method} ${c.req.path}`, '10404'));
  app.get('/signup', (c) => signupPage(state, c.req.query('inviteId')));

  /** Takes {do, args}: the name of a function of the control object, and its arguments. Returns what happened so far, without keys. */
  app.post('/__control', async (c) => {
    const { do: name, args = [] } = (await c.req.json()) as { do: string; args?: unknown[] };
    const action: unknown = Object.hasOwn(control, name) ? control[name as keyof SimulatorControl] : undefined;
    if (name === 'pay' && typeof args[1] === 'number') args[1] = BigInt(args[1]);
    if (typeof action === 'function') await (action as (...all: unknown[]) => unknown)(...args);
    else if (name !== 'look') return c.json({ error: `no ${name}` }, 404);
    const users = [...state.users.values()].map(({ email, id, step, connected: isConnected, links, transactions, balance }) => ({
      email,
      id,
      step,
      connected: isConnected,
      links,
      transactions,
      balance: balance.toString(),
    }));
    const requests = state.requests.map(({ key: _key, ...rest }) => rest);
    return c.json({ ok: true, users, mails: state.mails, texts: state.texts, requests, webhooks: state.webhooks.length });
  });
  return { app, control };
};

export const startBringinSimulator = async (options: SimulatorOptions): Promise<RunningSimulator> =>
  await serveSimulator(options.port ?? 0, (origin) => createBringinSimulator(options, origin));
