import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { watchWebhook } from '../setup/described.ts';
import { until, type TestGateway } from './gateway.ts';

export type ReceivedWebhook = { path: string; headers: IncomingHttpHeaders; body: string; at: number };
export type WebhookReceiver = {
  url: string;
  received: ReceivedWebhook[];
  /** Waits for a request. If a gateway in this process sends it, pass that gateway: then its clock is moved, and nobody waits for its next run. */
  waitFor: (what: string, is: (one: ReceivedWebhook) => boolean, sender?: Pick<TestGateway, 'passUntil'>) => Promise<ReceivedWebhook>;
  respond: (status: number, headers?: Record<string, string>) => void;
  close: () => Promise<void>;
};

/** A wallet's backend on loopback. Records what comes, and answers as the test says. */
export const startWebhookReceiver = async (): Promise<WebhookReceiver> => {
  const received: ReceivedWebhook[] = [];
  let answer: { status: number; headers: Record<string, string> } = { status: 200, headers: {} };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      watchWebhook(request.headers, body);
      received.push({ path: request.url ?? '', headers: request.headers, body, at: Date.now() });
      response.writeHead(answer.status, answer.headers).end('marker-of-the-receiver');
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    waitFor: async (what, is, sender) => await (sender?.passUntil ?? until)(what, () => Promise.resolve(received.find(is))),
    respond: (status, headers = {}) => {
      answer = { status, headers };
    },
    close: async () =>
      await new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
};
