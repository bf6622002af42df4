import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../../../scripts/demo/wallet.ts';
import { freePort } from '../../../../test/setup/local-server.ts';
import { startTestGateway, until, type TestGateway } from '../../../../test/support/gateway.ts';
import { createBackend, type Backend } from './backend.ts';

let gateway: TestGateway;
let folder: string;
let backend: Backend;
let publicUrl: string;
const paidOut: string[] = [];
const payOut = async (orderId: string, lnurl: string): Promise<void> => {
  await createWallet(gateway.url).withdraw(lnurl);
  paidOut.push(orderId);
};
const start = async (port: number): Promise<void> => {
  publicUrl = `http://127.0.0.1:${port}`;
  backend = createBackend({ gateway: gateway.url, publicUrl, folder, payOut });
  await new Promise<void>((listening) => backend.server.listen(port, '127.0.0.1', listening));
};
const stop = async (): Promise<void> => {
  await new Promise((closed) => {
    backend.server.close(closed);
    backend.server.closeAllConnections();
  });
};
const post = async (path: string, body: object): Promise<{ status: number; body: Record<string, unknown> }> => {
  const response = await fetch(publicUrl + path, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const payUpstream = async (): Promise<void> => {
  const control = gateway.simulators['alpine']?.control;
  await control?.pay(control.history.orders.at(-1)?.orderId ?? '');
};

beforeAll(async () => {
  folder = mkdtempSync(`${tmpdir()}/backend-`);
  gateway = await startTestGateway({ alpine: { simulator: { quoteTtlS: 3600 } } });
  await start(await freePort());
});
afterAll(async () => {
  await stop();
  await gateway.close();
  rmSync(folder, { recursive: true });
});

it('orders, hears of the money by a webhook, and pays out; a forged webhook moves nothing', async () => {
  expect(await post('/buy', { pay: '5' })).toMatchObject({ status: 409, body: { not: [{ reason: 'below-minimum', min: { text: '10.00' } }] } });
  const { status, body } = await post('/buy', { pay: '100' });
  expect([status, body]).toMatchObject([200, { gets: { currency: 'sat' }, pay: { kind: 'bank', reference: expect.stringMatching(/^ALP-/) } }]);
  expect(await post('/webhook', { type: 'withdrawal_ready', data: { order_id: body['id'] } })).toMatchObject({ status: 401 });
  expect(paidOut).toEqual([]);
  await payUpstream();
  await gateway.passUntil('it was paid out', () => Promise.resolve(paidOut.includes(String(body['id'])) || undefined));
  const told = await until('it is finished', async () => {
    const seen = (await (await fetch(`${publicUrl}/orders/${String(body['id'])}`)).json()) as { stage: string };
    return seen.stage === 'finished' ? seen : undefined;
  });
  expect(told).toMatchObject({ id: body['id'], stage: 'finished' });
  expect(await (await fetch(`${publicUrl}/orders/3f0a5c9e-6a57-4c34-9b1e-0f6d2a7b8c11`)).json()).toMatchObject({ code: 'order-not-found' });
});

it('pays out what was filled while it was down', async () => {
  const { body } = await post('/buy', { pay: '50' });
  const { port } = backend.server.address() as AddressInfo;
  await stop();
  await payUpstream();
  await gateway.pass(6000);
  await start(port);
  await backend.resume();
  expect(paidOut.at(-1)).toBe(body['id']);
});
