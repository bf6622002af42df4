import type { AnswerHeaders, HttpSettings } from './call.ts';

/** What a script may read beside the body. */
const exposed = 'retry-after, ratelimit, ratelimit-policy, x-request-id, x-ramp-mode, allow';

/**
 * CORS needs no key: it is allowed for listed origins, on every answer, errors too, so that a browser shows what went wrong. No credentials,
 * no reflection of unknown origins.
 */
export const corsHeaders = (request: Request, http: HttpSettings): AnswerHeaders => {
  if (http.corsOrigins.size === 0) return {};
  const origin = request.headers.get('origin');
  if (origin === null || !http.corsOrigins.has(origin)) return { vary: 'Origin' };
  return { vary: 'Origin', 'access-control-allow-origin': origin, 'access-control-expose-headers': exposed };
};

/** The answer to a browser that asks before it calls. A key may come along from where a publishable one may stand. */
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
