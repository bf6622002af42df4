import { z } from '@hono/zod-openapi';
import { claimWithdrawal } from '../../gateway/following/claim-withdrawal.ts';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { endpoint } from '../call.ts';
import { sessionId, time, uuid } from '../shapes.ts';

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
  }),
  answer: z.object({ order_id: uuid, withdrawal_expiration_date: time, lnurlw: z.string() }),
  problems: [
    'order-not-found',
    'order-not-withdrawable',
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
      body: await claimWithdrawal(call.scope, session, { order_id: body.order_id, ...(fallback === undefined ? {} : { failback_onchain: fallback }) }),
    };
  },
});
