/** DFX's prices in both directions, for which it needs neither a key nor an account. Orders are not written yet (README). */
import type * as z from 'zod';
import type { ProviderOffer } from '../../domain/offer.ts';
import type { ExchangeRamp } from '../../domain/ramp.ts';
import { ProviderFault } from '../fault.ts';
import { listingBytes, requestJson, type JsonReply } from '../kit/request-json.ts';
import type { AdapterDeps, Answer, BuyQuoteRequest, CallContext, Catalogue, ClaimingBuyer, HttpRequest, SellAdapter, SellQuoteRequest } from '../spec.ts';
import { methodOf, toCatalogue } from './dfx-catalogue.ts';
import { buyPrice, offStep, sellPrice } from './dfx-price.ts';
import { refusalIn, refusalOfBody } from './dfx-refusal.ts';
import type { DfxSettings } from './dfx-settings.ts';
import { assetsReply, fiatsReply, quoteReply } from './dfx-wire.ts';

/** The statuses of DFX's own refusals. Any other 4xx in answer to a price comes from something else, such as a wrong `base_url`. */
const refusing = new Set([400, 403, 409, 422]);
const dayMs = 86_400_000;

type Call<S extends z.ZodType> = { method: HttpRequest['method']; path: string; schema: S; body?: string; maxBytes?: number };

const createDfx = (deps: AdapterDeps, settings: DfxSettings) => {
  const base = settings.base_url.replace(/\/+$/, '');
  const call = async <S extends z.ZodType>({ signal, traceparent }: CallContext, { path, ...more }: Call<S>): Promise<JsonReply<z.output<S>>> =>
    await requestJson({
      http: deps.http,
      url: `${base}${path}`,
      signal,
      ...(traceparent === undefined ? {} : { headers: { traceparent } }),
      ...more,
    });

  const list = async <S extends z.ZodType>(context: CallContext, path: string, schema: S): Promise<z.output<S>> => {
    const reply = await call(context, { method: 'GET', path, schema, maxBytes: listingBytes });
    if (!reply.ok) throw new ProviderFault('malformed', `status ${reply.status} in response to a listing`, { status: reply.status });
    return reply.value;
  };
  const catalogue = async (context: CallContext, ramp: ExchangeRamp): Promise<Answer<Catalogue>> => {
    const [assets, fiats] = await Promise.all([list(context, '/v1/asset?blockchains=Lightning', assetsReply), list(context, '/v1/fiat', fiatsReply)]);
    return { ok: true, value: toCatalogue(ramp, assets, fiats, settings) };
  };

  const quote = async (context: CallContext, request: BuyQuoteRequest | SellQuoteRequest): Promise<Answer<ProviderOffer>> => {
    const { ramp } = request;
    const reply = await call(context, { method: 'PUT', path: `/v1/${ramp}/quote`, schema: quoteReply, body: bodyOf(request, settings) });
    if (!reply.ok) {
      if (!refusing.has(reply.status)) throw new ProviderFault('malformed', `status ${reply.status} in response to a price`, { status: reply.status });
      const { refusal, isOperators } = refusalOfBody(reply.body, ramp);
      if (isOperators) deps.log('warn', 'operator_country');
      return { ok: false, refusal };
    }
    const refusal = refusalIn(reply.value, request);
    if (refusal) return { ok: false, refusal };
    const priced = ramp === 'buy' ? buyPrice(request, reply.value) : sellPrice(request, reply.value);
    if ('refusal' in priced) return { ok: false, refusal: priced.refusal };
    const { btcPrice, ...amounts } = priced.price;
    const facts = btcPrice === undefined ? {} : { provider_btc_price: btcPrice.toString() };
    // DFX reserves nothing and may use an old market price, so an offer is an estimate without an end. `requires` names what is missing before an order.
    const offer: ProviderOffer = {
      ...amounts,
      binding: false,
      upstream: request.option.upstream,
      facts,
      requires: ramp === 'sell' ? ['account'] : [],
      warnings: [],
    };
    return { ok: true, value: offer };
  };
  return { catalogue, quote };
};

/** Writes the body as text, because the amount must keep its digits: 0.00107869, not 0.0010786900000000001. */
const bodyOf = (request: BuyQuoteRequest | SellQuoteRequest, { wallet, special_code, send_country }: DfxSettings): string => {
  const { ramp, fixed, amount, option } = request;
  const isFiat = (ramp === 'buy') === (fixed === 'pay');
  const body = JSON.stringify({
    currency: { name: option.currency },
    // Selects Lightning's own coin. Ids of assets differ between DFX's environments.
    asset: { blockchain: 'Lightning' },
    ...(ramp === 'buy' ? { paymentMethod: methodOf(option.upstream) } : {}),
    ...(wallet === undefined ? {} : { wallet }),
    ...(special_code === undefined ? {} : { specialCode: special_code }),
    ...(send_country && request.country !== undefined ? { country: request.country } : {}),
  });
  return `${body.slice(0, -1)},"${fixed === 'pay' ? 'amount' : 'targetAmount'}":${toDisplay(amount, isFiat ? 2 : 8)}}`;
};

/** Writes an amount in display units: 8760n with 2 places is 87.60. */
const toDisplay = (amount: bigint, places: number): string => {
  const digits = amount.toString().padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`;
};

/** Answers everything that belongs to an order. The gateway never asks, since the module declares `pricesOnly`. */
const noOrders = () => Promise.resolve({ ok: false, refusal: { reason: 'declined', detail: 'prices only' } } as const);

export const createDfxBuyer = (deps: AdapterDeps, settings: DfxSettings): ClaimingBuyer => {
  const dfx = createDfx(deps, settings);
  const noSession = () => Promise.resolve({ ok: true, value: { expiresOn: deps.now() + dayMs } } as const);
  return {
    beginSession: noSession,
    openSession: noSession,
    catalogue: async (context) => await dfx.catalogue(context, 'buy'),
    quote: async (context, request) => await dfx.quote(context, request),
    placeOrder: noOrders,
    readOrders: noOrders,
    claim: noOrders,
  };
};

export const createDfxSeller = (deps: AdapterDeps, settings: DfxSettings): SellAdapter => {
  const dfx = createDfx(deps, settings);
  return {
    catalogue: async (context) => await dfx.catalogue(context, 'sell'),
    quote: async (context, request) => {
      if (request.network === 'onchain') return { ok: false, refusal: { reason: 'option-unsupported', note: 'network-unsupported' } };
      const refusal = offStep(request);
      return refusal ? { ok: false, refusal } : await dfx.quote(context, request);
    },
    placeOrder: noOrders,
    readOrders: noOrders,
    balance: noOrders,
    transactions: noOrders,
  };
};
