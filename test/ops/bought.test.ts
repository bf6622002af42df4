/** What an operator settles about bought sats that the customer withdraws. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { sha256Hex } from '../../src/seal/hash.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { runCommand, type Ran } from './run.ts';

const token = 'bought-token-bought-token';
let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway(
    {
      alpine: { simulator: { quoteTtlS: 3600 } },
      thief: { simulator: { quoteTtlS: 3600, deviations: ['finished-unlinked'] } },
    },
    { config: { operator: { token_hashes: [sha256Hex(token)] } } },
  );
});
afterAll(async () => await gateway.close());

const run = async (...args: string[]): Promise<Ran> => await runCommand('order', args, { DATABASE_URL: gateway.database.url });
const ask = async (path: string, body?: object): Promise<Record<string, unknown>> => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${gateway.url}/operator${path}`, { headers, ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}) });
  return (await answer.json()) as Record<string, unknown>;
};
const card = async (id: string) =>
  (await ask(`/orders/${id}`)) as { pin: string; settlings: string[]; order: { stage: string; final: boolean }; where: string };
const lost = async (id: string): Promise<boolean> => ((await ask('/attention'))['claims_in_review'] as string[]).includes(id);

const filled = async (provider: string) => {
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  await wallet.call('/payment-options', { session_id: sessionId });
  const { body: offers } = await wallet.call('/offers', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  const offer = (offers['offers'] as { provider: { id: string }; quote_id: string }[]).find((one) => one.provider.id === provider);
  const id = String((await wallet.call('/order', { session_id: sessionId, quote_id: offer?.quote_id })).body['order_id']);
  const control = gateway.simulators[provider]?.control;
  if (!control) throw new Error('no such simulator');
  await control.pay(control.history.orders.at(-1)?.orderId ?? '');
  const withdraw = async (more: object = {}) => (await wallet.call('/withdrawal', { session_id: sessionId, order_id: id, ...more })).body;
  const becomes = async (stage: string) =>
    await gateway.passUntil(stage, async () => {
      const { body } = await wallet.call('/order-status', { session_id: sessionId, order_id: id });
      return (body[id] as { stage: string }).stage === stage ? true : undefined;
    });
  await becomes('filled');
  return { id, withdraw, becomes, control };
};

it('a filled order is ended once its customer was paid in another way, and leaves the lists', async () => {
  const { id, withdraw, becomes } = await filled('thief');
  for (let n = 0; n < 2; n += 1) {
    expect((await withdraw())['code']).toBe('claim-outcome-unknown');
    gateway.clock.move(600_000);
  }
  expect([(await card(id)).settlings, await lost(id)]).toEqual([['paid-not-filled', 'paid-otherwise'], true]);
  expect((await run(id)).out).toContain('--paid-otherwise "<proof of payment>"');
  expect((await run(id, '--paid-otherwise', ' ')).error).toContain('needs the proof');
  expect(await run(id, '--paid-otherwise', 'bank statement of 30 November')).toEqual({
    code: 0,
    out: `${id} can no longer be withdrawn, and is finished at the next read from the provider\n`,
    error: '',
  });
  expect((await withdraw())['code']).toBe('order-not-withdrawable');
  await becomes('finished');
  const { order, settlings } = await card(id);
  expect([order.stage, order.final, settlings, await lost(id)]).toEqual(['finished', true, [], false]);
  expect((await run(id, '--paid-otherwise', 'again')).error).toContain(`${id} is finished. Only a filled order`);
  const [event] = await gateway.database.sql`select from_stage, to_stage, source from order_events where order_id = ${id} order by sequence desc limit 1`;
  expect(event).toEqual({ from_stage: 'filled', to_stage: 'finished', source: 'operator' });
  const actions = await gateway.database.sql`select detail->>'proof' as proof from operator_actions where action = 'order.paid-otherwise' and subject = ${id}`;
  expect(actions).toEqual([{ proof: 'bank statement of 30 November' }]);
});

it('an order is not ended while its link can be used, or if nothing is withdrawn from it', async () => {
  const { id, withdraw, control } = await filled('alpine');
  expect((await card(id)).settlings).toEqual(['paid-otherwise']);
  expect((await withdraw())['lnurlw']).toMatch(/^LNURL1/);
  const { pin, settlings } = await card(id);
  expect(settlings).toEqual([]);
  const asked = { settling: 'paid-otherwise', reason: 'paid by hand', pin };
  expect((await ask(`/orders/${id}/settle`, asked))['code']).toBe('not-possible-now');
  expect((await ask(`/orders/${id}/settle`, { ...asked, evidence: 'x' }))['code']).toBe('not-possible-now');
  expect((await ask(`/orders/${id}/settle`, { ...asked, settling: 'close-dispute', evidence: 'x' }))['code']).toBe('invalid-request');
  gateway.clock.move(3_600_000);
  expect((await card(id)).settlings).toEqual(['paid-not-filled', 'paid-otherwise']);
  const { sql } = gateway.database;
  await sql`update orders set ramp = 'sell', next_check_on = '9999-01-01T00:00Z' where id = ${id}`;
  const { pin: now } = await card(id);
  expect((await ask(`/orders/${id}/settle`, { ...asked, pin: now }))['code']).toBe('not-possible-now');
  await sql`update orders set ramp = 'buy', next_check_on = now() where id = ${id}`;
  expect(control.history.orders.length).toBeGreaterThan(0);
});

it('a fallback address is dropped if no link was given with it; if an answer may have been lost, only with evidence', async () => {
  const [address, other] = ['bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080', 'bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry'];
  const { id, withdraw, control } = await filled('alpine');
  const drop = { settling: 'drop-fallback', reason: 'refused before the upgrade' };
  const { pin: none } = await card(id);
  expect((await ask(`/orders/${id}/settle`, { ...drop, pin: none }))['code']).toBe('not-possible-now');
  control.setFault({ endpoint: 'withdrawal', fault: '500', times: 1 });
  expect((await withdraw({ failback_onchain: address }))['code']).toBe('claim-outcome-unknown');
  // As a release before migration 0019 left it.
  await gateway.database.sql`update claims set state = 'review', unlost_attempt = null, next_try_on = '9999-01-01T00:00Z' where order_id = ${id}`;
  expect((await withdraw({ failback_onchain: other }))['code']).toBe('withdrawal-differs');
  const { pin, settlings } = await card(id);
  expect(settlings).toContain('drop-fallback');
  const refused = await ask(`/orders/${id}/settle`, { ...drop, pin });
  expect([refused['code'], refused['detail']]).toEqual(['not-possible-now', expect.stringMatching(/an answer may have been lost.*Ask it\. If it gave none/)]);
  expect((await run(id, '--drop-fallback', 'why')).error).toContain('an answer may have been lost');
  expect((await run(id, '--drop-fallback', 'why', '--evidence', ' ')).error).toContain('needs the reason');
  expect((await run(id, '--close-dispute', 'x', '--evidence', 'y')).error).toContain('--evidence belongs to --drop-fallback');
  expect((await run(id)).out).toContain('--drop-fallback "<why>" [--evidence "<what the provider said>"]');
  expect(await run(id, '--drop-fallback', 'why', '--evidence', 'Alpine: no link was made')).toEqual({
    code: 0,
    out: `${id}: the fallback address is dropped, and the next request may name another or none\n`,
    error: '',
  });
  const [action] = await gateway.database.sql`
    select detail->>'evidence' as said from operator_actions where action = 'order.drop-fallback' and subject = ${id} order by id desc limit 1`;
  expect(action).toEqual({ said: 'Alpine: no link was made' });
  expect((await card(id)).settlings).not.toContain('drop-fallback');
  expect((await withdraw({ failback_onchain: other }))['lnurlw']).toMatch(/^LNURL1/);
});

describe('an order whose customer may hold, or may have been given, a link that still pays, is ended only with evidence', () => {
  const settle = async (id: string, more: object = {}) =>
    await ask(`/orders/${id}/settle`, { settling: 'paid-otherwise', reason: 'bank statement', pin: (await card(id)).pin, ...more });
  const evidence = 'Alpine: the withdrawal is cancelled';

  it.each([
    ['has no end', null],
    ['has an end that cannot be read', '1970-01-01T00:00Z'],
    ['has expired', '2026-01-01T00:00Z'],
  ])('if its link %s', async (_what, end) => {
    const { id, withdraw, becomes } = await filled('alpine');
    expect((await withdraw())['lnurlw']).toMatch(/^LNURL1/);
    await gateway.database.sql`update claims set expires_on = ${end} where order_id = ${id}`;
    expect((await card(id)).settlings).toContain('paid-otherwise');
    const refused = await settle(id);
    expect([refused['code'], refused['detail']]).toEqual(['not-possible-now', expect.stringMatching(/may be a withdrawal link that still pays/)]);
    expect((await run(id, '--paid-otherwise', 'x')).error).toContain('may be a withdrawal link that still pays');
    expect((await run(id)).out).toContain('--paid-otherwise "<proof of payment>" [--evidence "<what the provider said>"]');
    const { done } = await settle(id, { evidence });
    expect(done).toBe(
      `${id} gets no withdrawal link any more, and is finished at the next read from the provider. A link that still pays would pay the customer twice`,
    );
    expect((await withdraw())['code']).toBe('order-not-withdrawable');
    await becomes('finished');
    expect((await withdraw())['code']).toBe('order-not-withdrawable');
    const [action] = await gateway.database.sql`
      select detail->>'evidence' as said from operator_actions where action = 'order.paid-otherwise' and subject = ${id} order by id desc limit 1`;
    expect(action).toEqual({ said: evidence });
  });

  it('if its end is far away, once three days have passed', async () => {
    const { id, withdraw } = await filled('alpine');
    expect((await withdraw())['lnurlw']).toMatch(/^LNURL1/);
    await gateway.database.sql`update claims set expires_on = '2100-01-01T00:00Z' where order_id = ${id}`;
    expect((await settle(id, { evidence }))['code']).toBe('not-possible-now');
    gateway.clock.move(3 * 86_400_000);
    expect((await card(id)).settlings).toEqual(['paid-not-filled', 'paid-otherwise']);
    expect([(await settle(id))['code'], (await settle(id, { evidence }))['done']]).toEqual(['not-possible-now', expect.any(String)]);
  });

  it('if the call that was asking for its link died, and then says so', async () => {
    const { id, withdraw, control } = await filled('alpine');
    control.setFault({ endpoint: 'withdrawal', fault: '429', times: 1 });
    expect((await withdraw())['code']).toBe('claim-outcome-unknown');
    const { sql } = gateway.database;
    await sql`update claims set next_try_on = '9999-01-01T00:00Z', lease_owner = 'dead', lease_until = now() - interval '1 hour' where order_id = ${id}`;
    expect((await settle(id))['code']).toBe('not-possible-now');
    expect((await settle(id, { evidence }))['done']).toMatch(/A link that still pays would pay the customer twice$/);
  });

  it('if an answer was lost, and never while a link is being asked for', async () => {
    const { id, withdraw, control } = await filled('alpine');
    control.setFault({ endpoint: 'withdrawal', fault: '500', times: 1 });
    expect((await withdraw({ failback_onchain: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080' }))['code']).toBe('claim-outcome-unknown');
    const { sql } = gateway.database;
    await sql`update claims set next_try_on = '9999-01-01T00:00Z', lease_owner = 'one', lease_until = now() + interval '1 hour' where order_id = ${id}`;
    const asking = await settle(id, { evidence });
    expect([asking['code'], asking['detail']]).toEqual(['not-possible-now', expect.stringMatching(/asking for its withdrawal link/)]);
    await sql`update claims set lease_until = now() - interval '1 hour' where order_id = ${id}`;
    expect([(await settle(id))['code'], (await settle(id, { evidence }))['done']]).toEqual(['not-possible-now', expect.any(String)]);
    // The earlier withdrawal gets its link late.
    await gateway.server.gateway.stores.claims.hold(id, 'one', { lnurl: 'late' });
    expect((await withdraw())['code']).toBe('order-not-withdrawable');
  });
});

it('what an operator saw of a withdrawal, or settled, is part of the pin', async () => {
  const { id, withdraw, control } = await filled('alpine');
  const pins = new Set([(await card(id)).pin]);
  control.setFault({ endpoint: 'withdrawal', fault: '500', times: 1 });
  await withdraw({ failback_onchain: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080' });
  const { sql } = gateway.database;
  await sql`update orders set next_check_on = '9999-01-01T00:00Z' where id = ${id}`;
  await sql`update claims set state = 'review', unlost_attempt = null, next_try_on = '9999-01-01T00:00Z' where order_id = ${id}`;
  const { pin } = await card(id);
  pins.add(pin);
  // Another answer is lost after the operator asked the provider.
  await sql`update claims set attempt = attempt + 1 where order_id = ${id}`;
  pins.add((await card(id)).pin);
  const old = await ask(`/orders/${id}/settle`, { settling: 'drop-fallback', reason: 'why', evidence: 'Alpine: no link was made', pin });
  expect(old['code']).toBe('order-changed');
  for (const name of ['provenOn', 'paidOtherwiseOn']) {
    await sql`update orders set terms = (terms::jsonb || ${sql.json({ [name]: 5 })})::json where id = ${id}`;
    pins.add((await card(id)).pin);
  }
  expect(pins.size).toBe(5);
});
