import { z } from '@hono/zod-openapi';
import { appKeyRequired } from '../../gateway/ordering/balance.ts';
import { listProducts } from '../../gateway/catalogue/list-products.ts';
import { priceLiquidity } from '../../gateway/pricing/price-liquidity.ts';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { noOffer, showOffers, showQuote } from '../../gateway/pricing/show-offers.ts';
import { endpoint, type Call } from '../call.ts';
import { liquidityOffersShape, liquidityQuoteShape, product } from '../price-shapes.ts';
import { amount, anyAmount, providerRef, sessionId, text } from '../shapes.ts';

export const liquidityBody = z.object({
  session_id: sessionId,
  product,
  amount_sats: amount.openapi({ description: 'Sats of the recharge, of inbound capacity, or of each side of a turbo channel' }),
  pay_with: text(32).openapi({
    example: 'lightning',
    description: "lightning, onchain, balance (the operator's own: needs the key of an app that may), or another word of /liquidity/products",
  }),
  lease_blocks: z.int().min(0).max(1_000_000).optional().openapi({ description: 'How long the channel must stay open; 0 or absent: any time' }),
  announce: z.boolean().optional(),
  firm: z.boolean().optional().openapi({ description: 'Ask for binding prices. Some sellers make an order for each, so they are limited' }),
  node_pubkey: text(66).optional().openapi({ description: 'Only the key that the session has proven' }),
  refund_onchain: text(120).optional(),
  max_wait_ms: z.int().min(300).max(60_000).optional(),
});

/** Whether the caller is an app that may spend the operator's balance. */
export const maySpend = (call: Call): boolean => call.app?.allow.includes('pay_with_balance') ?? false;

const price = async (call: Call, body: z.output<typeof liquidityBody>) => {
  const session = await readSession(call.gateway, body.session_id, 'price');
  if (body.pay_with === 'balance' && !maySpend(call)) throw appKeyRequired();
  await call.limit('quotes', session.idHash);
  return await priceLiquidity(call.scope, session, body);
};

export const liquidityOffers = endpoint({
  method: 'post',
  path: '/liquidity/offers',
  tag: 'Liquidity',
  summary: 'Every liquidity seller, ranked by the fee for this request',
  body: liquidityBody,
  answer: liquidityOffersShape,
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
  method: 'post',
  path: '/liquidity/quote',
  tag: 'Liquidity',
  summary: 'The offer with the lowest fee',
  body: liquidityBody,
  answer: liquidityQuoteShape,
  problems: ['proof-required', 'address-invalid', 'app-key-required', 'rate-limited', 'no-offer', 'all-providers-failed'],
  lane: 'quotes',
  run: async (call, body) => {
    const stored = await price(call, body);
    if (stored.route.offers.length === 0) throw noOffer(call.gateway, stored);
    return { body: showQuote(call.gateway, stored, 'liquidity') };
  },
});

export const liquidityProducts = endpoint({
  method: 'post',
  path: '/liquidity/products',
  tag: 'Liquidity',
  summary: 'What can be bought, the smallest and largest sizes, and the nodes to connect to',
  body: z.object({ session_id: sessionId }),
  answer: z.object({
    products: z.array(
      z.object({
        product,
        min_amount_sats: anyAmount,
        max_amount_sats: anyAmount,
        pay_with: z.array(z.string()),
        max_lease_blocks: z.int().optional(),
        peers: z.array(z.object({ provider: providerRef, uri: z.string() })),
        providers: z.array(z.object({ provider: providerRef, min_amount_sats: anyAmount, max_amount_sats: anyAmount, step_sats: anyAmount })),
      }),
    ),
  }),
  problems: [],
  lane: 'quotes',
  run: async (call, body) => {
    await readSession(call.gateway, body.session_id, 'price');
    return { body: { products: await listProducts(call.scope) } };
  },
});
