import * as z from 'zod';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { testWebhook } from '../../gateway/deliveries/test-webhook.ts';
import { endpoint } from '../call.ts';
import { publicKey, sessionId, webhookUrl } from '../shapes.ts';
import { checkWebhook, webhookOf } from '../webhook-url.ts';

export const webhookKey = publicKey.extend({ whpk: z.string() });

export const webhookKeys = endpoint({
  id: 'getWebhookKeys',
  method: 'get',
  path: '/.well-known/webhook-keys',
  answer: z.object({
    keys: z.array(webhookKey),
  }),
  problems: [],
  lane: 'free',
  run: async ({ gateway, headers }) => {
    headers['cache-control'] = 'public, max-age=300';
    return { body: await gateway.signer.jwks() };
  },
});

export const webhookTest = endpoint({
  id: 'testWebhook',
  method: 'post',
  path: '/webhook-test',
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
