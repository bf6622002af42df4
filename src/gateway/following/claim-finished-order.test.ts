import { describe, expect, it } from 'vitest';
import { address, bought } from '../../../test/support/memory/bought.ts';
import { problemOf } from '../../../test/support/memory/gateway.ts';
import { encodeLnurl } from '../../bitcoin/lnurl.ts';
import type { Stage } from '../../domain/order.ts';
import { ProviderFault } from '../../providers/fault.ts';
import { settleClaims } from './claim-withdrawal.ts';
import { refreshOrder } from './follow-orders.ts';

describe('an order that its provider calls finished before anybody was given a link', () => {
  const found = async ({ gateway, id }: Awaited<ReturnType<typeof bought>>) => {
    const order = await gateway.stores.orders.findAny(id);
    if (!order) throw new Error('no order');
    return order;
  };
  const read = async (world: Awaited<ReturnType<typeof bought>>) => await refreshOrder(world.scope, await found(world), 'poll');
  const alerts = ({ logs }: Awaited<ReturnType<typeof bought>>) => logs.filter(({ event }) => event === 'order_finished_unlinked');

  it.each<Stage[]>([['finished'], ['paid', 'finished'], ['filled', 'finished']])(
    'after %s %s is filled, is followed, and tells the operator once',
    async (...stages) => {
      const world = await bought('awaiting_payment');
      for (const stage of stages) {
        world.says(stage);
        await read(world);
      }
      expect(await read(world)).toMatchObject({ stage: 'filled', rawStatus: 'finished', final: false, watch: { finishedUnlinked: true } });
      expect(alerts(world)).toMatchObject([{ level: 'error', fields: { order: world.id, provider: 'alpine' } }]);
    },
  );

  it('can be withdrawn, and is finished once a link was given', async () => {
    const world = await bought('finished');
    expect((await world.withdraw()).lnurlw).toMatch(/^LNURL1/);
    const after = await read(world);
    expect([after.stage, after.final, after.watch.finishedUnlinked]).toEqual(['finished', true, undefined]);
  });

  it('needs a person if the provider refuses a link', async () => {
    const world = await bought('finished');
    world.buyer().script.claim = async () => await Promise.resolve({ ok: false, refusal: { reason: 'declined' } });
    for (let n = 0; n < 2; n += 1) {
      expect((await problemOf(world.withdraw())).code).toBe('claim-outcome-unknown');
      world.clock.now += 600_000;
    }
    expect((await world.gateway.stores.claims.find(world.id))?.state).toBe('review');
    expect(world.logs.filter(({ event }) => event === 'claim_lost').length).toBeGreaterThan(0);
    expect(await read(world)).toMatchObject({ stage: 'filled', final: false });
  });

  it('while its link is on the way is finished when the link is there, and alerts nobody', async () => {
    const world = await bought();
    const { sound, script } = world.buyer();
    script.claim = async (...asked) => {
      world.says('finished');
      expect(await read(world)).toMatchObject({ stage: 'filled', final: false });
      return await sound.claim(...asked);
    };
    const given = await world.withdraw();
    expect(await read(world)).toMatchObject({ stage: 'finished', final: true });
    expect([(await world.withdraw()).lnurlw, alerts(world)]).toEqual([given.lnurlw, []]);
  });

  it('is finished if the customer may have been given a link since a backup, which a read of an earlier stage rules out', async () => {
    const restored = async (stage: Stage) => {
      const world = await bought(stage);
      await read(world);
      const order = await found(world);
      await world.gateway.stores.orders.advance(order, { watch: { ...order.watch, linkUnknown: true } }, undefined, []);
      return world;
    };
    const world = await restored('filled');
    await read(world);
    world.says('finished');
    expect(await read(world)).toMatchObject({ stage: 'finished', final: true });
    const unpaid = await restored('paid');
    await read(unpaid);
    unpaid.says('finished');
    expect(await read(unpaid)).toMatchObject({ stage: 'filled', final: false });
  });

  it('stays finished if an earlier release or an operator said so', async () => {
    const world = await bought();
    await read(world);
    const { scope, gateway } = world;
    const order = await found(world);
    await gateway.stores.orders.advance(order, { stage: 'review', watch: { ...order.watch, beforeReview: 'finished' } }, undefined, []);
    world.says('finished');
    const after = await read(world);
    expect([after.stage, after.final]).toEqual(['finished', true]);
    expect((await refreshOrder(scope, after, 'notice')).stage).toBe('finished');
  });
});

