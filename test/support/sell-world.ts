/** A gateway with a simulated Bringin and a wallet's webhook receiver, and the steps of a selling customer. */
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { startBringinSimulator, type SimulatorOptions } from '../../src/providers/bringin/bringin.simulator.ts';
import { apiSecret, bringinBlock, masterKey } from './bringin.ts';
import { movableClock } from './clock.ts';
import { startTestGateway, type TestGatewayOptions } from './gateway.ts';
import { optionOf } from './scenarios/sell.ts';
import { opened, type Body, type Call } from './wallet.ts';
import { startWebhookReceiver } from './webhook-receiver.ts';

export const appKey = 'the-key-of-an-app-that-names-its-customers-address';
export const iban = 'DE89370400440532013000';
export const bank = { iban, bic: 'COBADEFFXXX', beneficiary_name: 'Alice Example' };

export const startSellWorld = async (simulation: Partial<SimulatorOptions> = {}, options: TestGatewayOptions & { block?: Record<string, unknown> } = {}) => {
  const { block, ...rest } = options;
  const clock = options.clock ?? movableClock();
  const bringin = await startBringinSimulator({ id: 'bringin', now: clock.now, masterKey, apiSecret, linkMs: 50, webhookRetryMs: [20], ...simulation });
  const receiver = await startWebhookReceiver();
  const gateway = await startTestGateway(
    {},
    {
      ...rest,
      clock,
      config: {
        apps: { wallet: { key_hashes: [createHash('sha256').update(appKey).digest('hex')], allow: ['customer_ip'] } },
        ...rest.config,
      },
      blocks: {
        bringin: {
          ...bringinBlock(bringin.url),
          ...block,
        },
        ...rest.blocks,
      },
      environment: { BRINGIN_MASTER_KEY: masterKey, BRINGIN_API_SECRET: apiSecret, ...rest.environment },
    },
  );
  const { control } = bringin;

  /** Signs up, verifies and connects an account, as the simulated person would. */
  const connected = async (call: Call, email: string, more: object = {}): Promise<string> => {
    const started = await call('/sell/accounts', { provider: 'bringin', email, ...more });
    expect(started.status).toBe(200);
    const accountId = String(started.body['account_id']);
    while (!control.user(email).connected) await control.advanceKyc(email);
    await accountIs(call, accountId, 'connected');
    return accountId;
  };
  const accountIs = async (call: Call, accountId: string, status: string): Promise<Body> =>
    await gateway.passUntil(`account ${status}`, async () => {
      const { body } = await call('/sell/account-status', { account_id: accountId });
      return body['account_status'] === status ? body : undefined;
    });
  const connectionIs = async (call: Call, connectionId: string, status: string): Promise<Body> =>
    await gateway.passUntil(`connection ${status}`, async () => {
      const { body } = await call('/sell/connection-status', { connection_id: connectionId });
      return body['connection_status'] === status ? body : undefined;
    });
  const waiting = async (call: Call, accountId: string, name: string, username: string, more: object = {}): Promise<string> => {
    const made = await call('/sell/connections', { account_id: accountId, name, lightning_username: username, ...bank, ...more });
    expect([made.status, made.body['code']]).toEqual([200, undefined]);
    const id = String(made.body['connection_id']);
    await connectionIs(call, id, 'code_required');
    return id;
  };
  const activeConnection = async (call: Call, accountId: string, name: string, username: string, more: object = {}): Promise<string> => {
    const id = await waiting(call, accountId, name, username, more);
    const confirmed = await call('/sell/connection-confirm', { connection_id: id, code: '123456' });
    expect([confirmed.status, confirmed.body['connection_status']]).toEqual([200, 'active']);
    return id;
  };
  const orderIs = async (call: Call, orderId: string, stage: string): Promise<Body> =>
    await gateway.passUntil(`order ${stage}`, async () => {
      const { body } = await call('/sell/order-status', { order_id: orderId });
      const entry = body[orderId] as Body;
      return entry['stage'] === stage ? entry : undefined;
    });
  /** Pays like any wallet: gets an invoice by LNURL-pay at the address, and pays it. */
  const payAddress = async (user: string, sats: number): Promise<string> => {
    const asked = (await (await fetch(`${bringin.url}/.well-known/lnurlp/${user}`)).json()) as { callback: string };
    const callback = new URL(asked.callback);
    callback.searchParams.set('amount', String(sats * 1000));
    const { pr } = (await (await fetch(callback)).json()) as { pr: string };
    return await control.pay(pr);
  };
  /** Returns the data of the webhooks of a type that the wallet got, oldest first. */
  const told = (type: string): Body[] =>
    receiver.received.map((one) => JSON.parse(one.body) as { type: string; data: Body }).flatMap((one) => (one.type === type ? [one.data] : []));
  const asked = (endpoint: string): number => control.state.requests.filter((one) => one.endpoint === endpoint).length;

  return {
    bringin,
    control,
    receiver,
    gateway,
    opened: async (): Promise<Call> => (await opened(gateway.url)).call,
    optionOf,
    connected,
    accountIs,
    connectionIs,
    waiting,
    activeConnection,
    orderIs,
    payAddress,
    told,
    asked,
    close: async (): Promise<void> => {
      await gateway.close();
      await Promise.all([bringin.close(), receiver.close()]);
    },
  };
};
export type SellWorld = Awaited<ReturnType<typeof startSellWorld>>;
