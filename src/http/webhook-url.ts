import { Problem } from '../gateway/problem.ts';
import type { Gateway } from '../ports/gateway.ts';
import type { Webhook } from '../gateway/accounts/start-account.ts';
import type { Call } from './call.ts';

/**
 * Checks the URL of a wallet's webhook before anything is stored. Throws `webhook-url-refused` if the URL itself shows that nothing must be sent to
 * it; addresses that its host resolves to are checked when a webhook is sent.
 */
export const checkWebhook = (gateway: Gateway, url: string): string => {
  const checked = gateway.checkWebhookUrl(url);
  if (!checked.ok)
    throw new Problem('webhook-url-refused', `webhook_url: ${checked.reason}`, { errors: [{ pointer: '/webhook_url', detail: checked.reason }] });
  return url;
};

/** Returns the request's webhook and app, as the use cases need them. `unsaid`: the events to send if the request names none. */
export const webhookOf = (
  call: Call,
  request: { webhook_url?: string | undefined; webhook_events?: string[] | undefined },
  unsaid: readonly string[],
): Webhook => ({
  ...(request.webhook_url === undefined
    ? {}
    : { webhookUrl: checkWebhook(call.gateway, request.webhook_url), webhookEvents: request.webhook_events ?? [...unsaid] }),
  // Anybody can read a publishable key, so a call that shows one gets no webhooks signed in the app's name.
  ...(call.app === undefined || call.app.isPublic ? {} : { appId: call.app.id }),
});
