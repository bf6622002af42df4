import type { Gateway } from '../../ports/gateway.ts';

/**
 * Handles POST /webhook-test: sends one `test` webhook now, signed like the app's real webhooks. Returns only whether it was delivered, and the class
 * of the receiver's status.
 */
export const testWebhook = async (gateway: Gateway, url: string, appId: string | undefined): Promise<{ delivered: boolean; status_class: string }> => {
  const id = `msg_${gateway.ids.uuid().replaceAll('-', '')}`;
  const body = '{"type":"test","data":{}}';
  const timestamp = Math.floor(gateway.now() / 1000);
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': await gateway.signer.sign({ id, timestamp, body, ...(appId === undefined ? {} : { appId }) }),
    'webhook-sequence': '1',
    'webhook-attempt': '1',
  };
  const sent = await gateway.sender({ url, body, headers, timeoutMs: 15_000, isTest: true });
  return { delivered: sent.outcome === 'delivered', status_class: sent.statusClass };
};
