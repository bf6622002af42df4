/**
 * For every request and response in __fixtures__: the wire schemas read the response, and the simulator answers the request in the same shape, so
 * that neither drifts from what is known about Bringin. Values are compared if the documentation means them to be equal.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { apiSecret, masterKey } from '../../../test/support/bringin.ts';
import { startBringinSimulator, type RunningSimulator } from './bringin.simulator.ts';
import * as wire from './bringin-wire.ts';

const fixture = z.strictObject({
  meta: z.strictObject({ origin: z.enum(['recorded', 'from-docs', 'invented']), source: z.string().min(10), date: z.string(), note: z.string() }),
  request: z.strictObject({
    method: z.enum(['GET', 'POST']),
    path: z.string(),
    key: z.enum(['master', 'user', 'nobody']),
    body: z.record(z.string(), z.unknown()).optional(),
  }),
  response: z.strictObject({ status: z.int(), body: z.unknown() }),
});
const folder = fileURLToPath(new URL('__fixtures__/', import.meta.url));
const fixtures = Object.fromEntries(
  readdirSync(folder).map((file) => [file.replace('.json', ''), fixture.parse(JSON.parse(readFileSync(`${folder}${file}`, 'utf8')))]),
);

const schemas: [RegExp, z.ZodType][] = [
  [/^connect-(connected|pending|new)$/, wire.connectReply],
  [/^connect-status$/, wire.statusReply],
  [/^user-id$/, wire.userIdReply],
  [/^rates$/, wire.ratesReply],
  [/^address-/, wire.addressReply],
  [/^order-/, wire.orderReply],
  [/^balance$/, wire.balanceReply],
  [/^transactions$/, wire.transactionsReply],
  [/^link-(create|initiating|pending|active|failed|buy)$/, wire.linkReply],
  [/^link-list$/, wire.linksReply],
  [/^(confirm|cancel-confirm)/, wire.standingOrderReply],
  [/^resend/, wire.resendReply],
  [/^cancel-(soft|hard)$/, wire.cancelReply],
  [/^error-/, z.looseObject({ errorCode: z.string().transform((code) => wire.errorCodeOf({ errorCode: code })) })],
];
test.each(Object.entries(fixtures))('%s is read by exactly one schema', (name, { response }) => {
  const fitting = schemas.filter(([names]) => names.test(name));
  expect(fitting.map(([, schema]) => schema.safeParse(response.body).success)).toEqual([true]);
});

/** Returns the shape of a value: its members and their types at every depth. Times, decimals and strings of digits count as types of their own. */
const shapeOf = (value: unknown): unknown => {
  if (Array.isArray(value)) return [shapeOf(value[0])];
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shapeOf(member)]));
  if (typeof value !== 'string') return value === null ? 'null' : typeof value;
  if (/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(value)) return 'time';
  return /^\d+$/.test(value) ? 'digits' : /^\d+\.\d+$/.test(value) ? 'decimal' : 'text';
};

