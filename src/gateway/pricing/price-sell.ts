import { defined } from '../../domain/defined.ts';
import type { CallContext, SellQuoteRequest } from '../../providers/spec.ts';
import { collectOffers, type Ask, type Asking } from './collect-offers.ts';
import { withinLimits } from './in-flight.ts';
import { notePrices } from './last-prices.ts';
import { exchangeTerms, keptTerms, readExchange, withListedLimits, type ExchangeRequest } from './exchange-terms.ts';
import { upstreamBlob } from '../upstream/blob.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Scope } from '../../ports/scope.ts';
import type { OpenSession } from '../sessions/read-session.ts';
import { storeRoute, type StoredOffers } from './store-route.ts';

export type SellPriceRequest = ExchangeRequest & { network?: 'lightning' | 'onchain' | undefined };

/**
 * Asks the sell providers for their prices, decides, and stores the route. The customer needs no account for this: an offer's `requires` lists what
 * is missing. The route also stores which offers need a connection, even if the customer already has a connection.
 */
export const priceSell = async (scope: Scope, session: OpenSession, request: SellPriceRequest): Promise<StoredOffers> => {
  const { gateway } = scope;
  const network = request.network ?? 'lightning';
  const exchange = await readExchange(scope, 'sell', request);
  const { asked, since } = exchange;
  const accounts = new Map((await gateway.stores.accounts.list(session.customerId)).map((account) => [account.providerId, account]));
  const asks = gateway.providers.flatMap((provider): Ask[] => {
    const adapter = provider.adapter.sell;
    if (provider.core.mode === 'off' || !adapter) return [];
    const offered = exchangeTerms(gateway, provider, exchange);
    if (!('option' in offered)) return [offered];
    const { terms, option } = offered;
    const account = accounts.get(provider.id);
    const wanted: SellQuoteRequest = { ramp: 'sell', fixed: asked.fixed, amount: asked.amount, option, network, ...defined({ country: exchange.country }) };
    const ask = async (call: CallContext): Promise<Asking> => {
      // An account that has to be reconnected cannot be used for an order, so the provider is asked without it.
      const customer = account?.status === 'connected' ? await upstreamBlob(gateway, account.id) : undefined;
      const answer = await adapter.quote({ ...call, ...(customer === undefined ? {} : { customer }) }, wanted);
      if (!answer.ok) return { refusal: withListedLimits(gateway, asked, { providerId: provider.id, option }, answer.refusal) };
      if (!answer.value.requires.includes('connection')) return { offer: answer.value, option };
      const has = account !== undefined && (await hasConnection(gateway, account.id, network));
      const requires = answer.value.requires.filter((condition) => condition !== 'connection' || !has);
      return { offer: { ...answer.value, requires }, option, needsConnection: true };
    };
    return [{ provider, terms, ask }];
  });
  const collected = await collectOffers(scope, {
    asked,
    asks: await withinLimits(gateway, 'sell', asks),
    session,
    maxWaitMs: request.max_wait_ms,
    since,
  });
  notePrices(gateway, asked, collected.route.offers);
  const needConnection = [...collected.offerings].flatMap(([id, { needsConnection }]) => (needsConnection === true ? [id] : []));
  return await storeRoute(gateway, session, collected, { ...keptTerms(exchange), network, needConnection });
};

const hasConnection = async (gateway: Gateway, accountId: string, network: 'lightning' | 'onchain'): Promise<boolean> =>
  (await gateway.stores.accounts.connections(accountId)).some((one) => one.status === 'active' && one.direction === 'sell' && one.network === network);
