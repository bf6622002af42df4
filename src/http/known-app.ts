import { Problem } from '../gateway/problem.ts';
import type { HttpSettings } from './call.ts';
import type { KnownApp } from './limiter.ts';

/** More than a label: the operator's money or trust, or a budget of its own. */
const isWorthStealing = (app: KnownApp): boolean => app.allow.length > 0 || app.quotesPerMinute !== undefined || app.ordersPerMinute !== undefined;

/** The app whose key stands in the request. A browser says where a call comes from: a key that came from there is anybody's. */
export const appOf = (request: Request, hash: (text: string) => string, http: HttpSettings): KnownApp | undefined => {
  const bearer = /^Bearer ([\w.~+/=-]{16,256})$/.exec(request.headers.get('authorization') ?? '')?.[1];
  const app = bearer === undefined ? undefined : http.apps.get(hash(bearer));
  return app && request.headers.has('origin') && !isWorthStealing(app) ? { ...app, isPublic: true } : app;
};

export const refuseExposedKey = (request: Request, app: KnownApp | undefined): void => {
  if (app && !app.isPublic && request.headers.has('origin'))
    throw new Problem(
      'app-key-exposed',
      `This call comes from a browser (it has an Origin) with a secret key of the app "${app.id}", which everybody there can read. Use one of its publishable_keys there, keep this key on a server, and replace it.`,
    );
};
