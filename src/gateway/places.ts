/** The places to which sealed values are bound. A value can be opened only for the table, row and field for which it was sealed. */
import type { Place } from '../ports/runtime.ts';

const place =
  (table: string, field: string) =>
  (row: string): Place => ({ table, row, field });

export const answerPlace = place('intents', 'answer');
export const inputsPlace = place('intents', 'inputs');
export const paymentPlace = place('orders', 'payment_info');
export const webhookPlace = place('orders', 'webhook_url');
export const orderSecretPlace = place('orders', 'secret');
export const lnurlPlace = place('claims', 'lnurl');
export const fallbackPlace = place('claims', 'fallback');
export const blobPlace = place('provider_sessions', 'blob');
/**
 * The secret of a reserved order is copied between last_prices, routes and intents, so all copies share one place: the row is the order's upstream
 * id.
 */
export const reservedPlace = place('routes', 'reserved');
export const challengePlace = place('sessions', 'challenge');
export const replyPlace = place('sessions', 'opened_reply');
export const nodeKeyPlace = place('sessions', 'node_pubkey');
export const noticeBodyPlace = place('notices', 'body');
export const deliveryUrlPlace = place('deliveries', 'url');
export const signupPlace = place('accounts', 'signup');
export const accountWebhookPlace = place('accounts', 'webhook_url');
export const connectionRequestPlace = place('connections', 'request');
export const connectionStatePlace = place('connections', 'state');
