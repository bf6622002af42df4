/** A simulated DFX over real HTTP: the catalogue and prices, which need no key. It misbehaves on demand. For the sandbox and for tests. */
import { Hono, type Context } from 'hono';
import { createFaults, transportFault, type OwnFaults } from '../kit/faults.simulator.ts';
import { serveSimulator } from '../kit/serve.simulator.ts';
import { assetEntry, fiatEntry, quote, type Ramp } from './dfx.simulator-price.ts';
import { readQuoteRequest, type QuoteRequest } from './dfx.simulator-request.ts';
import { settle, type Endpoint, type Fault, type SimulatedAsset, type SimulatedCurrency, type SimulatorOptions } from './dfx.simulator-state.ts';

export type { SimulatorOptions } from './dfx.simulator-state.ts';
export type SimulatorControl = ReturnType<typeof createDfxSimulator>['control'];
export type RunningSimulator = { url: string; port: number; control: SimulatorControl; close: () => Promise<void> };

/** The stock NestJS error body. `message` is a list for a bad request body, and one text otherwise. */
const refuse = (status: number, message: string | string[], error?: string): Response =>
  Response.json({ statusCode: status, message, ...(error === undefined ? {} : { error }) }, { status });
const ownFaults: OwnFaults<Fault> = {
  // UNKNOWN in the docs: the rate limits of quotes, and so the body and headers of this answer.
  '429': () => refuse(429, 'ThrottlerException: Too Many Requests'),
  '500': () => refuse(500, 'Internal server error'),
  'country-403': () => refuse(403, 'The country of IP address is not allowed', 'Forbidden'),
};

export const createDfxSimulator = (given: SimulatorOptions) => {
  const options = structuredCloneOf(settle(given));
  const faults = createFaults<Fault>();
  const requests: { endpoint: Endpoint; path: string; body: unknown; headers: Record<string, string> }[] = [];
  const control = {
    options,
    requests,
    setFault: (fault: Fault): void => faults.set(fault),
    clearFaults: (): void => faults.clear(),
    setOptions: (changed: Partial<SimulatorOptions>): void => void Object.assign(options, changed),
    /** Sets the price of a currency, in hundredths per bitcoin. */
    setPrice: (name: string, price: number): void => {
      const currency = options.currencies.find((one) => one.name === name);
      if (!currency) throw new Error(`no currency ${name}`);
      currency.price = price;
    },
  };
  const app = new Hono({ strict: false });

  const sent = async (endpoint: Endpoint, answer: Response): Promise<Response> => {
    if (answer.status !== 200) return answer;
    const truth: unknown = await answer.json();
    const said = options.says?.(endpoint, truth);
    if (said !== undefined) return Response.json(said);
    return Response.json(faults.take(endpoint, 'unknown-member') ? withNovelty(truth) : truth);
  };
  const route = (method: 'GET' | 'PUT', path: string, handle: (c: Context, body: unknown) => Response): void => {
    const endpoint = `${method} ${path}` as Endpoint;
    app.on(method, path, async (c) => {
      const body: unknown = method === 'PUT' ? await c.req.json().catch(() => notJson) : undefined;
      const { pathname, search } = new URL(c.req.url);
      requests.push({ endpoint, path: `${pathname}${search}`, body, headers: c.req.header() });
      const fault = await transportFault(c, endpoint, faults, ownFaults);
      if (fault) return fault;
      return body === notJson ? refuse(400, 'Unexpected token in JSON', 'Bad Request') : await sent(endpoint, handle(c, body));
    });
  };

  route('GET', '/v1/asset', (c) => {
    const chains = c.req.query('blockchains')?.split(',');
    return Response.json(options.assets.filter(({ blockchain }) => chains?.includes(blockchain) ?? true).map((asset) => assetEntry(options, asset)));
  });
  route('GET', '/v1/fiat', () => Response.json(options.currencies.map((currency) => fiatEntry(options, currency))));

  const assetOf = ({ asset }: QuoteRequest): SimulatedAsset | undefined =>
    options.assets.find((one) => ('id' in asset ? one.id === asset.id : one.blockchain === asset.blockchain));
  const currencyOf = ({ currency }: QuoteRequest): SimulatedCurrency | undefined =>
    options.currencies.find((one) => ('id' in currency ? one.id === currency.id : one.name === currency.name));
  const quoting =
    (ramp: Ramp) =>
    (_c: Context, body: unknown): Response => {
      const request = readQuoteRequest(ramp, body);
      if (Array.isArray(request)) return refuse(400, request, 'Bad Request');
      return Response.json(quote(options, ramp, request, assetOf(request), currencyOf(request)));
    };
  route('PUT', '/v1/buy/quote', quoting('buy'));
  route('PUT', '/v1/sell/quote', quoting('sell'));
  app.notFound((c) => refuse(404, `Cannot ${c.req.method} ${c.req.path}`, 'Not Found'));

  /** Takes {do, args}: the name of a function of the control object. `look` only returns what happened so far. */
  app.post('/__control', async (c) => {
    const { do: name, args = [] } = (await c.req.json()) as { do: string; args?: unknown[] };
    const action: unknown = Object.hasOwn(control, name) ? control[name as keyof typeof control] : undefined;
    if (typeof action === 'function') (action as (...all: unknown[]) => unknown)(...args);
    else if (name !== 'look') return c.json({ error: `no ${name}` }, 404);
    return c.json({ ok: true, requests });
  });
  return { app, control };
};

const notJson = Symbol('not JSON');
/** Copies what setPrice changes, so that two simulators never share it. */
const structuredCloneOf = <T extends { currencies: SimulatedCurrency[] }>(options: T): T => ({ ...options, currencies: structuredClone(options.currencies) });
const withNovelty = (truth: unknown): unknown => {
  const novelty = { somethingNew: { since: 2027 } };
  return Array.isArray(truth) ? truth.map((entry: object) => ({ ...entry, ...novelty })) : { ...(truth as object), ...novelty };
};

export const startDfxSimulator = async (options: SimulatorOptions): Promise<RunningSimulator> =>
  await serveSimulator(options.port ?? 0, () => createDfxSimulator(options));