describe('an order that the operator ended, because its customer was paid in another way', () => {
  const ended = async (prepare: (world: Awaited<ReturnType<typeof bought>>) => Promise<unknown> = async () => await Promise.resolve()) => {
    const world = await bought();
    await prepare(world);
    const found = async () => {
      const order = await world.gateway.stores.orders.findAny(world.id);
      if (!order) throw new Error('no order');
      return order;
    };
    const order = await found();
    await world.gateway.stores.orders.advance(order, { stage: 'filled', watch: { ...order.watch, paidOtherwiseOn: world.clock.now } }, undefined, []);
    return { ...world, found, read: async () => await refreshOrder(world.scope, await found(), 'poll') };
  };

  it.each<[string, Stage | undefined]>([
    ['says that it is filled', 'filled'],
    ['says that it is finished', 'finished'],
    ['does not answer', undefined],
  ])('is finished at the next read, whose provider %s', async (_what, word) => {
    const world = await ended();
    if (word) world.says(word);
    else world.buyer().script.readOrders = async () => await Promise.reject(new ProviderFault('timeout', 'no answer'));
    expect(await world.read()).toMatchObject({ stage: 'finished', final: word !== undefined });
    expect(await world.read()).toMatchObject({ stage: 'finished' });
    expect(world.calls('claim')).toBe(0);
  });

  it('goes to review all the same if its provider then says that it failed', async () => {
    const world = await ended();
    world.says('failed');
    expect((await world.read()).stage).toBe('review');
  });

  it.each([
    ['was ever asked for', undefined],
    ['could be fetched', async () => await Promise.reject(new ProviderFault('timeout', 'no answer'))],
  ])('has no link if none %s, and none is asked for any more', async (_what, claim) => {
    const world = await ended(async ({ buyer, withdraw }) => {
      if (!claim) return;
      buyer().script.claim = claim;
      await problemOf(withdraw());
    });
    delete world.buyer().script.claim;
    const before = world.calls('claim');
    for (let n = 0; n < 2; n += 1) {
      world.clock.now += 600_000;
      await settleClaims(world.gateway, 10);
      const problem = await problemOf(world.withdraw());
      expect([problem.code, problem.more.members]).toEqual(['order-not-withdrawable', { order_id: world.id, retryable: false, action: 'contact-support' }]);
      await world.read();
    }
    expect(world.calls('claim')).toBe(before);
  });

  it.each([
    ['with an end', {}],
    ['without an end', { expiresOn: undefined }],
  ])('gives out neither the link %s that was given before, nor another one', async (_what, more) => {
    const world = await ended(async ({ buyer, withdraw }) => {
      const { sound, script } = buyer();
      script.claim = async (...asked) => {
        const answer = await sound.claim(...asked);
        return answer.ok && 'expiresOn' in more ? { ok: true, value: { lnurl: answer.value.lnurl } } : answer;
      };
      await withdraw();
    });
    for (let n = 0; n < 2; n += 1) {
      expect([(await problemOf(world.withdraw())).code, world.calls('claim')]).toEqual(['order-not-withdrawable', 1]);
      world.clock.now += 601_000;
    }
  });

  it.each([
    ['answers with a link', undefined],
    ['does not answer', new ProviderFault('timeout', 'no answer')],
  ])('while a request was under way gives out no link if its provider then %s', async (_how, fault) => {
    const { withdraw, buyer, gateway, clock, calls, id } = await bought();
    await withdraw();
    clock.now += 601_000;
    const { sound, script } = buyer();
    script.claim = async (...asked) => {
      const order = await gateway.stores.orders.findAny(id);
      if (order) await gateway.stores.orders.advance(order, { watch: { ...order.watch, paidOtherwiseOn: clock.now } }, undefined, []);
      if (fault) throw fault;
      return await sound.claim(...asked);
    };
    expect((await problemOf(withdraw())).code).toBe('order-not-withdrawable');
    expect([(await problemOf(withdraw())).code, calls('claim')]).toEqual(['order-not-withdrawable', 2]);
  });

  it('after a wallet had read it is asked for no link', async () => {
    const { withdraw, gateway, clock, calls, id } = await bought();
    const { claims, orders } = gateway.stores;
    const create = claims.create.bind(claims);
    claims.create = async (...given) => {
      const order = await orders.findAny(id);
      if (order) await orders.advance(order, { watch: { ...order.watch, paidOtherwiseOn: clock.now } }, undefined, []);
      return await create(...given);
    };
    expect([(await problemOf(withdraw())).code, calls('claim')]).toEqual(['order-not-withdrawable', 0]);
    expect((await claims.find(id))?.state).toBe('review');
  });
});

