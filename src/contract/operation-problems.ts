import type { ProblemCode } from '../gateway/problem.ts';
import type { Endpoint } from '../http/call.ts';
import { idempotencyHeader } from '../http/idempotency-key.ts';

/**
 * Returns the problems that an operation may return. Problems that follow from the form of the route (its method, body, session, lane and
 * Idempotency-Key) are derived here. Problems of its use case are listed in the route's own `problems`.
 */
export const problemsOf = (endpoint: Endpoint): ReadonlySet<ProblemCode> =>
  new Set<ProblemCode>([
    ...endpoint.problems,
    'internal',
    'storage-unavailable',
    'app-key-exposed',
    ...(endpoint.lane === 'free' ? [] : (['temporary-reduced-capacity', 'rate-limited'] as const)),
    ...(endpoint.method === 'post' ? (['invalid-request', 'payload-too-large', 'unsupported-media-type'] as const) : []),
    ...(endpoint.query ? (['invalid-request'] as const) : []),
    ...(endpoint.body && 'session_id' in endpoint.body.shape ? (['session-invalid'] as const) : []),
    ...(endpoint.headers === idempotencyHeader ? (['idempotency-key-invalid', 'idempotency-key-reused'] as const) : []),
    ...(endpoint.guard ? (['not-found'] as const) : []),
  ]);
