/** The response headers. */
export const headers = {
  XRequestId: {
    description:
      'The id of this request. It is the caller’s own id if the request had a valid one (8 to 64 letters, digits, dots, dashes, underscores), and otherwise made by the gateway. Give it to support when you ask for help.',
    required: true,
    schema: { type: 'string' },
  },
  XRampMode: { description: '`sandbox` if no real money moves. Absent in live mode.', schema: { type: 'string', const: 'sandbox' } },
  CacheControl: { description: 'RFC 9111. `no-store` for everything that belongs to one customer or caller.', required: true, schema: { type: 'string' } },
  RateLimit: {
    description:
      'The limit that is closest to being used up: how many requests remain, and in how many seconds it resets: `"quotes";r=58;t=41` (draft-ietf-httpapi-ratelimit-headers).',
    schema: { type: 'string' },
  },
  RateLimitPolicy: { description: 'The same limit: how many requests it allows, and its window in seconds: `"quotes";q=60;w=60`.', schema: { type: 'string' } },
  RetryAfter: {
    description: 'How many seconds to wait before you send the same request again, as in retry_after_ms.',
    schema: { type: 'integer', minimum: 1 },
  },
  Deprecation: {
    description: 'RFC 9745: when this operation was deprecated, as @ and Unix seconds. Absent if it is not deprecated.',
    schema: { type: 'string', pattern: '^@[0-9]+$' },
  },
  Sunset: {
    description: 'RFC 8594: the earliest time at which a deprecated operation may be removed, at least six months after Deprecation.',
    schema: { type: 'string' },
  },
  Link: {
    description: 'RFC 8288 and RFC 9745: a link with rel="deprecation" to a page that says what to use instead of this operation.',
    schema: { type: 'string' },
  },
  ETag: { description: 'The ETag of this file. Send it as If-None-Match.', required: true, schema: { type: 'string' } },
} as const;
export type HeaderName = keyof typeof headers;

/** The headers that each kind of answer has. */
export const answerHeaders = {
  all: ['XRequestId', 'XRampMode', 'CacheControl'],
  limited: ['RateLimit', 'RateLimitPolicy'],
  retry: ['RetryAfter'],
  lifecycle: ['Deprecation', 'Sunset', 'Link'],
  file: ['ETag'],
} as const satisfies Record<string, readonly HeaderName[]>;
