/**
 * Inventory and prices of the simulated Thor: the figures in Bitrefill's Thor API document, adjusted to the current BTC/EUR quote. Uses floats,
 * unlike the adapter.
 */
import type { State } from './bitrefill.simulator-state.ts';

type Product = { name: string; isRanged?: true; min: number; max: number; eurRate: number; satRate: number; purchaseFee: number; euroPerBitcoin: number };

/**
 * The figures in Bitrefill's Thor API document: those for recharges are of July 2019, those for channels of October 2019. The BTC/EUR quote is the
 * EUR rate divided by the sat rate, times 1e8.
 */
export const products: Record<string, Product> = {
  'lightning-recharge': {
    name: 'Thor Recharge',
    isRanged: true,
    min: 500,
    max: 4_294_967,
    eurRate: 9.836778233825446e-5,
    satRate: 1.0200634879994863,
    purchaseFee: 300.1106152450074,
    euroPerBitcoin: 9643.3,
  },
  'lightning-channel': {
    name: 'Thor Lightning Channel Capacity',
    min: 500_000,
    max: 16_777_215,
    eurRate: 1.0777717208564632e-6,
    satRate: 0.015185658220118399,
    purchaseFee: 10_023,
    euroPerBitcoin: 7097.3,
  },
  'turbo-lightning-channel': {
    name: 'Thor Turbo Lightning Channel',
    min: 500_000,
    max: 8_388_607,
    eurRate: 7.436624873909596e-5,
    satRate: 1.047072761487067,
    purchaseFee: 10_016.480236160778,
    euroPerBitcoin: 7102.3,
  },
};

/**
 * Returns the rates at the current BTC/EUR quote, which has one decimal. Unless the quote was moved, they are the rates of Bitrefill's document to
 * the last digit.
 */
export const ratesOf = (state: State, product: Product): { eurRate: number; satRate: number; purchaseFee: number; quote: number } => {
  if (state.quoteBps === 0) return { ...product, quote: product.euroPerBitcoin };
  const quote = Math.round(product.euroPerBitcoin * (1 + state.quoteBps / 10_000) * 10) / 10;
  const purchaseFee = (product.purchaseFee * product.euroPerBitcoin) / quote;
  return { eurRate: product.eurRate, satRate: product.eurRate / (quote / 1e8), purchaseFee, quote };
};

/** For each EUR rate in Bitrefill's document, its `customerPriceRate`: the rate before a surcharge of one percent. */
const beforeSurcharge: Record<number, number> = {
  9.836778233825446e-5: 9.739384389926184e-5,
  1.0777717208564632e-6: 1.0671007137192704e-6,
  7.436624873909596e-5: 7.362994924662966e-5,
};

export const inventoryOf = (state: State, slug: string): object | undefined => {
  const product = products[slug];
  if (!product || (state.options.slugs && !state.options.slugs.includes(slug))) return undefined;
  const { eurRate, satRate, purchaseFee, quote } = ratesOf(state, product);
  const head = { name: product.name, slug, ...(product.isRanged ? { isRanged: true } : {}), currency: 'SAT' };
  const packages = state.options.packages?.[slug];
  if (packages) {
    const priced = packages.map(({ value, satoshiPrice }) => ({
      value,
      eurPrice: Math.ceil((satoshiPrice * quote) / 1e6) / 100,
      usdPrice: Math.ceil((satoshiPrice * quote * 1.12) / 1e6) / 100,
      satoshiPrice,
      userPrice: satoshiPrice / 1e8,
    }));
    return { operator: { ...head, packages: priced } };
  }
  const range = {
    min: product.min,
    max: product.max,
    step: state.options.step ?? 1,
    customerPriceRate: beforeSurcharge[eurRate] ?? eurRate / 1.01,
    customerSatoshiPriceRate: satRate,
    customerEurPriceRate: eurRate,
    userPriceRate: satRate,
    ...(state.options.withoutFee === 'missing' ? {} : { purchaseFee: state.options.withoutFee === 'null' ? null : purchaseFee }),
  };
  return { operator: { ...head, range } };
};

/** Returns the price, or undefined if the amount is not on sale. */
export const priceOf = (state: State, slug: string, value: number, method: string | undefined): number | undefined => {
  const product = products[slug];
  if (!product || (state.options.slugs && !state.options.slugs.includes(slug))) return undefined;
  const packages = state.options.packages?.[slug];
  if (packages) return packages.find((one) => one.value === String(value))?.satoshiPrice;
  const { step = 1, stepFrom = 'min', applyPurchaseFee = true, round100OnLightning = false } = state.options;
  if (value < product.min || value > product.max || (value - (stepFrom === 'min' ? product.min : 0)) % step !== 0) return undefined;
  const { satRate, purchaseFee } = ratesOf(state, product);
  const raw = value * satRate + (applyPurchaseFee ? purchaseFee : 0);
  return method === 'lightning' && !round100OnLightning ? Math.ceil(raw) : Math.ceil(raw / 100) * 100;
};
