import { z } from '@hono/zod-openapi';
import { problemMembers } from './price-shapes.ts';
import { keptAmount } from './shapes.ts';
import { movedFrom } from './order-shapes.ts';
import { actions, codes } from './problem.ts';

/** RFC 9457, with the members that codes may add. */
export const problemShape = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().openapi({ description: 'The request id' }),
    code: z.enum(codes),
    action: z.enum(actions),
    retryable: z.boolean(),
    help: z.string(),
    retry_after_ms: z.int().optional(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
    ...problemMembers,
    connect_to: z.string().optional().openapi({ description: 'peer-not-connected: the node to connect to' }),
    order_id: z.string().optional(),
    amount_sats: keptAmount.optional().openapi({ description: 'order-short: what there is' }),
    quoted_amount_sats: keptAmount.optional().openapi({ description: 'order-short: what was ordered' }),
    moved_from: movedFrom,
    order_ids: z.array(z.string()).optional().openapi({ description: 'The open orders that are in the way' }),
    expires_on: z.string().optional().openapi({ description: 'With order_ids: when the last of them can no longer be paid' }),
    quote_id: z.string().optional().openapi({ description: 'order-pending: the quote whose order comes first' }),
    signup_url: z.string().optional().openapi({ description: 'account-not-connected: where the customer signs up' }),
    attempts_left: z.int().optional().openapi({ description: 'code-wrong' }),
    code_expires_on: z.string().optional().openapi({ description: 'code-expired: how long the connection waits for a code' }),
  })
  .openapi('Problem');