describe('the simulator answers in the shape of', () => {
  let simulator: RunningSimulator;
  let userKey: string;
  const email = 'alice@example.com';
  beforeAll(async () => {
    simulator = await startBringinSimulator({
      id: 'bringin',
      masterKey,
      apiSecret,
      linkMs: 0,
      knownUsers: ['known@example.com'],
      lightningDomain: 'bringin.xyz',
    });
    await send('connect-connected');
    while (!simulator.control.user(email).connected) await simulator.control.advanceKyc(email);
    userKey = simulator.control.user(email).key;
  });
  afterAll(async () => await simulator.close());

  /** Sends a fixture's request, unchanged except for ids that only the simulator knows. */
  const send = async (name: string, more: { path?: string; body?: object } = {}): Promise<{ status: number; body: unknown }> => {
    const { request } = fixtures[name] ?? fixture.parse(undefined);
    const key = { master: masterKey, user: userKey, nobody: 'bm9ib2R5' }[request.key];
    const body = request.body === undefined ? undefined : JSON.stringify({ ...request.body, ...more.body });
    const response = await fetch(`${simulator.url}/api/v0${more.path ?? request.path}`, {
      method: request.method,
      headers: { 'api-key': key, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, body: await response.json() };
  };
  const same = async (name: string, more: { path?: string; body?: object } = {}): Promise<void> => {
    const [expected, actual] = [fixtures[name]?.response, await send(name, more)];
    expect([name, actual.status, shapeOf(actual.body)]).toEqual([name, expected?.status, shapeOf(expected?.body)]);
  };
  const link = () => simulator.control.user(email).links.at(-1);
  const linkPath = (): string => `/bringin-link/${link()?.id}`;
  const orderPath = (): string => `/bringin-link/${link()?.standingOrder?.id}`;
  const challenge = (): object => ({ challengeId: simulator.control.state.texts.at(-1)?.challengeId });

  test('the three answers, and what a key is good for', async () => {
    for (const name of ['connect-connected', 'connect-pending', 'connect-new', 'connect-status', 'user-id', 'error-bad-key', 'error-wrong-pair'])
      await same(name);
  });
  test('rates, by value too', async () => {
    simulator.control.setOptions({ price: '25188.12', bringinPrice: '24936.2388' });
    await same('rates');
    expect((await send('rates')).body).toEqual({ ...(fixtures['rates']?.response.body as object), timestamp: expect.any(Number) as unknown });
    simulator.control.setOptions({ price: '91800.00', bringinPrice: '90882.00' });
  });
  test('deposits, orders, balance, transactions', async () => {
    for (const name of ['address-lightning', 'address-onchain', 'order-lightning', 'order-onchain', 'balance']) await same(name);
    const { body } = await send('order-lightning');
    await simulator.control.pay((body as { invoice: string }).invoice);
    await same('transactions');
  });
  test('a connection from its creation to its end, in both dialects', async () => {
    simulator.control.setOptions({ linkMs: 50 });
    await same('link-create');
    await same('link-initiating', { path: linkPath() });
    simulator.control.moveClock(50);
    await same('link-pending', { path: linkPath() });
    await same('resend', { body: challenge() });
    simulator.control.setOptions({ linkDialect: 'older', linkMs: 0 });
    await same('resend-older', { body: challenge() });
    simulator.control.setOptions({ linkDialect: 'newer' });
    await same('error-code-wrong', { body: challenge() });
    await same('confirm', { body: challenge() });
    await same('link-active', { path: linkPath() });
    await same('link-list');
    const path = `${orderPath()}/cancel`;
    await same('cancel-hard', { path });
    await same('cancel-confirm', { path: `${path}/confirm`, body: challenge() });
  });
  test('further connections: one confirmed as on the older pages, one shared, one failed, and one that buys', async () => {
    await send('link-create');
    await send('link-pending', { path: linkPath() });
    simulator.control.setOptions({ linkDialect: 'older' });
    await same('confirm-older', { body: challenge() });
    simulator.control.shareWallet(email, 'shared@bringin.xyz', 'DE89370400440532013000');
    await send('link-create', { body: { name: 'Shared', lnAddress: 'shared@bringin.xyz' } });
    await send('link-active', { path: linkPath() });
    await same('cancel-soft', { path: `${orderPath()}/cancel` });
    simulator.control.nextLink('FAILED');
    await send('link-create', { body: { name: 'Fails', lnAddress: 'fails@bringin.xyz' } });
    await same('link-failed', { path: linkPath() });
    await send('error-wrong-pair', { body: { network: 'BTC' } });
    await send('link-buy', { path: linkPath() });
    simulator.control.setLink(email, link()?.id ?? '', 'PENDING');
    await send('confirm', { body: challenge() });
    await same('link-buy', { path: linkPath() });
  });
});
