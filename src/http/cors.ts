import type { AnswerHeaders, HttpSettings } from './call.ts';

/** Headers that a script may read besides the body. */
const exposed = 'retry-after, ratelimit, ratelimit-policy, x-request-id, x-ramp-mode, allow, deprecation, sunset, link';

/**
 * CORS for listed origins, without a key, on every answer. Errors have it, too, so that a browser shows what went wrong. No credentials, and no
 * reflection of unknown origins.
 */
export const corsHeaders = (request: Request, http: HttpSettings): AnswerHeaders => {
  if (http.corsOrigins.size === 0) return {};
  const origin = request.headers.get('origin');
  if (origin === null || !http.corsOrigins.has(origin)) return { vary: 'Origin' };
  return { vary: 'Origin', 'access-control-allow-origin': origin, 'access-control-expose-headers': exposed };
};

/** Answers a preflight. A call may bring a key from origins that may use a publishable one. */
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
