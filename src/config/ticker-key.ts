/** The key, among the provider ids, for the URL of the sandbox's price feeds. */
export const tickerKey = 'routing.reference';
