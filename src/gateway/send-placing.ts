import { backOffMs, newOrders } from '../domain/settle-placing.ts';
import type { Json as AnyJson } from '../domain/offer.ts';
import { ProviderFault } from '../providers/fault.ts';
import type { Answer, CallContext, OrderInputs, PlacedOrder, PlaceRequest, QuoteRequest } from '../providers/spec.ts';
import { callProvider } from './call-provider.ts';
import { confirmPlaced } from './confirm-order.ts';
import { Problem } from './problem.ts';
import type { Gateway, Intent, Lease, Place, Provider } from './ports.ts';
import { quoteFromJson, type StoredQuote } from './store-route.ts';
import { blobPlace } from './upstream-session.ts';

/** An answer as it was given: replayed byte for byte. */
export type GivenAnswer = { status: number; body: string };
export const answerPlace = (intentId: string): Place => ({ table: 'intents', row: intentId, field: 'answer' });
export const inputsPlace = (intentId: string): Place => ({ table: 'intents', row: intentId, field: 'inputs' });

/** What the customer added to the quote; sealed in the intent. Amounts as decimal strings, in the ramp's units. */
export type PlacingInputs = { webhookUrl?: string; webhookEvents?: string[]; minReceive?: string; maxPay?: string; appId?: string; customerIp?: string; order: OrderInputs };
/** Fresh prices for a customer whose price changed. */
export type Reprice = () => Promise<AnyJson[]>;

export const providerOf = (gateway: Gateway, id: string): Provider => {
  const provider = gateway.providers.find((one) => one.id === id);
  if (!provider) throw new Problem('misconfigured', `The provider "${id}" of this order is no longer in the configuration.`);
  return provider;
};

/** Longer than the call it covers: a sender whose lease ran out has certainly stopped waiting. */
export const leaseFor = (gateway: Gateway, of: string): Lease => ({ owner: `${gateway.state.instance}/${of.slice(0, 8)}/${gateway.ids.secret(6)}`, seconds: Math.ceil(gateway.settings.routing.order_deadline_ms / 1000) + 10 });

export const orderPending = (detail: string): Problem => new Problem('order-pending', `${detail} Repeat the same request.`, { retryAfterMs: 2000 });

/** What a settled intent answers; an unsettled one is still pending. */
export const answerOf = async (gateway: Gateway, intent: Intent | undefined): Promise<GivenAnswer> => {
  if (intent?.answer !== undefined) return JSON.parse(await gateway.seal.open(intent.answer, answerPlace(intent.id))) as GivenAnswer;
  if (intent?.state === 'rejected') throw notTaken('it was refused');
  throw orderPending('The provider has not answered yet.');
};

const notTaken = (reason: string): Problem => new Problem('provider-unavailable', `The provider did not take the order: ${reason}. Nothing was ordered; the quote can be used again until accept_by.`, { retryAfterMs: 2000 });

export type Placing = { provider: Provider; quote: StoredQuote; inputs: PlacingInputs; context: Omit<CallContext, 'signal' | 'requestId'> };

/** Everything a call for this intent needs, from its row alone: any instance can go on with it. */
export const placingOf = async (gateway: Gateway, intent: Intent): Promise<Placing> => {
  const inputs = JSON.parse(await gateway.seal.open(intent.inputs, inputsPlace(intent.id))) as PlacingInputs;
  const customer = await upstreamBlob(gateway, intent.providerSessionId);
  return {
    provider: providerOf(gateway, intent.providerId),
    inputs,
    quote: quoteFromJson(intent.quoteId, intent.quote),
    context: { idempotencyKey: intent.id, ...(customer === undefined ? {} : { customer }), ...(inputs.customerIp === undefined ? {} : { customerIp: inputs.customerIp }) },
  };
};

/** The blob of the upstream session that placed an order: it is always read with that one. */
export const upstreamBlob = async (gateway: Gateway, providerSessionId: string | undefined): Promise<string | undefined> => {
  const row = providerSessionId === undefined ? undefined : await gateway.stores.sessions.findUpstreamById(providerSessionId);
  return row?.blob === undefined ? undefined : await gateway.seal.open(row.blob, blobPlace(row.id));
};

