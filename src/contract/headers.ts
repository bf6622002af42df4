/** The headers of answers. */
export const headers = {
  XRequestId: {
    description: 'The id of this request: the caller’s, if it sent a good one (8 to 64 letters, digits, dots, dashes), else ours. Name it to support.',
    required: true,
    schema: { type: 'string' },
  },
  XRampMode: { description: '`sandbox` where no real money moves. Absent in live mode.', schema: { type: 'string', const: 'sandbox' } },
  CacheControl: { description: 'RFC 9111. `no-store` for everything that is somebody’s own.', required: true, schema: { type: 'string' } },
  RateLimit: {
    description:
      'What is left of the limit that is closest to being used up, and seconds until it is new: `"quotes";r=58;t=41` (draft-ietf-httpapi-ratelimit-headers).',
    schema: { type: 'string' },
  },
  RateLimitPolicy: { description: 'That limit, and its window in seconds: `"quotes";q=60;w=60`.', schema: { type: 'string' } },
  RetryAfter: { description: 'Seconds to wait before the same request, as in retry_after_ms.', schema: { type: 'integer', minimum: 1 } },
  Deprecation: {
    description: 'RFC 9745: since when this operation is deprecated, as @ and Unix seconds. Absent while it is not.',
    schema: { type: 'string', pattern: '^@[0-9]+$' },
  },
  Sunset: { description: 'RFC 8594: when a deprecated operation may go, at least six months after Deprecation.', schema: { type: 'string' } },
  Link: { description: 'RFC 8288: what to use instead of a deprecated operation, rel="deprecation".', schema: { type: 'string' } },
  ETag: { description: 'Of this file. Send it as If-None-Match.', required: true, schema: { type: 'string' } },
} as const;
export type HeaderName = keyof typeof headers;

/** By what an answer is. */
export const answerHeaders = {
  all: ['XRequestId', 'XRampMode', 'CacheControl'],
  limited: ['RateLimit', 'RateLimitPolicy'],
  retry: ['RetryAfter'],
  lifecycle: ['Deprecation', 'Sunset', 'Link'],
  file: ['ETag'],
} as const satisfies Record<string, readonly HeaderName[]>;
