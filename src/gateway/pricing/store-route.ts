import { fromJson, toJson } from '../../domain/route-json.ts';
import { quoteIdOf, readQuoteId, routeIdOf } from '../../domain/route-id.ts';
import type { Json as AnyJson } from '../../domain/offer.ts';
import type { Route, RoutedOffer } from '../../domain/route.ts';
import type { CatalogueOption } from '../../providers/spec.ts';
import type { Collected } from './collect-offers.ts';
import { Problem } from '../problem.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Json } from '../../ports/runtime.ts';
import type { RouteTerms, StoredRoute } from '../../ports/routes.ts';
import type { OpenSession } from '../sessions/read-session.ts';
import { optionToJson, optionFromJson } from '../catalogue/option-json.ts';

/** A route as it was stored, in one row. `routeId` and an offer's rank make the offer's quote id (quoteIdOf). */
export type StoredOffers = {
  routeId: string;
  route: Route;
  terms: RouteTerms;
  /** By rank − 1: the time until which /order accepts the quote. */ acceptBy: number[];
};

/** The JSON of a route's row. */
type Record_ = {
  route: AnyJson;
  terms: RouteTerms;
  acceptBy: number[];
  sessions: { [providerId: string]: string };
  options: { [providerId: string]: AnyJson };
  shadow: AnyJson;
};

export const storeRoute = async (gateway: Gateway, session: OpenSession, collected: Collected, terms: RouteTerms): Promise<StoredOffers> => {
  const { route, shadow, offerings } = collected;
  const routeId = routeIdOf(gateway.ids.uuid());
  const acceptBy = route.offers.map((offer) => acceptUntil(gateway, offer, route.decidedOn));
  const sessions: Record_['sessions'] = {};
  const listed: Record_['options'] = {};
  for (const { providerId } of route.offers) {
    const { sessionId, option } = offerings.get(providerId) ?? {};
    if (sessionId !== undefined) sessions[providerId] = sessionId;
    if (option) listed[providerId] = optionToJson(option);
  }
  const record: Record_ = {
    route: toJson(route),
    terms,
    acceptBy,
    sessions,
    options: listed,
    shadow: shadow.map(({ providerId, offer, latencyMs }) => ({
      providerId,
      pay: offer.pay.toString(),
      receive: offer.receive.toString(),
      fee: offer.fee.toString(),
      latencyMs,
    })),
  };
  await gateway.stores.routes.insert({
    id: routeId,
    customerId: session.customerId,
    sessionHash: session.idHash,
    ramp: route.asked.ramp,
    requestId: route.requestId,
    createdOn: route.decidedOn,
    route: record as Json,
  });
  return { routeId, route, terms, acceptBy };
};

const acceptUntil = (gateway: Gateway, offer: RoutedOffer, now: number): number => {
  const { quote_ttl_s, expiry_margin_s, accept_margin_s } = gateway.settings.routing;
  const { reservation, expiresOn } = offer.offer;
  if (reservation) return Math.min(reservation.acceptUntil, now + longestReservedMs) - accept_margin_s * 1000;
  return Math.min(now + quote_ttl_s * 1000, (expiresOn ?? Infinity) - expiry_margin_s * 1000);
};

/** The longest reservation that we believe, whatever the seller says. */
const longestReservedMs = 86_400_000;

/** One stored quote with everything that /order needs. */
export type StoredQuote = {
  quoteId: string;
  offer: RoutedOffer;
  route: Route;
  terms: RouteTerms;
  acceptBy: number;
  providerSessionId?: string;
  option?: CatalogueOption;
};

/** Finds the customer's quote. Throws `quote-not-found` if there is none; another customer's quote gives the same problem. */
export const findQuote = async (gateway: Gateway, quoteId: string, customerId: string): Promise<StoredQuote> => {
  const parts = readQuoteId(quoteId);
  const row = parts && (await gateway.stores.routes.find(parts.routeId, customerId));
  if (row && parts.rank === 0) throw new Problem('quote-not-found', 'This is an offers_id: order one of its offers by quote_id.');
  const found = row && quoteIn(row, parts.rank);
  if (!found) throw new Problem('quote-not-found', 'This customer has no such quote.');
  return found;
};

const quoteIn = (row: Pick<StoredRoute, 'id' | 'route'>, rank: number): StoredQuote | undefined => {
  const record = row.route as Record_;
  const route = fromJson(record.route);
  const offer = route.offers[rank - 1];
  const acceptBy = record.acceptBy[rank - 1];
  if (!offer || acceptBy === undefined) return undefined;
  const providerSessionId = record.sessions[offer.providerId];
  const option = record.options[offer.providerId];
  return {
    quoteId: quoteIdOf(row.id, rank),
    offer,
    route,
    terms: record.terms,
    acceptBy,
    ...(providerSessionId === undefined ? {} : { providerSessionId }),
    ...(option === undefined ? {} : { option: optionFromJson(option) }),
  };
};

/** Returns the stored form of an accepted quote: its route with only that offer. */
export const quoteToJson = (quote: StoredQuote): Json => ({
  route: toJson({ ...quote.route, offers: [quote.offer], excluded: [], refused: [], failed: [] }),
  terms: quote.terms,
  acceptBy: [quote.acceptBy],
  sessions: quote.providerSessionId === undefined ? {} : { [quote.offer.providerId]: quote.providerSessionId },
  options: quote.option ? { [quote.offer.providerId]: optionToJson(quote.option) } : {},
  shadow: [],
});

export const quoteFromJson = (quoteId: string, json: Json): StoredQuote => {
  const quote = quoteIn({ id: quoteId, route: json }, 1);
  if (!quote) throw new RangeError('a stored quote has no offer');
  return { ...quote, quoteId };
};

/** Finds the whole stored decision for a quote id or route id. Throws `quote-not-found` if the customer has none. */
export const findRoute = async (gateway: Gateway, id: string, customerId: string): Promise<StoredOffers & { chosen?: number; requestId: string }> => {
  const parts = readQuoteId(id);
  const row = parts && (await gateway.stores.routes.find(parts.routeId, customerId));
  if (!row) throw new Problem('quote-not-found', 'This customer has no such quote.');
  const record = row.route as Record_;
  return {
    routeId: row.id,
    route: fromJson(record.route),
    terms: record.terms,
    acceptBy: record.acceptBy,
    requestId: row.requestId,
    ...(parts.rank > 0 ? { chosen: parts.rank } : {}),
  };
};
