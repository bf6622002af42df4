import { Problem } from '../gateway/problem.ts';
import type { HttpSettings } from './call.ts';
import type { KnownApp } from './limiter.ts';

/**
 * Returns whether a key of the app is worth stealing: the app may pay from the operator's balance, may name the customer's IP address, or has limits
 * of its own.
 */
const isWorthStealing = (app: KnownApp): boolean =>
  app.allow.length > 0 || [app.quotesPerMinute, app.ordersPerMinute, app.inFlight].some((own) => own !== undefined);

/**
 * Returns the app whose key the request shows. A call with an Origin comes from a browser, where anyone can read the key, so the app counts as
 * public. The exception is a secret key that is worth stealing: with such a key, `refuseExposedKey` refuses the call.
 */
export const appOf = (request: Request, hash: (text: string) => string, http: HttpSettings): KnownApp | undefined => {
  const bearer = /^Bearer ([\w.~+/=-]{16,256})$/.exec(request.headers.get('authorization') ?? '')?.[1];
  const app = bearer === undefined ? undefined : http.apps.get(hash(bearer));
  return app && request.headers.has('origin') && !isWorthStealing(app) ? { ...app, isPublic: true } : app;
};

export const refuseExposedKey = (request: Request, app: KnownApp | undefined): void => {
  if (app && !app.isPublic && request.headers.has('origin'))
    throw new Problem(
      'app-key-exposed',
      `This call comes from a browser (it has an Origin) and shows a secret key of the app "${app.id}", which anyone can read there. In browsers, use one of its publishable_keys. Replace this key, and keep the new one on a server.`,
    );
};
