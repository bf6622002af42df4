/**
 * Uses one real provider as the gateway would, up to its prices, and orders nothing. If the provider demands a proof of a node key, the walk signs
 * with a key made for this run. A deviation that the gateway cannot handle is a `blocker`: the walk notes it, and goes on to see more.
 */
import { signNodeMessage } from '../../src/bitcoin/node-signature.ts';
import { publicKeyOf } from '../../src/bitcoin/secp256k1.ts';
import { applyRules } from '../../src/domain/exclusion.ts';
import type { Asked, ProviderOffer } from '../../src/domain/offer.ts';
import { tokenFlaw } from '../../src/domain/proof-token.ts';
import type { Refusal } from '../../src/domain/refusal.ts';
import { stepsOf, type Exchange, type Step } from '../../src/providers/kit/kind.dialects.ts';
import type { Answer, BuyAdapter, CallContext, CatalogueOption, LiquidityAdapter, Proof, ProviderAdapter, SellAdapter } from '../../src/providers/spec.ts';

export type Walk = {
  /** How far the gateway would get. */
  reached: Step;
  /** How far the walk got, past what blocks the gateway. */
  saw: Step;
  /** What the walk saw, with one line per step. */
  steps: string[];
  exchanges: Exchange[];
  /** Why the gateway could not use this provider, although it answers. */
  blockers: string[];
  /** Deviations that the gateway can handle. */
  findings: string[];
  /** Where and why the walk stopped, if it did not get to the end. */
  stopped?: string;
};
export type WalkParts = {
  now: () => number;
  /** 32 random bytes in hex: a node key that is thrown away. */
  newKey: () => string;
  /** How long each call may take. */
  stepMs: number;
  /** Whether to ask for the prices of up to 25 options. Otherwise the walk stops at the first price, and tries at most 3 options. */
  thorough: boolean;
};

export const newWalk = (): Walk => ({ reached: 'nothing', saw: 'nothing', steps: [], exchanges: [], blockers: [], findings: [] });

export const walkProvider = async (adapter: ProviderAdapter, walk: Walk, parts: WalkParts): Promise<void> => {
  if (adapter.buy) await walkBuy(adapter.buy, walk, parts);
  if (adapter.sell && walk.stopped === undefined) await walkSell(adapter.sell, walk, parts);
  if (adapter.liquidity && walk.stopped === undefined) await walkLiquidity(adapter.liquidity, walk, parts);
};

const callOf =
  ({ stepMs }: WalkParts) =>
  (customer?: string): CallContext => ({
    signal: AbortSignal.timeout(stepMs),
    requestId: 'provider-check',
    ...(customer === undefined ? {} : { customer }),
  });

/**
 * Records a step. After a blocker, `reached` stays where it is, because the gateway would get no further. A second ramp that gets less far than
 * the first lowers neither `reached` nor `saw`.
 */
const come = (walk: Walk, step: Step, what: string): void => {
  walk.saw = further(walk.saw, step);
  if (walk.blockers.length === 0) walk.reached = further(walk.reached, step);
  walk.steps.push(`${step === 'both' ? 'price' : step}: ${what}`);
};
const further = (a: Step, b: Step): Step => (stepsOf.indexOf(a) > stepsOf.indexOf(b) ? a : b);
const reasonOf = ({ reason, note, detail }: Refusal): string => [reason, note, detail].filter((part) => part !== undefined).join(', ');

/** Describes what the last call returned, because an adapter's `declined` does not show the provider's answer. */
export const lastAnswer = ({ exchanges }: Walk): string => {
  const last = exchanges.at(-1);
  return last === undefined ? 'nothing was asked' : toldAnswer(last);
};
export const toldAnswer = ({ method, path, status, type, location }: Exchange): string => {
  const what = `${method} ${path}`;
  if (status === 0) return `${what} got no answer`;
  const kind = type === undefined ? '' : ` (${type.split(';')[0] ?? ''})`;
  return `${what} answered ${status}${kind}${location === undefined ? '' : `, a redirect to ${location}`}`;
};

// ---- buy -------------------------------------------------------------------------------------------------------------------------------

