/** The providers of the market over real HTTP: FLS01 and LUD-03, with the behaviour that the scenario gives each. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeLnurl } from '../../src/bitcoin/lnurl.ts';
import { chance, filledSats, linkSats, marketPrice, orderedSats, quoteOf, type Behaviour, type Figures } from './behaviour.ts';

type Quote = Figures & { provider: Behaviour };
type Order = Quote & { id: string; status: 'placed' | 'filled' | 'finished'; link: string; noticeUrl: string | undefined };
export type Market = {
  url: string;
  /** Every price that the honest price feeds have returned, in hundredths per bitcoin. */ told: Set<number>;
  setMoment: (moment: number) => void;
  close: () => Promise<void>;
};

const dayMs = 86_400_000;
const currencyId = 1;
const optionId = 1;

/** Starts the providers. `ids`: the gateway's name of each provider, in the same sequence as `providers`. */
export const startMarket = async (providers: Behaviour[], ids: string[], seed: number): Promise<Market> => {
  let moment = 0;
  let calls = 0;
  const quotes = new Map<string, Quote>();
  const orders = new Map<string, Order>();
  const byLink = new Map<string, Order>();
  const byId = new Map(ids.map((id, index) => [id, providers[index]]));
  let origin = '';

  const answers: Record<string, (provider: Behaviour, body: Record<string, unknown>, id: string) => [number, unknown]> = {
    features: (provider) => [
      200,
      { supported_features: [{ quotes: !provider.estimate, estimates: provider.estimate !== undefined, on_chain_fallback: true, webhook: true }] },
    ],
    verify: () => [200, { session_id: randomUUID(), expires_on: new Date(Date.now() + 300_000).toISOString() }],
    session: (_, body) => [200, { session_id: body['session_id'], expires_on: new Date(Date.now() + dayMs).toISOString() }],
    'payment-options': (provider) => {
      const option = { option: 'SEPA', id: optionId, fee_rate: provider.feeRate, min_amount: 1000, max_amount: 1_000_000 };
      return [200, { currencies: [{ eur: { currency_id: currencyId, currency_code: 'EUR', payment_options: [option] } }] }];
    },
    quote: (provider, body) => {
      calls += 1;
      if (provider.failsQuotes !== undefined && chance(seed, 'fails', provider.name, calls) < provider.failsQuotes) return [503, { detail: 'busy' }];
      const figures = quoteOf(provider, seed, moment, Number(body['amount_fiat']));
      if (!figures) return [422, { detail: 'the amount is too small' }];
      const id = randomUUID();
      quotes.set(id, { ...figures, provider });
      return [200, { quote_id: id, ...figuresOf(figures), ...numbers, is_estimate: provider.estimate !== undefined, ...(provider.estimate ? {} : expiry()) }];
    },
    order: (provider, body) => {
      const quote = quotes.get(String(body['quote_id']));
      if (!quote) return [404, { detail: 'no such quote' }];
      calls += 1;
      if (provider.refuses !== undefined && chance(seed, 'refuses', provider.name, calls) < provider.refuses) return [422, { detail: 'not today' }];
      const order: Order = {
        ...quote,
        sats: orderedSats(provider, quote.sats),
        id: randomUUID(),
        status: 'placed',
        link: randomUUID().replaceAll('-', ''),
        noticeUrl: typeof body['webhook_url'] === 'string' ? body['webhook_url'] : undefined,
      };
      orders.set(order.id, order);
      byLink.set(order.link, order);
      setTimeout(() => void fill(order), 20);
      const payment = {
        payment_option_id: optionId,
        payment_details: { provider_iban: 'DE89370400440532013000', provider_name: 'Market', payment_reference: order.id.slice(0, 8) },
      };
      return [200, { order_id: order.id, order_status: 'placed', ...figuresOf(order), ...numbers, ...expiry(), payment_info: payment }];
    },
    'order-status': (provider, body) => {
      const order = orders.get(String(body['order_id']));
      if (!order) return [404, { detail: 'no such order' }];
      const sats = order.status === 'placed' ? order.sats : filledSats(provider, order.sats);
      return [
        200,
        {
          [order.id]: {
            ...figuresOf({ ...order, sats }),
            ...numbers,
            btc_price: order.btcPrice,
            order_status: order.status,
            order_status_date: new Date().toISOString(),
          },
        },
      ];
    },
    withdrawal: (_, body, id) => {
      const order = orders.get(String(body['order_id']));
      if (!order || order.status === 'placed') return [409, { detail: 'not paid yet' }];
      const until = new Date(Date.now() + dayMs).toISOString();
      return [200, { order_id: order.id, withdrawal_expiration_date: until, lnurlw: encodeLnurl(`${origin}/${id}/lnurlw/${order.link}`) }];
    },
  };

  const fill = async (order: Order): Promise<void> => {
    order.status = 'filled';
    if (order.noticeUrl === undefined) return;
    const body = JSON.stringify({ type: 'withdrawal_ready', data: { order_id: order.id, order_status: 'filled' } });
    await fetch(order.noticeUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).catch(() => undefined);
  };

  const link = (path: string): [number, unknown] => {
    const [, id = '', , secret = '', claim] = path.split('/');
    const order = byLink.get(secret);
    if (!order) return [200, { status: 'ERROR', reason: 'this link is not valid' }];
    if (claim !== undefined) {
      order.status = 'finished';
      return [200, { status: 'OK' }];
    }
    const most = linkSats(order.provider, filledSats(order.provider, order.sats)) * 1000;
    const callback = `${origin}/${id}/lnurlw/${secret}/claim`;
    return [200, { tag: 'withdrawRequest', callback, k1: secret, defaultDescription: 'payout', minWithdrawable: most, maxWithdrawable: most }];
  };

  const told = new Set<number>();
  /** Returns what a price feed answers: `/ticker/a`, `/ticker/b`, or `/ticker/liar`, whose price is a fifth too high. */
  const ticker = (name: string): { bid: string; ask: string } => {
    const price = marketPrice(seed, moment);
    told.add(price);
    const [bid, ask] = [price - 500, price + 500].map((figure) => ((name === 'liar' ? Math.round(figure * 1.2) : figure) / 100).toFixed(2));
    return { bid: bid ?? '', ask: ask ?? '' };
  };

  const server = createServer((request, response) => {
    void (async () => {
      const path = (request.url ?? '').split('?')[0] ?? '';
      const [, id = '', endpoint = ''] = path.split('/');
      if (id === 'ticker') return send(response, 200, ticker(endpoint));
      const provider = byId.get(id);
      const body = await bodyOf(request);
      if (!provider) return send(response, 404, { detail: 'no such provider' });
      if (endpoint === 'lnurlw') return send(response, ...link(path));
      if (endpoint === 'quote' || endpoint === 'session' || endpoint === 'verify') await new Promise((done) => setTimeout(done, provider.latencyMs));
      const answer = answers[endpoint]?.(provider, body, id) ?? [404, { detail: 'no such path' }];
      return send(response, ...answer);
    })();
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: origin,
    told,
    setMoment: (now) => (moment = now),
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
};

const numbers = { currency_id: currencyId, payment_option_id: optionId };
const figuresOf = ({ amountFiat, sats, btcPrice, fee }: Figures): object => ({
  amount_fiat: amountFiat,
  amount_sats: sats,
  btc_price: btcPrice,
  order_fee: fee,
});
const expiry = (): object => ({ expires_on: new Date(Date.now() + 3 * dayMs).toISOString() });
const send = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
};
const bodyOf = async (request: IncomingMessage): Promise<Record<string, unknown>> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
  } catch {
    return {};
  }
};
