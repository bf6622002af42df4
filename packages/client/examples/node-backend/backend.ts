/**
 * A wallet's backend that buys for its customers and pays out by itself. `POST /buy` places an order, `POST /webhook` receives the gateway's
 * webhooks, and `GET /orders/<id>` returns the state of an order. Start: `GATEWAY=http://127.0.0.1:8787 node start.ts`.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { join } from 'node:path';
import { createRamp, RampError, type BuyOrder } from '@ramp-gateway/client';
import { fileStore } from '@ramp-gateway/client/file-store';
import { verifyWebhook, type WebhookEvent, type WebhookKeys } from '@ramp-gateway/client/webhook';

export type Backend = { server: Server; /** Continues the orders that were open before a restart. */ resume: () => Promise<void> };
type Needs = {
  gateway: string;
  /** Where the gateway reaches this backend. */
  publicUrl: string;
  folder: string;
  /** Your wallet: redeems an LNURL-withdraw link. */
  payOut: (orderId: string, lnurl: string) => Promise<void>;
};

export const createBackend = ({ gateway, publicUrl, folder, payOut }: Needs): Backend => {
  // This example has one customer. For many, use a folder for each, and a table that says which customer an order id belongs to.
  const ramp = createRamp({ url: gateway, store: fileStore(join(folder, 'customer')), webhook: `${publicUrl}/webhook` });

  const payOutIfFilled = async (order: Pick<BuyOrder, 'id' | 'stage' | 'withdraw'>): Promise<void> => {
    // The same call returns the same link, and a link pays only once, so it does no harm to run this twice.
    if (order.stage === 'filled') await payOut(order.id, (await order.withdraw()).lnurl);
  };
  const resume = async (): Promise<void> => {
    const { orders, pending } = await ramp.open();
    for (const one of pending) orders.push(await one.again());
    for (const order of orders) await payOutIfFilled(order);
  };

  // Keep these ids in your database, so that other instances know them, too.
  const seen = new Set<string>();
  const onEvent = async ({ type, data, id }: WebhookEvent): Promise<void> => {
    if (seen.has(id)) return;
    // The status in a webhook may be out of date, so the order is read again.
    if (data.order_id !== undefined && (type === 'withdrawal_ready' || type === 'order_status_changed')) await payOutIfFilled(await ramp.find(data.order_id));
    seen.add(id);
  };

  let keys: WebhookKeys = [];
  let keysReadOn = 0;
  const isGenuine = async (request: IncomingMessage, body: string): Promise<WebhookEvent | undefined> => {
    const first = await verifyWebhook(request.headers, body, keys);
    if (first.ok) return first.event;
    // Either this is the first webhook, or the gateway's keys have changed.
    if (Date.now() < keysReadOn + 60_000) return undefined;
    keys = (await (await fetch(`${gateway}/.well-known/webhook-keys`)).json()) as WebhookKeys;
    keysReadOn = Date.now();
    const second = await verifyWebhook(request.headers, body, keys);
    return second.ok ? second.event : undefined;
  };

  const answer = async (request: IncomingMessage, body: string): Promise<[status: number, body?: unknown]> => {
    const [, orderId] = /^\/orders\/([\w-]+)$/.exec(request.url ?? '') ?? [];
    if (request.method === 'POST' && request.url === '/webhook') {
      const event = await isGenuine(request, body);
      if (!event) return [401];
      // An error here becomes a 500, and the gateway sends the webhook again later.
      await onEvent(event);
      return [200];
    }
    if (request.method === 'POST' && request.url === '/buy') {
      const { pay } = JSON.parse(body) as { pay: string };
      const { best, not } = await ramp.offers({ pay, currency: 'EUR', by: 'SEPA' });
      if (!best) return [409, { not }];
      const order = await ramp.buy(best, { atLeast: (best.gets.units * 99n) / 100n });
      return [200, { id: order.id, gets: order.gets, pay: order.pay }];
    }
    if (orderId !== undefined) {
      const { id, stage, gets } = await ramp.find(orderId);
      return [200, { id, stage, gets }];
    }
    return [404];
  };

  const server = createServer((request, response) => {
    const chunks: Uint8Array[] = [];
    request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    request.on('end', () => {
      answer(request, Buffer.concat(chunks).toString())
        .catch((error: unknown): [number, unknown] => {
          const told = error instanceof RampError ? { code: error.code, action: error.action, message: error.message } : { message: 'something went wrong' };
          return [error instanceof RampError && error.action === 'ask-user' ? 409 : 500, told];
        })
        .then(([status, body]) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? {})))
        .catch(() => response.destroy());
    });
  });
  return { server, resume };
};
