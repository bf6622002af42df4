import * as z from 'zod';
import { problemMembers } from './price-shapes.ts';
import { switchInForce } from './operator/shapes.ts';
import { count, fiat, milliseconds, sats, time, uuid } from './shapes.ts';
import { turn } from './order-shapes.ts';
import { problemCode } from './problem-code.ts';
import { actions } from './problem.ts';

export const action = z.enum(actions);
export const requestError = z.object({ pointer: z.string(), detail: z.string() });

/** A problem document (RFC 9457), with the members that only some codes have. */
export const problemShape = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string(),
  code: problemCode,
  action,
  retryable: z.boolean(),
  help: z.string(),
  retry_after_ms: milliseconds.optional(),
  errors: z.array(requestError).optional(),
  order_id: uuid.optional(),
  amount_sats: sats.optional(),
  quoted_amount_sats: sats.optional(),
  amount_fiat: fiat.optional(),
  quoted_amount_fiat: fiat.optional(),
  moved_from: z.array(turn).optional(),
  order_ids: z.array(uuid).optional(),
  expires_on: time.optional(),
  quote_id: uuid.optional(),
  signup_url: z.string().optional(),
  action_url: z.string().optional(),
  attempts_left: count.optional(),
  code_expires_on: time.optional(),
  switch_version: z.string().optional(),
  switch: switchInForce.optional(),
});

/** The problems with a ramp's prices and orders. They may also list the providers that refused, failed or were excluded, and the current offers. */
export const rampProblems = {
  buy: problemShape.extend(problemMembers.buy),
  sell: problemShape.extend(problemMembers.sell),
  liquidity: problemShape.extend(problemMembers.liquidity),
};
