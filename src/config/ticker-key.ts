/** The key under which the sandbox passes the URL of its price feeds, next to the URLs of its providers, which are keyed by provider id. */
export const tickerKey = 'routing.reference';