const walkBuy = async (buy: BuyAdapter, walk: Walk, parts: WalkParts): Promise<void> => {
  const call = callOf(parts);
  const stop = (what: string, refusal?: Refusal): void => {
    walk.stopped = `${what}: ${refusal === undefined ? '' : `${reasonOf(refusal)}; `}${lastAnswer(walk)}`;
  };
  const begun = await buy.beginSession(call());
  if (!begun.ok) {
    if (begun.refusal.note === 'proof-not-configured')
      come(walk, 'answered', '/verify returns a token: the provider demands a proof of the customer’s node key');
    return stop('/verify', begun.refusal);
  }
  const { token } = begun.value;
  come(
    walk,
    'answered',
    token === undefined ? '/verify returns no token: the provider demands no proof' : '/verify returns a token: the provider demands a proof',
  );
  if (token !== undefined && tokenFlaw(token) !== undefined)
    walk.blockers.push('the gateway does not let wallets sign its token (it is too long, not printable, or means something elsewhere)');
  const key = parts.newKey();
  const proof = token === undefined ? undefined : { signature: signNodeMessage(token, key), nodePubkey: publicKeyOf(key) };
  const opened = await openOrBlock(buy, walk, call(begun.customer ?? ''), proof);
  if (!opened.ok) return stop(proof ? 'the session, with the token signed by a throw-away key' : 'the session', opened.refusal);
  const customer = opened.customer ?? begun.customer ?? '';
  const { expiresOn } = opened.value;
  if (token !== undefined && walk.blockers.length === 0) await ownListing(buy, walk, parts);
  if (expiresOn > 0) come(walk, 'session', `opened${proof ? ' with a throw-away node key' : ''}, until ${new Date(expiresOn).toISOString()}`);
  const listing = await buy.catalogue(call(customer));
  if (!listing.ok) return stop('the listing', listing.refusal);
  const { options } = listing.value;
  if (options.length === 0) return stop('the listing has no option that the gateway can read');
  come(walk, 'listing', options.map((option) => `${option.currency} ${option.name}`).join(', '));
  await pricesOf({ buy, walk, parts, customer }, options);
};

/** Opens a session. A session that the gateway cannot use is a blocker, but the walk uses the session to see more. */
const openOrBlock: (buy: BuyAdapter, walk: Walk, context: CallContext, proof?: Proof) => ReturnType<BuyAdapter['openSession']> = async (
  buy,
  walk,
  context,
  proof,
) => {
  try {
    return await buy.openSession(context, proof);
  } catch (fault) {
    const last = walk.exchanges.at(-1);
    if (last?.status !== 200) throw fault;
    walk.blockers.push(`its session cannot be used: ${faultText(fault)}${expiryIn(last.text)}`);
    return { ok: true, value: { expiresOn: 0 } };
  }
};
const expiryIn = (text: string): string => {
  const said = /"expires_on"\s*:\s*"([\d:.TZ+ -]{10,40})"/.exec(text)?.[1];
  return said === undefined ? '' : `, expires_on ${said}`;
};

/** Reads the listing as the gateway does for itself: in a session without a proof, which no customer has opened. */
const ownListing = async (buy: BuyAdapter, walk: Walk, parts: WalkParts): Promise<void> => {
  const call = callOf(parts);
  const blocked = (why: string): void =>
    void walk.blockers.push(
      `without a proof, the gateway cannot read the provider's listing for itself (${why}): set catalogue_key_env, or list the provider's options in its block`,
    );
  try {
    const begun = await buy.beginSession(call());
    const opened = begun.ok ? await buy.openSession(call(begun.customer ?? '')) : begun;
    if (!opened.ok) return blocked(reasonOf(opened.refusal));
    const listing = await buy.catalogue(call(opened.customer ?? begun.customer ?? ''));
    if (!listing.ok) blocked(lastAnswer(walk));
    else if (listing.value.options.length === 0) blocked('the listing is empty');
  } catch (fault) {
    blocked(faultText(fault));
  }
};

type Pricing = { buy: BuyAdapter; walk: Walk; parts: WalkParts; customer: string };
/** How many options a thorough walk asks prices for, at most: more would burden the provider. */
const mostOptions = 25;
/** How many options a walk asks prices for, at most, while the check searches for the right settings. */
const fewOptions = 3;

const pricesOf = async (pricing: Pricing, options: readonly CatalogueOption[]): Promise<void> => {
  const { walk, parts } = pricing;
  const failed: string[] = [];
  let priced: { option: CatalogueOption; sats: bigint } | undefined;
  for (const option of options.slice(0, parts.thorough ? mostOptions : fewOptions)) {
    const name = `${option.currency} ${option.name}`;
    const told = await priceOf(pricing, option, { fixed: 'pay', amount: amountFor(option) });
    if ('why' in told) failed.push(`${name} (${told.why})`);
    else {
      priced ??= { option, sats: told.offer.receive };
      come(
        walk,
        'price',
        `${name}: ${String(told.offer.pay)} buys ${String(told.offer.receive)} sats, fee ${String(told.offer.fee)}, ${told.offer.binding ? 'binding' : 'an estimate'}`,
      );
    }
    if (!parts.thorough && priced) break;
  }
  const asked = Math.min(options.length, parts.thorough ? mostOptions : fewOptions);
  if (failed.length > 0) walk.findings.push(`${failed.length} of ${asked} options give no price: ${failed.join('; ')}`);
  if (parts.thorough && options.length > asked)
    walk.steps.push(`price: ${options.length - asked} more options were not tried, because a walk tries at most ${mostOptions}`);
  const [first] = options;
  const option = priced?.option ?? first;
  if (!priced || !option) {
    walk.stopped = 'no option gives a price';
    return;
  }
  const told = await priceOf(pricing, option, { fixed: 'receive', amount: priced.sats });
  if ('why' in told) walk.findings.push(`gives no price for an amount of sats: ${told.why}`);
  else come(walk, 'both', `${option.currency} ${option.name}: ${String(told.offer.receive)} sats cost ${String(told.offer.pay)}`);
};

