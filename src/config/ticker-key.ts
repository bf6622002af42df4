/** Beside the provider ids: where the sandbox's ticker listens. */
export const tickerKey = 'routing.reference';
