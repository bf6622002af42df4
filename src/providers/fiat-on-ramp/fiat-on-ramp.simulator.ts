/** A simulated provider. It speaks FLS01 over real HTTP, serves LUD-03 withdrawals, and misbehaves on demand. For the sandbox and for tests. */
import { randomBytes, randomUUID } from 'node:crypto';
import { Hono, type Context } from 'hono';
import { createFaults, cutConnection, transportFault, type OwnFaults } from '../kit/faults.simulator.ts';
import { createLater } from '../kit/later.simulator.ts';
import { serveSimulator } from '../kit/serve.simulator.ts';
import { decodeInvoice } from '../../bitcoin/bolt11.ts';
import { encodeLnurl } from '../../bitcoin/lnurl.ts';
import { verifyNodeSignature } from '../../bitcoin/node-signature.ts';
import * as magic from './fiat-on-ramp.simulator-magic.ts';
import {
  saidInstead,
  standardCurrencies,
  type Deviation,
  type Fault,
  type History,
  type SimulatedOrder,
  type SimulatedQuote,
  type SimulatedSession,
  type SimulatorOptions,
} from './fiat-on-ramp.simulator-state.ts';

export type { SimulatorOptions } from './fiat-on-ramp.simulator-state.ts';
export type SimulatorControl = {
  setFault: (fault: Fault) => void;
  clearFaults: () => void;
  /** Marks the money as seen: the status becomes filled, or the given word. Sends the webhook. */
  pay: (orderId: string, status?: string) => Promise<void>;
  history: History;
  orders: Map<string, SimulatedOrder>;
  options: SimulatorOptions;
};
export type RunningSimulator = { url: string; port: number; control: SimulatorControl; close: () => Promise<void> };

const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const sessionLifeMs = 3_600_000;
const ownFaults: OwnFaults<Fault> = {
  '429': () => Response.json({ detail: 'slow down' }, { status: 429, headers: { 'retry-after': '2' } }),
  '500': () => Response.json({ detail: 'broken' }, { status: 500 }),
};

