import * as z from 'zod';
import { appKeyRequired } from '../../gateway/ordering/balance.ts';
import { listProducts } from '../../gateway/catalogue/list-products.ts';
import { priceLiquidity } from '../../gateway/pricing/price-liquidity.ts';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { noOffer, showOffers, showQuote } from '../../gateway/pricing/show-offers.ts';
import { endpoint, type Call } from '../call.ts';
import { liquidityOffers as offersShape, liquidityQuote as quoteShape } from '../price-shapes.ts';
import { askedBlocks, askedSats, blocks, maxWait, product, providerRef, sats, sessionId, text } from '../shapes.ts';

export const liquidityBody = z.object({
  session_id: sessionId,
  product,
  amount_sats: askedSats,
  pay_with: text(32),
  lease_blocks: askedBlocks.optional(),
  announce: z.boolean().optional(),
  firm: z.boolean().optional(),
  node_pubkey: text(66).optional(),
  refund_onchain: text(120).optional(),
  max_wait_ms: maxWait.optional(),
});

/** Returns whether the caller is an app that may spend the operator's balance. */
export const maySpend = (call: Call): boolean => call.app?.allow.includes('pay_with_balance') ?? false;

const price = async (call: Call, body: z.output<typeof liquidityBody>) => {
  const session = await readSession(call.gateway, body.session_id, 'price');
  if (body.pay_with === 'balance' && !maySpend(call)) throw appKeyRequired();
  await call.limit('quotes', session.idHash);
  return await priceLiquidity(call.scope, session, body);
};

export const liquidityOffers = endpoint({
  id: 'getLiquidityOffers',
  method: 'post',
  path: '/liquidity/offers',
  body: liquidityBody,
  answer: offersShape,
  problems: ['proof-required', 'address-invalid', 'app-key-required', 'rate-limited'],
  lane: 'quotes',
  run: async (call, body) => {
    const stored = await price(call, body);
    return {
      body: { ...showOffers(call.gateway, stored, 'liquidity'), ...(stored.firmQuotesLeft === undefined ? {} : { firm_quotes_left: stored.firmQuotesLeft }) },
    };
  },
});

export const liquidityQuote = endpoint({
  id: 'getLiquidityQuote',
  method: 'post',
  path: '/liquidity/quote',
  body: liquidityBody,
  answer: quoteShape,
  problems: ['proof-required', 'address-invalid', 'app-key-required', 'rate-limited', 'no-offer', 'all-providers-failed'],
  lane: 'quotes',
  run: async (call, body) => {
    const stored = await price(call, body);
    if (stored.route.offers.length === 0) throw noOffer(call.gateway, stored);
    return { body: showQuote(call.gateway, stored, 'liquidity') };
  },
});

export const peer = z.object({ provider: providerRef, uri: z.string() });
export const productSizes = z.object({ provider: providerRef, min_amount_sats: sats, max_amount_sats: sats, step_sats: sats });
export const liquidityProduct = z.object({
  product,
  min_amount_sats: sats,
  max_amount_sats: sats,
  pay_with: z.array(z.string()),
  max_lease_blocks: blocks.optional(),
  peers: z.array(peer),
  providers: z.array(productSizes),
});

export const liquidityProducts = endpoint({
  id: 'listLiquidityProducts',
  method: 'post',
  path: '/liquidity/products',
  body: z.object({ session_id: sessionId }),
  answer: z.object({ products: z.array(liquidityProduct) }),
  problems: [],
  lane: 'quotes',
  run: async (call, body) => {
    await readSession(call.gateway, body.session_id, 'price');
    return { body: { products: await listProducts(call.scope) } };
  },
});
