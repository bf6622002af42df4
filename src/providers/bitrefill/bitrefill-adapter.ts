import type { AdapterDeps, Answer, CallContext, LiquidityAdapter, LiquidityListing, NoticeReader } from '../spec.ts';
import * as api from './bitrefill-api.ts';
import type { Bitrefill, LogField } from './bitrefill-api.ts';
import { methodsOf, redemptionOf } from './bitrefill-mapping.ts';
import { readNotice } from './bitrefill-notice.ts';
import { placeOrder, quote, readCard, readOrders } from './bitrefill-orders.ts';
import { amountsOf } from './bitrefill-price.ts';
import type { BitrefillSettings } from './bitrefill-settings.ts';

/** Reads one product after the other, because the number of calls that Bitrefill allows is unknown. Leaves out products that are not on sale. */
const catalogue = async (bitrefill: Bitrefill, context: CallContext): Promise<Answer<LiquidityListing[]>> => {
  const { settings, deps } = bitrefill;
  if (settings.self_test_path !== null) await api.selfTest(bitrefill, context, settings.self_test_path);
  const listings: LiquidityListing[] = [];
  for (const product of settings.products) {
    const card = await readCard(bitrefill, context, product);
    const amounts = card.ok ? amountsOf(card.value) : undefined;
    if (amounts) listings.push({ product, minSats: amounts.min, maxSats: amounts.max, stepSats: amounts.step, payWith: methodsOf(settings), peers: [] });
    else deps.log('warn', 'bitrefill_not_on_sale', { product });
  }
  return { ok: true, value: listings };
};

export const createBitrefillAdapter = (deps: AdapterDeps<LogField>, settings: BitrefillSettings): LiquidityAdapter => {
  const bitrefill = { deps, settings };
  return {
    catalogue: async (context) => await catalogue(bitrefill, context),
    quote: async (context, request) => await quote(bitrefill, context, request),
    placeOrder: async (context, request) => await placeOrder(bitrefill, context, request),
    readOrders: async (context, order) => await readOrders(bitrefill, context, order),
    redemption: (evidence) => redemptionOf(evidence, settings.redeem_base_url ?? settings.base_url, deps.mode === 'sandbox'),
  };
};

/** Reads which order a notice names. (We send Bitrefill a different notice URL with each order.) */
export const bitrefillNotices: NoticeReader = {
  hints: (body) => {
    const hint = readNotice(body);
    return hint.about === 'order' && hint.upstreamOrderId !== undefined ? [{ upstreamOrderId: hint.upstreamOrderId }] : [];
  },
};
