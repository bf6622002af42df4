/**
 * A route and its quotes share one random UUID v4, except for its last byte, which is the rank: 0 for the route itself, 1 for the best offer, and so
 * on. So one stored row holds every quote of a request, and a quote id leads to that row without a second index.
 */
const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Returns the route id for a fresh UUID v4. */
export const routeIdOf = (uuid: string): string => `${uuid.slice(0, 34)}00`;

export const quoteIdOf = (routeId: string, rank: number): string => `${routeId.slice(0, 34)}${rank.toString(16).padStart(2, '0')}`;

export const readQuoteId = (quoteId: string): { routeId: string; rank: number } | undefined =>
  uuidForm.test(quoteId) ? { routeId: routeIdOf(quoteId), rank: Number.parseInt(quoteId.slice(34), 16) } : undefined;
