import { z } from '@hono/zod-openapi';
import { claimWithdrawal } from '../../gateway/following/claim-withdrawal.ts';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { endpoint } from '../call.ts';
import { buyWithdrawal } from '../order-shapes.ts';
import { sessionId, uuid } from '../shapes.ts';

const address = z.string().max(500);

export const withdrawal = endpoint({
  method: 'post',
  path: '/withdrawal',
  tag: 'FLS01',
  summary: 'The LNURL that pays out a filled order',
  body: z.object({
    session_id: sessionId,
    order_id: uuid,
    failback_onchain: address.optional().openapi({ description: 'A bitcoin address (or bitcoin: URI) that is paid when the link is not used in time' }),
    fallback_onchain: address.optional().openapi({ description: 'Alias of failback_onchain' }),
    on_chain_fallback: address.optional().openapi({ description: 'Alias of failback_onchain' }),
    accept_short: z
      .boolean()
      .optional()
      .openapi({ description: 'Take what there is of an order that was filled with less (order-short); the rest stays owed' }),
  }),
  answer: buyWithdrawal,
  problems: [
    'order-not-found',
    'order-not-withdrawable',
    'order-short',
    'withdrawal-differs',
    'withdrawal-expired',
    'fallback-unsupported',
    'address-invalid',
    'claim-outcome-unknown',
    'payout-link-refused',
    'misconfigured',
    'rate-limited',
  ],
  lane: 'reserved',
  run: async (call, body) => {
    const session = await readSession(call.gateway, body.session_id, 'owned');
    await call.limit('withdrawals', session.idHash);
    const fallback = body.failback_onchain ?? body.fallback_onchain ?? body.on_chain_fallback;
    return {
      body: await claimWithdrawal(call.scope, session, {
        order_id: body.order_id,
        accept_short: body.accept_short === true,
        ...(fallback === undefined ? {} : { failback_onchain: fallback }),
      }),
    };
  },
});
