import type { AnswerHeaders, HttpSettings } from './call.ts';

/** Response headers that a browser's script may read. */
const exposed = 'retry-after, ratelimit, ratelimit-policy, x-request-id, x-ramp-mode, allow, date, deprecation, sunset, link';

/**
 * Returns the CORS headers of an answer. Only a listed origin may read it. Errors have these headers, too, so that the page can read what went wrong.
 * Credentials are never allowed, and the name of an unknown origin is never returned.
 */
export const corsHeaders = (request: Request, http: HttpSettings): AnswerHeaders => {
  if (http.corsOrigins.size === 0) return {};
  const origin = request.headers.get('origin');
  if (origin === null || !http.corsOrigins.has(origin)) return { vary: 'Origin' };
  return { vary: 'Origin', 'access-control-allow-origin': origin, 'access-control-expose-headers': exposed };
};

/**
 * Answers a preflight from a listed origin; returns undefined for any other request. The header Authorization is allowed only from origins that may
 * use a publishable key.
 */
export const preflight = (request: Request, methods: readonly string[], http: HttpSettings): Response | undefined => {
  const origin = request.headers.get('origin');
  const listed = origin === null ? undefined : http.corsOrigins.get(origin);
  if (request.method !== 'OPTIONS' || !listed) return undefined;
  return new Response(null, {
    status: 204,
    headers: {
      ...corsHeaders(request, http),
      'access-control-allow-methods': methods.join(', '),
      'access-control-allow-headers': `content-type, content-encoding, idempotency-key, x-request-id, x-session-id${listed.mayShowKey ? ', authorization' : ''}`,
      'access-control-max-age': '600',
    },
  });
};