describe('a finished order whose link expired', () => {
  const declined = async () => await Promise.resolve({ ok: false as const, refusal: { reason: 'declined' as const } });
  const over = async (fallback?: string) => {
    const world = await bought();
    const first = await world.withdraw(fallback);
    world.says('finished');
    const order = await world.gateway.stores.orders.findAny(world.id);
    if (!order) throw new Error('no order');
    expect(await refreshOrder(world.scope, order, 'poll')).toMatchObject({ stage: 'finished', final: true });
    world.clock.now += 601_000;
    return { ...world, first };
  };

  it('has another one if its provider gives one, which every caller then gets', async () => {
    const { withdraw, first, calls } = await over();
    const second = await withdraw();
    expect([second.lnurlw === first.lnurlw, await withdraw(), calls('claim')]).toEqual([false, second, 2]);
  });

  it.each<[string, () => Promise<never> | ReturnType<typeof declined>]>([
    ['refuses', declined],
    ['answers with what is no link', async () => await Promise.reject(new ProviderFault('malformed', 'a string'))],
  ])('has none if its provider %s, and is asked for again only after a while', async (_how, claim) => {
    const { withdraw, buyer, calls, clock, gateway, id, logs } = await over();
    buyer().script.claim = claim;
    const problem = await problemOf(withdraw());
    expect([problem.code, problem.more.members]).toEqual(['order-not-withdrawable', { order_id: id, retryable: false, action: 'contact-support' }]);
    const again = await problemOf(withdraw());
    expect([again.code, calls('claim')]).toEqual(['order-not-withdrawable', 2]);
    clock.now += again.more.retryAfterMs ?? 0;
    await problemOf(withdraw());
    expect([calls('claim'), await settleClaims(gateway, 10)]).toEqual([3, 0]);
    expect([(await gateway.stores.claims.find(id))?.state, logs.filter(({ event }) => event === 'claim_lost')]).toEqual(['held', []]);
    delete buyer().script.claim;
    clock.now += 600_000;
    expect((await withdraw()).lnurlw).toMatch(/^LNURL1/);
  });

  it('stays finished if the other link is on a foreign host, and gives out none', async () => {
    const { withdraw, buyer, gateway, id, logs, clock } = await over();
    buyer().script.claim = async () => await Promise.resolve({ ok: true, value: { lnurl: encodeLnurl('https://evil.example/w') } });
    for (let n = 0; n < 2; n += 1) {
      expect((await problemOf(withdraw())).code).toBe('order-not-withdrawable');
      clock.now += 600_000;
    }
    expect(await gateway.stores.orders.findAny(id)).toMatchObject({ stage: 'finished', final: true });
    expect([(await gateway.stores.claims.find(id))?.state, logs.filter(({ event }) => event === 'payout_link_refused').length]).toEqual(['held', 2]);
  });

  it('stops no claims of other customers, however often its provider answers with what is no link', async () => {
    const { withdraw, buyer, clock, calls, logs } = await over();
    const before = calls('claim');
    buyer().script.claim = async () => await Promise.reject(new ProviderFault('malformed', 'a string'));
    for (let n = 0; n < 6; n += 1) {
      expect((await problemOf(withdraw())).code).toBe('order-not-withdrawable');
      clock.now += 600_000;
    }
    const faults = logs.filter(({ event, fields }) => event === 'provider_call' && fields['outcome'] === 'malformed');
    expect([calls('claim') - before, faults]).toEqual([6, []]);
  });

  it('has one later if the answer was lost', async () => {
    const { withdraw, buyer, clock } = await over();
    buyer().script.claim = async () => await Promise.reject(new ProviderFault('timeout', 'no answer'));
    expect((await problemOf(withdraw())).code).toBe('claim-outcome-unknown');
    delete buyer().script.claim;
    clock.now += 600_000;
    expect((await withdraw()).lnurlw).toMatch(/^LNURL1/);
  });

  it('has another one if an earlier release put its claim into review', async () => {
    const { withdraw, first, gateway, id } = await over();
    await gateway.stores.claims.take(id, { owner: 'an earlier release', seconds: 60 });
    await gateway.stores.claims.change(id, 'an earlier release', { state: 'review' });
    const second = await withdraw();
    expect([second.lnurlw.startsWith('LNURL1'), second.lnurlw === first.lnurlw]).toEqual([true, false]);
  });

  it('has none once the session that placed it is deleted, which counts as no attempt', async () => {
    const { withdraw, calls, clock, gateway, id } = await over();
    const { sessions } = gateway.stores;
    gateway.stores.sessions = { ...sessions, findUpstreamById: async () => await Promise.resolve(undefined) };
    const before = await gateway.stores.claims.find(id);
    for (let n = 0; n < 2; n += 1) {
      const problem = await problemOf(withdraw());
      expect([problem.code, problem.more]).toEqual(['order-not-withdrawable', { members: { order_id: id, retryable: false, action: 'contact-support' } }]);
      clock.now += 60_000;
    }
    expect([await gateway.stores.claims.find(id), calls('claim')]).toEqual([before, 1]);
    gateway.stores.sessions = sessions;
    expect((await withdraw()).lnurlw).toMatch(/^LNURL1/);
  });

  it('is left to its provider if there is a fallback address', async () => {
    const { withdraw, calls } = await over(address);
    expect([(await problemOf(withdraw())).code, calls('claim')]).toEqual(['withdrawal-expired', 1]);
  });
});
