/** DFX in both directions. Its prices need neither a key nor an account. */
import type { ProviderOffer } from '../../domain/offer.ts';
import type { ExchangeRamp } from '../../domain/ramp.ts';
import type { Refusal } from '../../domain/refusal.ts';
import type { Answer, BuyQuoteRequest, CallContext, Catalogue, PushingBuyer, SellAdapter, SellQuoteRequest } from '../spec.ts';
import { callDfx, listDfx, unexpected, type Dfx } from './dfx-api.ts';
import { notesOf, toCatalogue } from './dfx-catalogue.ts';
import { dfxConnections } from './dfx-connections.ts';
import { bodyWith, toleranceBps } from './dfx-order.ts';
import { listSales, placeBuyOrder, placeSellOrder, readBuyOrders, readSellOrders } from './dfx-orders.ts';
import { buyPrice, offStep, sellPrice } from './dfx-price.ts';
import { refusalIn, refusalOfBody, refusing } from './dfx-refusal.ts';
import { readUserBlob } from './dfx-user-blob.ts';
import { assetsReply, fiatsReply, quoteReply } from './dfx-wire.ts';

const dayMs = 86_400_000;

const catalogue = async (dfx: Dfx, context: CallContext, ramp: ExchangeRamp): Promise<Answer<Catalogue>> => {
  const [assets, fiats] = await Promise.all([
    listDfx(dfx, context, '/v1/asset?blockchains=Lightning', assetsReply),
    listDfx(dfx, context, '/v1/fiat', fiatsReply),
  ]);
  return { ok: true, value: toCatalogue(ramp, assets, fiats, dfx.settings) };
};

const quoteBody = ({ settings: { wallet, special_code, send_country } }: Dfx, request: BuyQuoteRequest | SellQuoteRequest): string =>
  bodyWith(
    {
      currency: { name: request.option.currency },
      // Selects bitcoin over Lightning. The ids of assets differ between DFX's live system and its test system, so no id is sent.
      asset: { blockchain: 'Lightning' },
      ...(request.ramp === 'buy' ? { paymentMethod: notesOf(request.option.upstream).method } : {}),
      ...(wallet === undefined ? {} : { wallet }),
      ...(special_code === undefined ? {} : { specialCode: special_code }),
      ...(send_country && request.country !== undefined ? { country: request.country } : {}),
    },
    request,
  );

const quote = async (dfx: Dfx, context: CallContext, request: BuyQuoteRequest | SellQuoteRequest): Promise<Answer<ProviderOffer>> => {
  const { ramp } = request;
  const reply = await callDfx(dfx, context, { method: 'PUT', path: `/v1/${ramp}/quote`, schema: quoteReply, body: quoteBody(dfx, request) });
  if (!reply.ok) {
    if (!refusing.has(reply.status)) throw unexpected(reply, 'a price request');
    const { refusal, isOperators } = refusalOfBody(reply.body, ramp);
    if (isOperators) dfx.deps.log('warn', 'operator_country');
    return { ok: false, refusal };
  }
  const refusal = refusalIn(reply.value, request);
  if (refusal) return { ok: false, refusal };
  const priced = ramp === 'buy' ? buyPrice(request, reply.value) : sellPrice(request, reply.value);
  if ('refusal' in priced) return { ok: false, refusal: priced.refusal };
  const { btcPrice, ...amounts } = priced.price;
  const facts = { amount_tolerance_bps: toleranceBps, ...(btcPrice === undefined ? {} : { provider_btc_price: btcPrice.toString() }) };
  // DFX reserves nothing and may use an old market price, so an offer is an estimate without an expiry. `requires` names what is missing before an
  // order.
  const offer: ProviderOffer = {
    ...amounts,
    binding: false,
    upstream: request.option.upstream,
    facts,
    requires: ramp === 'buy' ? [] : readUserBlob(context) ? ['connection'] : ['account', 'connection'],
    warnings: [],
  };
  return { ok: true, value: offer };
};

export const createDfxBuyer = (dfx: Dfx): PushingBuyer => {
  const noSession = () => Promise.resolve({ ok: true, value: { expiresOn: dfx.deps.now() + dayMs } } as const);
  return {
    payoutKinds: dfx.settings.unproven_addresses === 'register' ? ['lightning_address', 'lnurl', 'node_pubkey'] : ['node_pubkey'],
    beginSession: noSession,
    openSession: noSession,
    catalogue: async (context) => await catalogue(dfx, context, 'buy'),
    quote: async (context, request) => await quote(dfx, context, request),
    placeOrder: async (context, request) => await placeBuyOrder(dfx, context, request),
    readOrders: async (context, order) => await readBuyOrders(dfx, context, order),
  };
};

/** The least and the most sats for which DFX makes the invoice of a sale. */
const invoiceSats = { least: 100n, most: 100_000_000n };
const beyondInvoice = ({ pay }: ProviderOffer, { fixed }: SellQuoteRequest): Refusal | undefined => {
  if (pay < invoiceSats.least) return { reason: 'below-minimum', ...(fixed === 'pay' ? { limits: { minPay: invoiceSats.least } } : {}) };
  if (pay > invoiceSats.most) return { reason: 'above-maximum', ...(fixed === 'pay' ? { limits: { maxPay: invoiceSats.most } } : {}) };
  return undefined;
};

/** DFX holds no balance: the money of a sale goes straight to the customer's bank. */
const noBalance = { ok: false, refusal: { reason: 'declined', detail: 'no balance' } } as const;

export const createDfxSeller = (dfx: Dfx): SellAdapter => ({
  catalogue: async (context) => await catalogue(dfx, context, 'sell'),
  quote: async (context, request) => {
    if (request.network === 'onchain') return { ok: false, refusal: { reason: 'option-unsupported', note: 'network-unsupported' } };
    const unsuitable = offStep(request);
    if (unsuitable) return { ok: false, refusal: unsuitable };
    const priced = await quote(dfx, context, request);
    const refusal = priced.ok ? beyondInvoice(priced.value, request) : undefined;
    return refusal ? { ok: false, refusal } : priced;
  },
  placeOrder: async (context, request) => await placeSellOrder(dfx, context, request),
  readOrders: async (context, order) => await readSellOrders(dfx, context, order),
  connections: dfxConnections(dfx.deps),
  balance: async () => await Promise.resolve(noBalance),
  transactions: async (context, wanted) => await listSales(dfx, context, wanted),
});
