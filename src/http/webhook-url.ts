import { Problem } from '../gateway/problem.ts';
import type { Gateway } from '../gateway/ports.ts';

/** A wallet's webhook: refused before anything is stored when it could reach what is not public. */
export const checkWebhook = (gateway: Gateway, url: string): string => {
  const checked = gateway.checkWebhookUrl(url);
  if (!checked.ok)
    throw new Problem('webhook-url-refused', `webhook_url: ${checked.reason}`, { errors: [{ pointer: '/webhook_url', detail: checked.reason }] });
  return url;
};
