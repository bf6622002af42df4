import { defined } from '../../domain/defined.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Intent, NewIntent } from '../../ports/intents.ts';
import type { Provider } from '../../ports/providers.ts';
import type { Scope } from '../../ports/scope.ts';
import { inputsPlace } from '../places.ts';
import { quoteToJson, type StoredQuote } from '../pricing/store-route.ts';
import { providerOf } from '../upstream/provider-of.ts';
import { payoutKeyOf } from './payout.ts';
import type { PlacingInputs } from './placing.ts';

type Particulars = Pick<Intent, 'exclusiveKey' | 'networkKey' | 'idempotencyKey'> & Partial<Pick<Intent, 'createdOn'>>;

/** Builds the row of a new order attempt, which is written before anything is sent to the provider. */
export const newIntent = async (
  { gateway, requestId }: Pick<Scope, 'gateway' | 'requestId'>,
  customerId: string,
  quote: StoredQuote,
  inputs: PlacingInputs,
  particulars: Particulars,
): Promise<NewIntent> => {
  const id = gateway.ids.uuid();
  const now = gateway.now();
  return {
    id,
    quoteId: quote.quoteId,
    orderId: gateway.ids.uuid(),
    ramp: quote.route.asked.ramp,
    customerId,
    providerId: quote.offer.providerId,
    requestId,
    quote: quoteToJson(quote),
    inputs: await gateway.seal.seal(JSON.stringify(inputs), inputsPlace(id)),
    createdOn: now,
    deadOn: deadOn(gateway, quote, inputs),
    nextTryOn: now,
    ...defined({ payoutKey: payoutKeyOf(gateway, quote, inputs.order) }),
    ...particulars,
  };
};

/**
 * Returns the time from which the quote can no longer become an order. For a purchase with the operator's own money it is half an hour from now;
 * after that, the operator must look at the purchase.
 */
const deadOn = (gateway: Gateway, { offer }: StoredQuote, { order }: PlacingInputs): number => {
  const now = gateway.now();
  if (order.payWithBalance === true) return now + 2 * quoteLifeMs;
  return Math.min(offer.offer.expiresOn ?? now + quoteLifeMs, now + longestWaitMs) + graceMs(providerOf(gateway, offer.providerId));
};

/** The life of a quote without an expiry. */
const quoteLifeMs = 15 * 60_000;
/**
 * A quote's own expiry counts only up to this far in the future: a quote that is valid "until 9999" must not keep its customer waiting until then.
 * The time that a late commit may take (`graceMs`) is added.
 */
const longestWaitMs = 86_400_000;
const graceMs = (provider: Provider): number => (provider.core.late_commit_max_s > 0 ? provider.core.late_commit_max_s * 1000 : 60_000);
