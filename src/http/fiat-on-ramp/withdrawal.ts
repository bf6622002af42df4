import * as z from 'zod';
import { claimWithdrawal } from '../../gateway/following/claim-withdrawal.ts';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { endpoint } from '../call.ts';
import { buyWithdrawal } from '../order-shapes.ts';
import { sessionId, uuid } from '../shapes.ts';

const address = z.string().max(500);

export const withdrawal = endpoint({
  id: 'withdraw',
  method: 'post',
  path: '/withdrawal',
  body: z.object({
    session_id: sessionId,
    order_id: uuid,
    failback_onchain: address.optional(),
    fallback_onchain: address.optional(),
    on_chain_fallback: address.optional(),
    accept_short: z.boolean().optional(),
    only_held: z.boolean().optional(),
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
        only_held: body.only_held === true,
        ...(fallback === undefined ? {} : { failback_onchain: fallback }),
      }),
    };
  },
});