/** From `prepared` on: known orders first, then `sending` is committed, then the one POST. */
export const sendPlacing = async (gateway: Gateway, intent: Intent, lease: Lease, requestId: string, reprice?: Reprice): Promise<GivenAnswer> => {
  const { intents } = gateway.stores;
  const placing = await placingOf(gateway, intent);
  const knownBefore = await readKnownOrders(gateway, intent, placing, requestId);
  if (knownBefore) await intents.change(intent.id, lease.owner, { knownBefore }, false);
  if (!(await intents.startSending(intent.id, lease, gateway.now()))) return await answerOf(gateway, await intents.find(intent.id));
  const sent = await sendOnce(gateway, intent, placing, requestId);
  if ('placed' in sent) return await confirmPlaced(gateway, intent, lease.owner, placing, sent.placed, reprice);
  if ('refused' in sent) {
    await intents.change(intent.id, lease.owner, { state: 'rejected', evidence: { refused: sent.refused } }, true);
    throw notTaken(sent.refused);
  }
  await intents.change(intent.id, lease.owner, { state: 'unknown', nextTryOn: gateway.now() + backOffMs(0, gateway.random()), evidence: { tries: 0, reposts: 0, lost: sent.lost } }, true);
  throw orderPending('The provider\'s answer was lost; the gateway is finding out what became of the order.');
};

export type Sent = { placed: PlacedOrder } | { refused: string } | { lost: string };

/** One POST. Refused only when the provider certainly did not take it; everything else may have made an order. */
export const sendOnce = async (gateway: Gateway, intent: Intent, placing: Placing, requestId: string): Promise<Sent> => {
  const { provider, quote, inputs, context } = placing;
  const request: PlaceRequest = {
    quote: quoteRequestOf(quote),
    offer: quote.offer.offer,
    inputs: inputs.order,
    noticeUrl: `${gateway.settings.public_url}/notices/${provider.id}/order/${intent.id}/${gateway.notices.token('order', intent.id)}`,
  };
  let left = false;
  try {
    const options = { operation: 'order', verb: 'place_order', requestId, deadlineMs: gateway.settings.routing.order_deadline_ms, idempotent: false, context } as const;
    const answer = await callProvider(gateway, provider, options, async (call) => {
      left = true;
      return await placeAt(provider, call, request);
    });
    return answer.ok ? { placed: answer.value } : { refused: answer.refusal.reason };
  } catch (fault) {
    if (!left || (fault instanceof ProviderFault && fault.taken === 'no')) return { refused: fault instanceof ProviderFault ? fault.kind : 'defect' };
    return { lost: fault instanceof ProviderFault ? fault.kind : 'defect' };
  }
};

const placeAt = async (provider: Provider, call: CallContext, request: PlaceRequest): Promise<Answer<PlacedOrder>> => {
  const adapter = provider.adapter[request.quote.ramp];
  if (!adapter) throw new Error(`${provider.id} has no ramp ${request.quote.ramp}`);
  return await adapter.placeOrder(call, request);
};

const quoteRequestOf = (quote: StoredQuote): QuoteRequest => {
  const { asked } = quote.route;
  if (asked.ramp === 'liquidity') return quote.terms['liquidity'] as unknown as QuoteRequest;
  if (!quote.option) throw new RangeError('a stored quote has no option');
  if (asked.ramp === 'buy') return { ramp: 'buy', fixed: asked.fixed, amount: asked.amount, option: quote.option };
  return { ramp: 'sell', fixed: asked.fixed, amount: asked.amount, option: quote.option, network: quote.terms['network'] === 'onchain' ? 'onchain' : 'lightning' };
};

/**
 * The ids of orders that this upstream session has already. Only asked where there can be any: after an earlier placing in the same
 * session. A provider that cannot be read now is not waited for: amounts and other intents still tell the orders apart.
 */
const readKnownOrders = async (gateway: Gateway, intent: Intent, placing: Placing, requestId: string): Promise<string[] | undefined> => {
  if (intent.providerSessionId === undefined || !placing.provider.core.status_by_session) return undefined;
  const earlier = await gateway.stores.intents.earlierIn(intent.providerSessionId);
  if (earlier.every((id) => id === intent.id)) return undefined;
  try {
    return (await readSessionOrders(gateway, placing, requestId)).flatMap((row) => row.upstreamOrderId ?? []);
  } catch {
    return undefined; // counted and logged by callProvider
  }
};

/** Every order of the placing's upstream session. */
export const readSessionOrders = async (gateway: Gateway, placing: Placing, requestId: string) => {
  const { provider, context, quote } = placing;
  const options = { operation: 'status', verb: 'read_orders', requestId, deadlineMs: gateway.settings.routing.status_deadline_ms, idempotent: true, context } as const;
  const answer = await callProvider(gateway, provider, options, async (call) => {
    const adapter = provider.adapter[quote.route.asked.ramp];
    if (!adapter) throw new Error(`${provider.id} has no such ramp`);
    return await adapter.readOrders(call);
  });
  return answer.ok ? answer.value : [];
};

/** Those that can be this intent's own. */
export const ownNewOrders = async (gateway: Gateway, intent: Intent, placing: Placing, requestId: string) => {
  const rows = await readSessionOrders(gateway, placing, requestId);
  const claimed = await gateway.stores.intents.claimedUpstreamIds(intent.providerId, rows.flatMap((row) => row.upstreamOrderId ?? []));
  return newOrders(rows, intent.knownBefore ?? [], claimed);
};
