import { z } from '@hono/zod-openapi';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { testWebhook } from '../../gateway/deliveries/test-webhook.ts';
import { endpoint } from '../call.ts';
import { sessionId, webhookUrl } from '../shapes.ts';
import { checkWebhook, webhookOf } from '../webhook-url.ts';

export const webhookKeys = endpoint({
  method: 'get',
  path: '/.well-known/webhook-keys',
  tag: 'Webhooks',
  summary: 'The public keys that sign webhooks; both old and new ones during a rotation',
  answer: z.object({
    keys: z.array(z.object({ kid: z.string(), kty: z.literal('OKP'), crv: z.literal('Ed25519'), use: z.literal('sig'), x: z.string(), whpk: z.string() })),
  }),
  problems: [],
  lane: 'free',
  run: async ({ gateway, headers }) => {
    headers['cache-control'] = 'public, max-age=300';
    return { body: await gateway.signer.jwks() };
  },
});

export const webhookTest = endpoint({
  method: 'post',
  path: '/webhook-test',
  tag: 'Webhooks',
  summary: 'Send one signed `test`, and report how the receiver answered',
  body: z.object({ session_id: sessionId, webhook_url: webhookUrl }),
  answer: z.object({ delivered: z.boolean(), status_class: z.string() }),
  problems: ['webhook-url-refused', 'rate-limited'],
  lane: 'quotes',
  run: async (call, body) => {
    const session = await readSession(call.gateway, body.session_id, 'price');
    await call.limit('webhook-tests', session.idHash);
    const { appId } = webhookOf(call, {}, []);
    return { body: await testWebhook(call.gateway, checkWebhook(call.gateway, body.webhook_url), appId) };
  },
});
