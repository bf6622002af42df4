import type { Context } from 'hono';
import type { Secrets } from '../config/secrets.ts';
import { constantTimeEqual } from '../seal/hash.ts';

/** Returns whether the request sends METRICS_TOKEN. False while that is not set. */
export const sendsMetricsToken = (c: Context, { metricsToken }: Secrets): boolean => {
  const token = /^Bearer (.+)$/.exec(c.req.header('authorization') ?? '')?.[1];
  return token !== undefined && metricsToken !== undefined && constantTimeEqual(token, metricsToken);
};

/** Refuses to show the metrics. `unset`: the reason while METRICS_TOKEN is not set. */
export const refuseMetrics = (c: Context, { metricsToken }: Secrets, unset: string): Response =>
  c.text(`${metricsToken === undefined ? unset : 'Metrics are shown only to callers that send METRICS_TOKEN as a bearer token.'}\n`, 403);