/** Returns a price that the gateway would rank, or why there is none. */
const priceOf = async (
  { buy, walk, parts, customer }: Pricing,
  option: CatalogueOption,
  wanted: { fixed: 'pay' | 'receive'; amount: bigint },
): Promise<{ offer: ProviderOffer } | { why: string }> => {
  let quote: Answer<ProviderOffer>;
  try {
    quote = await buy.quote(callOf(parts)(customer), { ramp: 'buy', ...wanted, option });
  } catch (fault) {
    return { why: `${faultText(fault)}; ${lastAnswer(walk)}` };
  }
  if (!quote.ok) return { why: `${reasonOf(quote.refusal)}; ${lastAnswer(walk)}` };
  const rule = ruleAgainst({ ramp: 'buy', ...wanted, currency: option.currency, option: option.name }, quote.value, parts.now());
  return rule === undefined ? { offer: quote.value } : { why: `the gateway excludes this price: ${rule}` };
};

/** Returns the rule that would exclude this price if it were the only one, or undefined. */
const ruleAgainst = (asked: Asked, offer: ProviderOffer, now: number): string | undefined =>
  applyRules(
    asked,
    [{ providerId: 'checked', offer, terms: { haircutBps: 0, preferenceBps: 0 }, latencyMs: 0 }],
    { version: 2, outlierBps: 1000, toleranceBps: 200, indicativeHaircutBps: 0 },
    now,
  ).excluded[0]?.rule;

export const faultText = (fault: unknown): string => (fault instanceof Error ? fault.message : 'unknown');

/** Returns 100.00, or the nearest amount that the option's limits allow. */
const amountFor = ({ minFiat, maxFiat }: CatalogueOption): bigint => {
  const wanted = 10_000n;
  if (minFiat !== undefined && wanted < minFiat) return minFiat;
  return maxFiat !== undefined && wanted > maxFiat ? maxFiat : wanted;
};

// ---- sell and liquidity ----------------------------------------------------------------------------------------------------------------

const walkSell = async (sell: SellAdapter, walk: Walk, parts: WalkParts): Promise<void> => {
  const call = callOf(parts);
  const listing = await sell.catalogue(call());
  const option = listing.ok ? listing.value.options[0] : undefined;
  if (!option) {
    walk.stopped = `the listing is empty or was refused: ${lastAnswer(walk)}`;
    return;
  }
  come(walk, 'listing', option.name);
  const asked = { ramp: 'sell', fixed: 'pay', amount: 100_000n } as const;
  const quote = await sell.quote(call(), { ...asked, option, network: 'lightning' });
  if (!quote.ok) {
    const needsAccount = quote.refusal.reason === 'account-required';
    walk.stopped = needsAccount
      ? 'no price was seen: the provider gives one only to a customer with an account'
      : `the price: ${reasonOf(quote.refusal)}; ${lastAnswer(walk)}`;
    return;
  }
  const rule = ruleAgainst({ ...asked, currency: option.currency, option: option.name }, quote.value, parts.now());
  if (rule !== undefined) {
    walk.stopped = `the gateway excludes this price: ${rule}`;
    return;
  }
  come(walk, 'price', `100000 sats bring ${option.currency} ${String(quote.value.receive)}`);
};

const walkLiquidity = async (liquidity: LiquidityAdapter, walk: Walk, parts: WalkParts): Promise<void> => {
  const call = callOf(parts);
  const listing = await liquidity.catalogue(call());
  const product = listing.ok ? listing.value[0] : undefined;
  if (!listing.ok || !product) {
    walk.stopped = `the listing is empty or was refused: ${listing.ok ? '' : `${reasonOf(listing.refusal)}; `}${lastAnswer(walk)}`;
    return;
  }
  come(walk, 'listing', listing.value.map((one) => `${one.product} ${String(one.minSats)}–${String(one.maxSats)} sats`).join(', '));
  const quote = await liquidity.quote(call(), {
    ramp: 'liquidity',
    product: product.product,
    amountSats: product.minSats,
    payWith: product.payWith[0] ?? 'lightning',
    announce: false,
    firm: false,
  });
  if (!quote.ok) {
    const needsOrder = quote.refusal.reason === 'price-needs-order';
    walk.stopped = needsOrder
      ? 'no price was seen: the seller gives one only by making an order'
      : `the price: ${reasonOf(quote.refusal)}; ${lastAnswer(walk)}`;
    return;
  }
  come(walk, 'price', `${String(product.minSats)} sats cost ${String(quote.value.pay)}`);
};