export const createFiatOnRampSimulator = (options: SimulatorOptions, origin: () => string) => {
  const currencies = () => options.currencies ?? standardCurrencies;
  const sessions = new Map<string, SimulatedSession>();
  const quotes = new Map<string, SimulatedQuote>();
  const orders = new Map<string, SimulatedOrder>();
  const history: History = { requests: [], orders: [], webhooks: [] };
  const faults = createFaults<Fault>();
  const has = (deviation: Deviation): boolean => options.deviations?.includes(deviation) ?? false;
  const { now = Date.now } = options;
  const { later, catchUp } = createLater(now);
  const started = now();
  const constantSession = randomUUID();
  const magicOf = (amount: unknown): magic.Magic | undefined => (options.magic === true ? magic.magicOf(amount) : undefined);
  const slowly = async (times: number): Promise<void> => await sleep((options.autoFillMs ?? 0) * times);

  const date = (ms: number): string => {
    if (has('dates-of-2023')) return '2023-09-20T00:25:11.123Z';
    const iso = new Date(ms).toISOString();
    return has('microsecond-dates') ? iso.replace('Z', '456+00:00') : has('no-zone-dates') ? iso.slice(0, -1) : iso;
  };
  const sats = (n: number): number | string => (has('float-amounts') ? n + 1e-9 : has('text-amounts') ? String(n) : n);
  const refuse = (status: number, detail: string): Response => {
    if (has('refusals-500')) return Response.json({ detail: 'broken' }, { status: 500 });
    if (has('error-string-200')) return Response.json(`Something went wrong: ${detail}`);
    if (has('node-stub-errors')) return Response.json({ message: detail, errors: [{ path: '/body', message: detail, errorCode: 'x' }] }, { status });
    return Response.json({ type: 'about:blank', title: 'Refused', detail, status }, { status, headers: { 'content-type': 'application/problem+json' } });
  };

  /** Returns the price with the spread, moved by a slow sine. The option `seed` is the phase of the sine. */
  const priceNow = (price: number, spreadBps = options.spreadBps ?? 0): number => {
    const drift = ((options.driftBps ?? 0) / 10_000) * Math.sin((now() - started) / 20_000 + (options.seed ?? 0));
    return Math.round(price * (1 + spreadBps / 10_000) * (1 + drift));
  };

  const app = new Hono();
  const route = (method: 'get' | 'post', endpoint: string, handle: (c: Context, body: Record<string, unknown>) => Response | Promise<Response>): void => {
    app.on(method, `${options.prefix ?? ''}/${endpoint}`, async (c) => {
      const body = method === 'post' ? ((await c.req.json().catch(() => ({}))) as Record<string, unknown>) : c.req.query();
      history.requests.push({ at: now(), endpoint, body, traceparent: c.req.header('traceparent') });
      const latency = options.latencyMs;
      if (latency !== undefined) await sleep(typeof latency === 'number' ? latency : latency[0] + Math.random() * (latency[1] - latency[0]));
      await catchUp();
      return (await transportFault(c, endpoint, faults, ownFaults)) ?? (await asItIsSent(await saidInstead(options, endpoint, await handle(c, body))));
    });
  };
  const asItIsSent = async (answer: Response): Promise<Response> => {
    if (has('redirects')) return new Response(null, { status: 301, headers: { location: `${origin()}/elsewhere?key=secret` } });
    if (has('html-content-type')) return new Response(await answer.text(), { status: answer.status, headers: { 'content-type': 'text/html; charset=utf-8' } });
    if (!has('pointed-amounts')) return answer;
    const text = (await answer.text()).replaceAll(/("amount_\w+":\d+)(?=[,}])/g, '$1.0');
    return new Response(text, { status: answer.status, headers: { 'content-type': 'application/json' } });
  };
  const sessionOf = (body: Record<string, unknown>, endpoint: string): SimulatedSession | undefined => {
    if (has('sessions-unchecked')) return [...sessions.values()].at(-1);
    if (faults.take(endpoint, 'session-expired')) sessions.delete(String(body['session_id']));
    const session = sessions.get(String(body['session_id']));
    return session?.open ? session : undefined;
  };

  route('get', 'features', () => {
    if (has('features-500')) return Response.json({ detail: 'broken' }, { status: 500 });
    if (has('features-names')) return Response.json({ supported_features: ['quotes', 'webhook'] });
    const binding = {
      quotes: !options.estimate,
      estimates: options.estimate ?? false,
      on_chain_fallback: options.fallback ?? true,
      webhook: options.webhooks ?? true,
    };
    if (has('two-feature-objects'))
      return Response.json({
        supported_features: [
          { ...binding, quotes: true },
          { ...binding, quotes: false },
        ],
      });
    return Response.json({ supported_features: [binding] });
  });

  route('get', 'verify', () => {
    const id = has('constant-session') ? constantSession : randomUUID();
    const token = options.proof !== 'demanded' ? undefined : has('token-is-constant') ? 'yyq6qpj2a' : randomBytes(6).toString('hex');
    if (!sessions.has(id)) sessions.set(id, { id, token, open: has('constant-session'), nodePubkey: undefined });
    return Response.json({ session_id: id, ...(token === undefined ? {} : { token }), expires_on: date(now() + 300_000) });
  });

  route('post', has('session-at-auth') ? 'auth' : 'session', (_c, body) => {
    const id = String(body['session_id']);
    const session = sessions.get(id) ?? (has('unknown-session-opens') ? { id, token: undefined, open: false, nodePubkey: undefined } : undefined);
    if (!session) return refuse(401, 'unknown session');
    if (has('proof-without-token')) return refuse(403, 'a proof of ownership is needed');
    if (session.token !== undefined && !has('signature-unchecked')) {
      const token = has('sentence-signed') ? `I confirm my bitcoin wallet. [${session.token}]` : session.token;
      const proof = { token, signature: String(body['signature']), nodePubkey: String(body['node_pubkey']), templates: [] };
      if (!verifyNodeSignature(proof)) return refuse(403, 'the signature does not match');
      session.nodePubkey = proof.nodePubkey.toLowerCase();
    }
    session.open = true;
    return Response.json({
      session_id: session.id,
      ...(body['app_id'] === undefined ? {} : { app_id: body['app_id'] }),
      expires_on: date(now() + sessionLifeMs),
    });
  });

  route(has('listing-by-get') ? 'get' : 'post', 'payment-options', (_c, body) => {
    const session = sessions.get(String(body['session_id']));
    if (!session || (has('listing-after-session') && !session.open)) return refuse(401, 'unknown session');
    const filter = has('filter-ignored') || typeof body['currency_code'] !== 'string' ? undefined : body['currency_code'].toUpperCase();
    const listed = has('listing-empty') ? [] : currencies().filter((one) => filter === undefined || one.code.toUpperCase() === filter);
    const entries = listed.map((currency): [string, object] => [
      currency.code.toLowerCase(),
      {
        currency_id: currency.id,
        currency_code: currency.code,
        payment_options: currency.options.map((option) => ({
          option: option.name,
          id: has('listing-ids-change') ? option.id + history.requests.length : option.id,
          fee_rate: option.feeRate,
          min_amount: option.min,
          max_amount: option.max,
        })),
      },
    ]);
    return Response.json({ currencies: has('currencies-object') ? Object.fromEntries(entries) : entries.map(([code, value]) => ({ [code]: value })) });
  });

  route('post', 'quote', async (_c, body) => {
    const session = sessionOf(body, 'quote');
    if (!session) return refuse(401, 'session expired');
    const currency = currencies().find((one) => one.id === body['currency_id']);
    const option = currency?.options.find((one) => one.id === body['payment_option_id']);
    if (!currency || !option) return refuse(422, 'no such option');
    if (has('price-after-proof') && session.nodePubkey === undefined) return refuse(403, 'prices need a proof of ownership');
    const isOther = has('price-of-first-option') && option !== currencies()[0]?.options[0];
    if (isOther || (has('sats-500') && body['amount_fiat'] === undefined)) return Response.json({ detail: 'broken' }, { status: 500 });
    const told = magicOf(body['amount_fiat']);
    if (told === 'slow-price') await slowly(magic.slowPriceTimes);
    const price = priceNow(currency.price, told && magic.magicSpreadBps);
    const wanted = has('amount-btc-only') || has('sats-asked-as-btc') ? body['amount_btc'] : body['amount_sats'];
    // The standard demands exactly one amount.
    if (body['amount_fiat'] !== undefined && body['amount_sats'] !== undefined) return refuse(400, 'send exactly one amount');
    const quote = quoteFor(session.id, currency, option, price, body['amount_fiat'], wanted);
    if (!quote) return refuse(422, 'the amount is out of range');
    quotes.set(quote.id, quote);
    const absurd = faults.take('quote', 'absurd-price');
    return Response.json({
      quote_id: quote.id,
      amount_fiat: quote.amountFiat,
      currency_id: faults.take('quote', 'wrong-currency') ? currency.id + 40 : currency.id,
      payment_option_id: faults.take('quote', 'wrong-option') ? option.id + 40 : option.id,
      [has('amount-btc-only') ? 'amount_btc' : 'amount_sats']: sats(absurd ? quote.amountSats * 3 : quote.amountSats),
      is_estimate: options.estimate ?? false,
      btc_price: absurd ? Math.round(price / 3) : price,
      order_fee: faults.take('quote', 'negative-fee') ? -5 : quote.fee,
      ...(faults.take('quote', 'expired-quote')
        ? { expires_on: date(now() - 1000) }
        : quote.expiresOn === undefined
          ? {}
          : { expires_on: date(quote.expiresOn) }),
    });
  });

  /** Calculates a quote. The fee is rounded up, the sats down. */
  const quoteFor = (
    session: string,
    currency: SimulatedQuote['currency'],
    option: SimulatedQuote['option'],
    price: number,
    fiat: unknown,
    wanted: unknown,
  ): SimulatedQuote | undefined => {
    const added = options.feeStyle === 'added';
    const feeOf = (amount: number): number => Math.ceil(amount * option.feeRate - 1e-9);
    let amountFiat: number;
    let amountSats: number;
    let fee: number;
    if (typeof fiat === 'number') {
      amountFiat = fiat;
      fee = feeOf(fiat);
      amountSats = Number((BigInt(added ? fiat : fiat - fee) * 100_000_000n) / BigInt(price));
    } else if (typeof wanted === 'number') {
      amountSats = wanted;
      const net = Number((BigInt(wanted) * BigInt(price) + 99_999_999n) / 100_000_000n);
      amountFiat = added ? net : Math.ceil(net / (1 - option.feeRate));
      fee = feeOf(amountFiat);
    } else return undefined;
    if (amountSats <= 0 || (!has('limits-unchecked') && (amountFiat < option.min || amountFiat > option.max))) return undefined;
    return {
      id: randomUUID(),
      session,
      currency,
      option,
      amountFiat,
      amountSats,
      fee,
      btcPrice: price,
      expiresOn: magicOf(amountFiat) === 'expired' ? now() + magic.shortLifeMs : options.quoteTtlS === undefined ? undefined : now() + options.quoteTtlS * 1000,
    };
  };

  const commit = (quote: SimulatedQuote, webhookUrl: string | undefined, delayMs: number): SimulatedOrder => {
    const id = has('order-id-is-quote-id') ? quote.id : randomUUID();
    const placedOn = now();
    const order: SimulatedOrder = {
      id,
      quote,
      status: 'placed',
      statusOn: placedOn,
      placedOn,
      webhookUrl,
      nodePubkey: sessions.get(quote.session)?.nodePubkey,
      withdrawal: undefined,
      visibleFrom: placedOn + delayMs,
    };
    orders.set(id, order);
    history.orders.push({ at: placedOn + delayMs, orderId: id, quoteId: quote.id });
    const told = magicOf(quote.amountFiat);
    if (options.autoFillMs !== undefined && !magic.isNeverPaid(told)) {
      const seenMs = options.autoFillMs * (told === 'slow-payment' ? magic.slowPaymentTimes : 1);
      later(seenMs, async () => await pay(id, told === 'refunded' ? 'refunded' : 'filled'));
    }
    return order;
  };

  const orderAnswer = (order: SimulatedOrder): object => {
    const { quote } = order;
    const told = magicOf(quote.amountFiat);
    const reference = `${options.id.slice(0, 3).toUpperCase()}-${order.id.slice(0, 5).toUpperCase()}`;
    const url = faults.take('order', 'foreign-payment-url') || told === 'foreign-link' ? 'https://pay.evil.example/1' : `${origin()}/pay/${order.id}`;
    const details = {
      provider_iban: 'DE89370400440532013000',
      provider_bic: 'COBADEFFXXX',
      provider_name: `${options.id} AG`,
      provider_country: 'DE',
      payment_reference: reference,
    };
    const info = faults.take('order', 'no-payment-info')
      ? ''
      : { payment_option_id: quote.option.id, ...(quote.option.pay === 'url' || url.includes('evil') ? { payment_url: url } : { payment_details: details }) };
    return {
      order_id: order.id,
      order_status: order.status,
      amount_fiat: quote.amountFiat,
      currency_id: quote.currency.id,
      payment_option_id: quote.option.id,
      [has('amount-btc-only') ? 'amount_btc' : 'amount_sats']: sats(
        faults.take('order', 'order-amounts-differ') || told === 'price-changed' ? quote.amountSats - 2000 : quote.amountSats,
      ),
      ...(quote.expiresOn === undefined ? {} : { expires_on: date(quote.expiresOn) }),
      payment_info: info,
    };
  };

  route('post', 'order', async (c, body) => {
    if (!sessionOf(body, 'order')) return refuse(401, 'session expired');
    const quote = quotes.get(String(body['quote_id']));
    if (!quote) return refuse(404, 'no such quote');
    if (quote.expiresOn !== undefined && quote.expiresOn < now()) return refuse(410, 'the quote has expired');
    const told = magicOf(quote.amountFiat);
    if (told === 'slow-order') await slowly(magic.slowOrderTimes);
    if (faults.take('order', 'order-refused') || told === 'declined') return refuse(422, 'not today');
    const earlier = [...orders.values()].find((order) => order.quote.id === quote.id);
    if (earlier && options.repost !== 'duplicates') {
      if (options.repost === 'same') return Response.json(orderAnswer(earlier));
      return options.repost === 'string200' ? Response.json('An order already exists for this quote') : refuse(409, 'an order exists for this quote');
    }
    const webhookUrl = typeof body['webhook_url'] === 'string' ? body['webhook_url'] : undefined;
    const late = faults.take('order', 'late-commit');
    if (late || faults.take('order', 'lost-answer') || told === 'lost-answer') {
      commit(quote, webhookUrl, late?.ms ?? 0);
      return cutConnection(c);
    }
    return Response.json(orderAnswer(commit(quote, webhookUrl, 0)));
  });

  route('post', 'order-status', (_c, body) => {
    const session = sessions.get(String(body['session_id']));
    if (!session) return refuse(401, 'unknown session');
    const mine = [...orders.values()].filter(
      (order) =>
        (order.quote.session === session.id || has('orders-of-all')) &&
        order.visibleFrom <= now() &&
        (body['order_id'] === undefined || order.id === body['order_id']),
    );
    if (body['order_id'] !== undefined && mine.length === 0)
      return has('error-string-200') ? Response.json({ message: 'no such order' }) : refuse(404, 'no such order');
    const entries = mine.map((order): [string, Record<string, unknown>] => [order.id, statusEntry(order)]);
    if (has('status-array')) return Response.json(entries.map(([id, entry]) => ({ order_id: id, ...entry })));
    if (has('status-flat') && entries[0]) return Response.json({ order_id: entries[0][0], ...entries[0][1] });
    return Response.json(Object.fromEntries(entries));
  });
  const statusEntry = (order: SimulatedOrder): Record<string, unknown> => {
    const { quote } = order;
    const status = faults.take('order-status', 'unknown-status') ? 'in_progress' : faults.take('order-status', 'status-backwards') ? 'placed' : order.status;
    if (has('status-without-amounts')) return { order_status: status, currency_id: quote.currency.id, payment_option_id: quote.option.id };
    const unreadable = order.status === 'filled' && magicOf(quote.amountFiat) === 'review';
    return {
      amount_fiat: unreadable ? -1 : quote.amountFiat,
      currency_id: quote.currency.id,
      payment_option_id: quote.option.id,
      [has('amount-btc-only') ? 'amount_btc' : 'amount_sats']: sats(quote.amountSats),
      btc_price: quote.btcPrice,
      order_fee: quote.fee,
      order_status: status,
      order_status_date: date(order.statusOn),
    };
  };

  route('post', 'withdrawal', (c, body) => {
    const order = orders.get(String(body['order_id']));
    if (!order || !sessions.has(String(body['session_id']))) return refuse(404, 'no such order');
    if (order.status === 'placed' && !has('withdrawal-before-paid'))
      return has('withdrawal-500-before-paid') ? Response.json({ detail: 'broken' }, { status: 500 }) : refuse(409, 'not paid yet');
    if (has('finished-unlinked')) return refuse(409, 'withdrawn already');
    if (order.withdrawal && has('second-withdrawal-string')) return Response.json('The withdrawal was fetched already');
    const live = order.withdrawal && order.withdrawal.expiresOn > now() ? order.withdrawal : undefined;
    order.withdrawal = live ?? {
      secret: randomBytes(16).toString('hex'),
      expiresOn: now() + (options.withdrawalTtlS ?? 1800) * 1000,
      fallback: typeof body['failback_onchain'] === 'string' ? body['failback_onchain'] : undefined,
    };
    if (has('finished-at-once')) setStatus(order, 'finished');
    if (faults.take('withdrawal', 'lost-answer')) return cutConnection(c);
    const base = faults.take('withdrawal', 'foreign-lnurl') ? 'https://evil.example' : origin();
    return Response.json({
      order_id: order.id,
      withdrawal_expiration_date: date(order.withdrawal.expiresOn),
      lnurlw: encodeLnurl(`${base}/lnurlw/${order.withdrawal.secret}`),
    });
  });

  // LUD-03: HTTP statuses carry no meaning here.
  const lnError = (reason: string): Response => Response.json({ status: 'ERROR', reason });
  const linkPays = ({ quote: { amountFiat, amountSats } }: SimulatedOrder): number =>
    options.linkPays?.(amountSats) ?? (magicOf(amountFiat) === 'short-link' ? magic.shortLink(amountSats) : amountSats);
  const bySecret = (secret: string): SimulatedOrder | undefined => [...orders.values()].find((order) => order.withdrawal?.secret === secret);
  app.get('/lnurlw/:secret', (c) => {
    const order = bySecret(c.req.param('secret'));
    if (!order?.withdrawal || order.withdrawal.expiresOn < now()) return lnError('this link is not valid');
    const msat = linkPays(order) * 1000;
    return Response.json({
      tag: 'withdrawRequest',
      callback: `${origin()}/lnurlw/${order.withdrawal.secret}/claim`,
      k1: order.withdrawal.secret,
      defaultDescription: `${options.id} payout`,
      minWithdrawable: msat,
      maxWithdrawable: msat,
    });
  });
  app.get('/lnurlw/:secret/claim', async (c) => {
    const order = bySecret(c.req.param('secret'));
    const isOver = order?.withdrawal?.isUsed === true || (order?.status === 'finished' && !has('finished-at-once'));
    if (!order?.withdrawal || isOver || c.req.query('k1') !== order.withdrawal.secret) return lnError('this link is not valid');
    const invoice = decodeInvoice(c.req.query('pr') ?? '');
    if (!invoice || invoice.network !== (options.network ?? 'regtest')) return lnError('this invoice cannot be paid');
    if (invoice.amountMsat !== BigInt(linkPays(order)) * 1000n) return lnError('the invoice is for another amount');
    if (order.nodePubkey !== undefined && invoice.payee !== order.nodePubkey) return lnError('the invoice is not from the node that proved ownership');
    order.withdrawal.isUsed = true;
    setStatus(order, 'finished');
    await ring(order);
    return Response.json({ status: 'OK' });
  });
  app.notFound((c) => {
    if (has('500-outside')) return c.json({ message: 'not found', errors: [{ path: c.req.path, message: 'not found' }] }, 500);
    if (has('html-404-outside')) return c.html('<!doctype html><title>Not Found</title><h1>Not Found</h1>', 404);
    return c.text('404 Not Found', 404);
  });
  app.get('/pay/:order', (c) => c.text(`Pay order ${c.req.param('order')} here. This is a simulation.\n`));

  const setStatus = (order: SimulatedOrder, status: string): void => {
    order.status = status;
    order.statusOn = now();
  };
  const ring = async (order: SimulatedOrder): Promise<void> => {
    if (order.webhookUrl === undefined || options.webhooks === false) return;
    const body = { type: order.status === 'filled' ? 'withdrawal_ready' : 'order_status', data: { order_id: order.id, order_status: order.status } };
    const sent = await fetch(order.webhookUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(5000),
    }).catch(() => undefined);
    history.webhooks.push({ at: now(), url: order.webhookUrl, body, status: sent?.status });
  };
  const pay = async (orderId: string, status = 'filled'): Promise<void> => {
    const order = orders.get(orderId);
    if (!order) throw new Error('no such order');
    setStatus(order, status === 'filled' && has('finished-unlinked') ? 'finished' : status);
    await ring(order);
  };

  const control: SimulatorControl = { setFault: faults.set, clearFaults: faults.clear, pay, history, orders, options };
  app.post('/__control', async (c) => {
    const command = (await c.req.json()) as { do: string; fault?: Fault; order_id?: string; status?: string; options?: Partial<SimulatorOptions> };
    if (command.do === 'fault' && command.fault) faults.set(command.fault);
    else if (command.do === 'clear') faults.clear();
    else if (command.do === 'pay' && command.order_id !== undefined) await pay(command.order_id, command.status);
    else if (command.do === 'options') Object.assign(options, command.options);
    return c.json({ ok: true, history, orders: [...orders.values()].map((order) => ({ id: order.id, quote_id: order.quote.id, status: order.status })) });
  });
  return { app, control };
};

export const startFiatOnRampSimulator = async (options: SimulatorOptions): Promise<RunningSimulator> =>
  await serveSimulator(options.port ?? 0, (origin) => createFiatOnRampSimulator(options, origin));
