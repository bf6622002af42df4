/** Decides which host serves the operator's console, and which serves the public. */
import type { HttpSettings } from './call.ts';

/**
 * A browser sends at least one of these headers with every request to an https or loopback address. Over plain http to another name, a GET from the
 * same origin may have none.
 */
const browserHeaders = ['origin', 'sec-fetch-site', 'sec-fetch-mode'] as const;
const isFromBrowser = (request: Request): boolean => browserHeaders.some((name) => request.headers.has(name));

const isOperatorCall = (path: string): boolean => path === '/operator' || path.startsWith('/operator/');
const hostOf = (request: Request): string => (request.headers.get('host') ?? '').toLowerCase();
export const isConsoleHost = (request: Request, { consoleHost }: Pick<HttpSettings, 'consoleHost'>): boolean =>
  consoleHost !== undefined && hostOf(request) === consoleHost;
const isLoopback = (host: string): boolean => /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/.test(host);

/**
 * Returns whether this host serves the request. In live mode, only the console's host serves the console and, to browsers, `/operator`. Except for
 * `/` and the assets, that host serves nothing else. So a script on a page of the public host can neither frame the console nor read its answers.
 * Without such a host there is no console. In the sandbox, localhost and loopback addresses serve both, too. Another name that resolves to a loopback
 * address does not. Over plain http, a page under such a name may still reach `/operator`, because its request does not show that it comes from a
 * browser. But the page has no token.
 */
export const isServedHere = (request: Request, path: string, { mode, consoleHost }: Pick<HttpSettings, 'mode' | 'consoleHost'>): boolean => {
  const isConsole = path === '/console' || (isOperatorCall(path) && isFromBrowser(request));
  if (!isConsole && consoleHost === undefined) return true;
  const host = hostOf(request);
  if (isConsoleHost(request, { consoleHost })) return isConsole || isOperatorCall(path) || path === '/' || path.startsWith('/assets/');
  return !isConsole || (mode === 'sandbox' && isLoopback(host));
};

/** Returns whether the answer is for an operator. Pages of other hosts must not be able to read such an answer. */
export const isForOperators = (request: Request, path: string, http: Pick<HttpSettings, 'consoleHost'>): boolean =>
  isOperatorCall(path) || isConsoleHost(request, http);
