import { describe, expect, it } from 'vitest';
import { address, bought } from '../../../test/support/memory/bought.ts';
import { problemOf } from '../../../test/support/memory/gateway.ts';
import { ProviderFault } from '../../providers/fault.ts';
import { fallbackPlace } from '../places.ts';
import { claimWithdrawal, settleClaims } from './claim-withdrawal.ts';
import { refreshOrder } from './follow-orders.ts';

describe('a fallback address that the provider refuses', () => {
  const other = 'bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry';
  /** The provider refuses every request with `address`, and notes which address each request named. */
  const picky = async () => {
    const world = await bought();
    const { sound, script } = world.buyer();
    const named: (string | undefined)[] = [];
    script.claim = async (context, asked) => {
      named.push(asked.fallbackAddress);
      return asked.fallbackAddress === address ? { ok: false, refusal: { reason: 'declined' } } : await sound.claim(context, asked);
    };
    return { ...world, named };
  };
  it.each([
    ['another address', other],
    ['none', undefined],
  ])('can be replaced by %s, however often it was refused', async (_what, next) => {
    const { withdraw, named, gateway, id, clock, logs } = await picky();
    for (let n = 0; n < 3; n += 1) {
      const problem = await problemOf(withdraw(address));
      expect([problem.code, problem.message]).toEqual(['claim-outcome-unknown', expect.stringMatching(/another address, or without one/)]);
      expect(problem.more).toMatchObject({ errors: [{ pointer: '/failback_onchain' }], members: { action: 'ask-user', retryable: false } });
      expect(problem.more.retryAfterMs).toBeUndefined();
      clock.now += 600_000;
      expect(await settleClaims(gateway, 10)).toBe(0);
    }
    expect(await gateway.stores.claims.find(id)).toMatchObject({ state: 'refused', attempt: 4 });
    expect(logs.filter(({ event }) => event === 'claim_lost')).toEqual([]);
    const first = await withdraw(next);
    expect(first.lnurlw).toMatch(/^LNURL1/);
    expect(named).toEqual([address, address, address, next]);
    expect([await withdraw(next), (await problemOf(withdraw(address))).code]).toEqual([first, 'withdrawal-differs']);
  });
  it('stays if the answer to an earlier request was lost: there may be a link with it', async () => {
    const { withdraw, buyer, gateway, id, clock } = await picky();
    const refuse = buyer().script.claim;
    buyer().script.claim = async () => await Promise.reject(new ProviderFault('timeout', 'no answer'));
    expect((await problemOf(withdraw(address))).code).toBe('claim-outcome-unknown');
    if (refuse) buyer().script.claim = refuse;
    clock.now += 600_000;
    expect((await problemOf(withdraw(address))).message).not.toMatch(/another address/);
    expect((await problemOf(withdraw(other))).code).toBe('withdrawal-differs');
    expect((await gateway.stores.claims.find(id))?.state).toBe('review');
  });
  it.each([
    ['a wallet', 'claim-outcome-unknown'],
    ['background work', undefined],
  ])('is dropped if an earlier request certainly did nothing, whether %s asks again', async (_who, code) => {
    const { withdraw, buyer, gateway, id, clock } = await picky();
    const refuse = buyer().script.claim;
    for (let n = 0; n < 2; n += 1) {
      buyer().script.claim = async () => await Promise.reject(new ProviderFault('rate-limited', 'status 429', { taken: 'no' }));
      expect((await problemOf(withdraw(address))).code).toBe('claim-outcome-unknown');
      clock.now += 600_000;
    }
    if (refuse) buyer().script.claim = refuse;
    const told = code === undefined ? await settleClaims(gateway, 10).then(() => undefined) : (await problemOf(withdraw(address))).code;
    expect([told, (await gateway.stores.claims.find(id))?.state]).toEqual([code, 'refused']);
    expect((await withdraw(other)).lnurlw).toMatch(/^LNURL1/);
  });
  it('stays if an answer was lost before a request that certainly did nothing', async () => {
    const { withdraw, buyer, gateway, id, clock } = await picky();
    const refuse = buyer().script.claim;
    for (const taken of ['maybe', 'no'] as const) {
      buyer().script.claim = async () => await Promise.reject(new ProviderFault('busy', 'not now', { taken }));
      expect((await problemOf(withdraw(address))).code).toBe('claim-outcome-unknown');
      clock.now += 600_000;
    }
    if (refuse) buyer().script.claim = refuse;
    expect((await problemOf(withdraw(address))).message).not.toMatch(/another address/);
    expect([(await gateway.stores.claims.find(id))?.state, (await problemOf(withdraw(other))).code]).toEqual(['review', 'withdrawal-differs']);
  });
  it('is not tried again at once, neither by the wallet nor by background work', async () => {
    const { withdraw, named, gateway, clock } = await picky();
    for (let n = 0; n < 3; n += 1) expect((await problemOf(withdraw(address))).more.members).toEqual({ action: 'ask-user', retryable: false });
    expect([named, await settleClaims(gateway, 10)]).toEqual([[address], 0]);
    clock.now += 600_000;
    expect([await settleClaims(gateway, 10), (await problemOf(withdraw(address))).more.members, named.length]).toEqual([
      0,
      { action: 'ask-user', retryable: false },
      2,
    ]);
    // Another address, or none, need not wait.
    expect((await withdraw()).lnurlw).toMatch(/^LNURL1/);
    expect([named.at(-1), await withdraw(), (await problemOf(withdraw(address))).code]).toEqual([undefined, await withdraw(), 'withdrawal-differs']);
  });
  it.each([
    ['one request', 1],
    ['two requests', 2],
  ])('is not tried again and again if the answer to %s was lost before', async (_many, times) => {
    const { withdraw, buyer, named, gateway, id, clock } = await picky();
    const refuse = buyer().script.claim;
    buyer().script.claim = async () => await Promise.reject(new ProviderFault('timeout', 'no answer'));
    for (let n = 0; n < times; n += 1) {
      expect((await problemOf(withdraw(address))).code).toBe('claim-outcome-unknown');
      clock.now += 600_000;
    }
    if (refuse) buyer().script.claim = refuse;
    expect([await settleClaims(gateway, 10), named.length]).toEqual([1, 1]);
    const { state, nextTryOn } = (await gateway.stores.claims.find(id)) ?? { nextTryOn: 0 };
    expect([state, nextTryOn > clock.now]).toEqual(['review', true]);
    for (let n = 0; n < 2; n += 1) expect((await problemOf(withdraw(address))).code).toBe('claim-outcome-unknown');
    clock.now += 600_000;
    expect([await settleClaims(gateway, 10), named.length]).toEqual([0, 1]);
    expect([(await problemOf(withdraw(address))).code, named.length]).toEqual(['claim-outcome-unknown', 2]);
  });
  it('whose request died is tried once by background work', async () => {
    const { named, gateway, id, clock } = await picky();
    await gateway.stores.claims.create(
      { orderId: id, now: clock.now, fallbackHash: gateway.hash(address), fallback: await gateway.seal.seal(address, fallbackPlace(id)) },
      { owner: 'dead', seconds: 1 },
    );
    for (let n = 0; n < 3; n += 1) {
      clock.now += 600_000;
      await settleClaims(gateway, 10);
    }
    expect(named).toEqual([address]);
  });
  it('is replaced only with the consent to a shortfall that shows when the claim is reopened', async () => {
    const world = await picky();
    const { withdraw, buyer, gateway, id, scope } = world;
    await problemOf(withdraw(address));
    const order = await gateway.stores.orders.findAny(id);
    if (order) await gateway.stores.orders.advance(order, { stage: 'paid' }, undefined, []);
    for (const one of buyer().orders) one.receive = 50_000n;
    expect([(await problemOf(withdraw(other))).code, world.calls('claim')]).toEqual(['order-short', 1]);
    expect((await claimWithdrawal(scope, world.session, { order_id: id, failback_onchain: other, accept_short: true })).warnings).toEqual([
      'filled-differently',
    ]);
  });
  it('stays if the request that named it died: its answer may have been lost', async () => {
    const { withdraw, gateway, id, clock } = await picky();
    await gateway.stores.claims.create(
      { orderId: id, now: clock.now, fallbackHash: gateway.hash(address), fallback: await gateway.seal.seal(address, fallbackPlace(id)) },
      { owner: 'dead', seconds: 1 },
    );
    clock.now += 600_000;
    await settleClaims(gateway, 10);
    expect((await problemOf(withdraw(other))).code).toBe('withdrawal-differs');
  });
  it('is not replaced while the order is in review', async () => {
    const { withdraw, gateway, id, says, scope, calls } = await picky();
    await problemOf(withdraw(address));
    says('failed');
    const order = await gateway.stores.orders.findAny(id);
    if (order) await refreshOrder(scope, order, 'read');
    expect([(await problemOf(withdraw(other))).code, calls('claim')]).toEqual(['order-not-withdrawable', 1]);
  });
});
