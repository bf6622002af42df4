import { describe, expect, it } from 'vitest';
import { address, bought } from '../../../test/support/memory/bought.ts';
import { problemOf } from '../../../test/support/memory/gateway.ts';
import { encodeLnurl } from '../../bitcoin/lnurl.ts';
import type { Stage } from '../../domain/order.ts';
import { ProviderFault } from '../../providers/fault.ts';
import { claimWithdrawal, settleClaims } from './claim-withdrawal.ts';
import { refreshOrder } from './follow-orders.ts';

it('the link is fetched once, and every caller gets the same', async () => {
  const { withdraw, calls } = await bought();
  const first = await withdraw();
  expect(first.lnurlw).toMatch(/^LNURL1/);
  expect([await withdraw(), await withdraw(), calls('claim')]).toEqual([first, first, 1]);
});

it('of several callers at the same time, one fetches the link; the others must repeat their requests', async () => {
  const { withdraw, calls } = await bought();
  const answers = await Promise.allSettled([withdraw(), withdraw(), withdraw()]);
  expect(answers.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
  const refused = answers.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : []));
  expect(refused).toEqual(['claim-outcome-unknown', 'claim-outcome-unknown']);
  expect([new Set([(await withdraw()).lnurlw, (await withdraw()).lnurlw]).size, calls('claim')]).toEqual([1, 1]);
});

it("there is no link before the order is filled, and none for another customer's order", async () => {
  const { withdraw, scope, session, id, calls } = await bought('paid');
  expect(await problemOf(withdraw())).toMatchObject({ code: 'order-not-withdrawable' });
  const stranger = { ...session, customerId: crypto.randomUUID() };
  expect(await problemOf(claimWithdrawal(scope, stranger, { order_id: id }))).toMatchObject({ code: 'order-not-found' });
  expect(calls('claim')).toBe(0);
});

it('if the answer was lost, the link is requested again and then kept', async () => {
  const { withdraw, buyer, gateway, clock, calls } = await bought();
  buyer().script.claim = async () => await Promise.reject(new ProviderFault('timeout', 'no answer'));
  expect((await problemOf(withdraw())).code).toBe('claim-outcome-unknown');
  expect(await settleClaims(gateway, 10)).toBe(0);
  delete buyer().script.claim;
  clock.now += 60_000;
  expect(await settleClaims(gateway, 10)).toBe(1);
  const before = calls('claim');
  expect([(await withdraw()).lnurlw, calls('claim')]).toEqual([expect.stringMatching(/^LNURL1/), before]);
});

it.each(['timeout', 'server', 'rate-limited'] as const)('if the provider never answers (%s), the operator is told once, after an hour', async (kind) => {
  const { withdraw, buyer, gateway, clock, logs, id } = await bought();
  buyer().script.claim = async () => await Promise.reject(new ProviderFault(kind, 'no link'));
  const counted: unknown[] = [];
  let draws = 0;
  Object.assign(gateway, {
    count: (name: string, labels: Record<string, unknown>) => name === 'order_oddities_total' && counted.push(labels['kind']),
    random: () => ((draws += 1) % 5) / 5,
  });
  await problemOf(withdraw());
  const began = clock.now;
  const told: number[] = [];
  while (clock.now < began + 4 * 3_600_000) {
    clock.now += 20_000;
    await settleClaims(gateway, 10);
    // The wallet asks now and then, too, and most often after an hour.
    if (clock.now % 60_000 < 20_000 || Math.abs(clock.now - began - 3_600_000) < 300_000) await problemOf(withdraw());
    if (told.length < logs.filter(({ event }) => event === 'claim_unanswered').length) told.push(clock.now - began);
  }
  expect(logs.filter(({ event }) => event === 'claim_unanswered')).toMatchObject([{ level: 'error', fields: { order: id, provider: 'alpine' } }]);
  expect([told.every((after) => after > 3_500_000 && after < 3_700_000), counted]).toEqual([true, ['link-missing']]);
  expect((await gateway.stores.claims.find(id))?.state).toBe('sending');
});

describe('an operator is told of a missing link', () => {
  const noLink = (taken?: 'no') => async () => await Promise.reject(new ProviderFault('server', 'no link', taken === undefined ? {} : { taken }));
  const refusal = async () => await Promise.resolve({ ok: false as const, refusal: { reason: 'declined' as const } });
  const hour = 3_600_000;
  const asking = async () => {
    const world = await bought();
    const { clock, gateway, logs, id } = world;
    const told = () => logs.filter(({ event }) => event === 'claim_unanswered').length;
    const claim = async () => {
      const found = await gateway.stores.claims.find(id);
      if (!found) throw new Error('no claim');
      return found;
    };
    /** Lets the background work run for `ms`. Returns after how many minutes the operator was alerted. */
    const pass = async (ms: number): Promise<number[]> => {
      const began = clock.now;
      const minutes: number[] = [];
      while (clock.now < began + ms) {
        const before = told();
        clock.now += 20_000;
        await settleClaims(gateway, 10);
        if (told() > before) minutes.push(Math.round((clock.now - began) / 60_000));
      }
      return minutes;
    };
    return { ...world, told, claim, pass };
  };

  it('an hour after the customer asked anew, and not at once, if the fallback address was refused hours ago', async () => {
    const { withdraw, buyer, clock, told, claim, pass } = await asking();
    buyer().script.claim = refusal;
    await problemOf(withdraw(address));
    const { createdOn } = await claim();
    clock.now += 2 * hour;
    buyer().script.claim = noLink();
    await problemOf(withdraw());
    expect([told(), await claim()]).toEqual([0, expect.objectContaining({ state: 'sending', createdOn, askedOn: clock.now }) as unknown]);
    const minutes = await pass(3 * hour);
    expect([minutes.length, (minutes[0] ?? 0) > 57, (minutes[0] ?? 0) < 62]).toEqual([1, true, true]);
  });

  it('also if the provider refuses the fallback address with the very try that would have told', async () => {
    const { withdraw, buyer, clock, told, claim, pass } = await asking();
    buyer().script.claim = noLink('no');
    await problemOf(withdraw(address));
    const lastTryOn = (await claim()).createdOn + hour - 60_000;
    while ((await claim()).nextTryOn < lastTryOn) await pass(20_000);
    expect([told(), (await claim()).isUnlost]).toEqual([0, true]);
    buyer().script.claim = refusal;
    while ((await claim()).state === 'sending') expect(await pass(20_000)).toEqual([]);
    expect(await claim()).toMatchObject({ state: 'refused', nextTryOn: lastTryOn + 60_000 });
    clock.now += 600_000;
    buyer().script.claim = noLink();
    await problemOf(withdraw());
    expect((await pass(3 * hour)).length).toBe(1);
  });

  it('also if the first answer is a refusal that comes an hour late', async () => {
    const { buyer, gateway, clock, told, id, pass } = await asking();
    await gateway.stores.claims.create({ orderId: id, now: clock.now }, { owner: 'dead', seconds: 1 });
    clock.now += hour;
    buyer().script.claim = refusal;
    await settleClaims(gateway, 10);
    buyer().script.claim = noLink();
    expect([told(), await pass(3 * hour)]).toEqual([1, []]);
  });

  it('once, with the first failed try after an upgrade, if it was missing for more than an hour then', async () => {
    const { withdraw, buyer, gateway, clock, told, claim, pass, id } = await asking();
    buyer().script.claim = noLink();
    await problemOf(withdraw());
    const lease = { owner: 'before', seconds: 30 };
    clock.now += 5 * hour;
    await gateway.stores.claims.take(id, lease);
    await gateway.stores.claims.change(id, 'before', { askedOn: null as never, nextTryOn: clock.now });
    expect([told(), (await claim()).askedOn]).toEqual([0, undefined]);
    expect(await pass(60_000)).toEqual([0]);
    expect([await pass(3 * hour), (await claim()).askedOn]).toEqual([[], (await claim()).createdOn]);
  });
});

it('a link that came after the lease is kept if the call that took the claim meanwhile was refused', async () => {
  const { withdraw, buyer, gateway, clock, id } = await bought();
  const lnurl = encodeLnurl('https://api.buyer.example/w/only');
  buyer().script.claim = async () => {
    clock.now += 3_600_000;
    buyer().script.claim = async () => await Promise.resolve({ ok: false, refusal: { reason: 'declined' } });
    expect((await problemOf(withdraw())).code).toBe('claim-outcome-unknown');
    return { ok: true, value: { lnurl } };
  };
  const first = await withdraw();
  expect(first.lnurlw.toLowerCase()).toBe(lnurl.toLowerCase());
  expect([(await withdraw()).lnurlw, (await gateway.stores.claims.find(id))?.state]).toEqual([first.lnurlw, 'held']);
});

it('one claim that cannot be worked on stops no other', async () => {
  const { withdraw, buyer, gateway, clock, logs, ...world } = await bought();
  const other = await world.placed();
  for (const order of buyer().orders) Object.assign(order, { stage: 'filled', rawStatus: 'filled' });
  clock.now += 60_000;
  buyer().script.claim = async () => await Promise.reject(new ProviderFault('timeout', 'no answer'));
  await problemOf(withdraw());
  await problemOf(claimWithdrawal(world.scope, world.session, { order_id: other.id }));
  delete buyer().script.claim;
  clock.now += 60_000;
  const { orders } = gateway.stores;
  const findAny = orders.findAny.bind(orders);
  orders.findAny = async (id) => (id === world.id ? await Promise.reject(new Error('this row is broken')) : await findAny(id));
  expect(await settleClaims(gateway, 10)).toBe(2);
  expect(logs.filter((one) => one.fields['where'] === 'settle_claims')).toMatchObject([{ event: 'defect', fields: { order: world.id } }]);
  expect([(await gateway.stores.claims.find(other.id))?.state, (await gateway.stores.claims.find(world.id))?.state]).toEqual(['held', 'sending']);
});

it('a link on a foreign host is withheld, the order goes into review, and no other link is requested', async () => {
  const { withdraw, buyer, gateway, id, calls, logs } = await bought();
  buyer().script.claim = async () => await Promise.resolve({ ok: true, value: { lnurl: encodeLnurl('https://evil.example/w') } });
  for (let n = 0; n < 2; n += 1) expect(await problemOf(withdraw())).toMatchObject({ code: 'payout-link-refused' });
  expect([(await gateway.stores.orders.findAny(id))?.stage, calls('claim')]).toEqual(['review', 1]);
  expect(logs.filter((one) => one.event === 'payout_link_refused')).toMatchObject([{ level: 'error' }]);
});

it('a refusal for a finished order while we hold no link needs a person', async () => {
  const { withdraw, buyer, says, gateway, id, logs } = await bought();
  buyer().script.claim = async () => {
    says('finished');
    return await Promise.resolve({ ok: false, refusal: { reason: 'declined' } });
  };
  expect((await problemOf(withdraw())).code).toBe('claim-outcome-unknown');
  expect((await gateway.stores.claims.find(id))?.state).toBe('review');
  expect(logs.filter((one) => one.event === 'claim_lost')).toHaveLength(1);
});

it('a first refusal while the order is still filled loses nothing', async () => {
  const { withdraw, buyer, gateway, id, logs, clock } = await bought();
  buyer().script.claim = async () => await Promise.resolve({ ok: false, refusal: { reason: 'declined' } });
  expect((await problemOf(withdraw())).code).toBe('claim-outcome-unknown');
  expect([(await gateway.stores.claims.find(id))?.state, logs.filter((one) => one.event === 'claim_lost')]).toEqual(['sending', []]);
  delete buyer().script.claim;
  clock.now += 60_000;
  await settleClaims(gateway, 10);
  expect((await withdraw()).lnurlw).toMatch(/^LNURL1/);
});

it('the first fallback address stays: another one is refused, and the same may be repeated', async () => {
  const { withdraw, calls } = await bought();
  const first = await withdraw(address);
  expect([await withdraw(address), await withdraw(), await withdraw(address.toUpperCase())]).toEqual([first, first, first]);
  expect(await problemOf(withdraw('bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry'))).toMatchObject({ code: 'withdrawal-differs' });
  expect(await problemOf(withdraw('nonsense'))).toMatchObject({ code: 'address-invalid' });
  expect(calls('claim')).toBe(1);
});

it('a claim that needs a person blames no link while its order is in review for another reason', async () => {
  const { withdraw, buyer, says, gateway, id, scope, clock } = await bought();
  buyer().script.claim = async () => await Promise.resolve({ ok: false, refusal: { reason: 'declined' } });
  for (let n = 0; n < 2; n += 1) {
    await problemOf(withdraw());
    clock.now += 600_000;
  }
  expect((await gateway.stores.claims.find(id))?.state).toBe('review');
  says('failed');
  const order = await gateway.stores.orders.findAny(id);
  expect(order && (await refreshOrder(scope, order, 'read')).stage).toBe('review');
  expect((await problemOf(withdraw())).code).toBe('order-not-withdrawable');
});

it('an expired link is fetched anew, also if the order is finished; with a fallback it is left to the provider', async () => {
  const without = await bought();
  const first = await without.withdraw();
  without.clock.now += 601_000;
  const second = await without.withdraw();
  expect([second.lnurlw === first.lnurlw, without.calls('claim')]).toEqual([false, 2]);
  without.clock.now += 601_000;
  without.says('finished');
  const third = await without.withdraw();
  expect([third.lnurlw === second.lnurlw, without.calls('claim'), (await without.gateway.stores.orders.findAny(without.id))?.stage]).toEqual([
    false,
    3,
    'finished',
  ]);
  const withFallback = await bought();
  await withFallback.withdraw(address);
  withFallback.clock.now += 601_000;
  expect(await problemOf(withFallback.withdraw())).toMatchObject({ code: 'withdrawal-expired' });
  expect(withFallback.calls('claim')).toBe(1);
});

it('a caller who wants only a valid link that is held causes no request to the provider', async () => {
  const { withdraw, scope, session, id, clock, calls, says } = await bought();
  const held = async () => await claimWithdrawal(scope, session, { order_id: id, only_held: true });
  expect([(await problemOf(held())).code, calls('claim')]).toEqual(['withdrawal-expired', 0]);
  const first = await withdraw();
  expect([await held(), calls('claim')]).toEqual([first, 1]);
  for (const word of ['filled', 'finished'] as const) {
    clock.now += 601_000;
    says(word);
    expect([(await problemOf(held())).code, calls('claim')]).toEqual(['withdrawal-expired', 1]);
  }
  expect((await withdraw()).lnurlw).not.toBe(first.lnurlw);
});

describe('to a caller who wants only a valid link that is held', () => {
  const held = async ({ scope, session, id }: Awaited<ReturnType<typeof bought>>) =>
    await problemOf(claimWithdrawal(scope, session, { order_id: id, only_held: true }));
  const stored = async (world: Awaited<ReturnType<typeof bought>>) => {
    const order = await world.gateway.stores.orders.findAny(world.id);
    if (order) await refreshOrder(world.scope, order, 'poll');
  };

  it.each<[Stage, string, Stage]>([
    ['awaiting_payment', 'The order is in stage awaiting_payment; it can be withdrawn once it is filled.', 'awaiting_payment'],
    ['paid', 'The order is in stage paid; it can be withdrawn once it is filled.', 'paid'],
    ['refunded', 'The order is refunded: there is nothing to withdraw.', 'paid'],
  ])('an order that is %s is not said to have another link', async (stage, why, before) => {
    const world = await bought(before);
    await stored(world);
    world.says(stage);
    await stored(world);
    const { code, detail, more } = await held(world);
    expect([code, detail]).toEqual(['withdrawal-expired', `There is no valid withdrawal link. ${why}`]);
    expect([more.members, world.calls('claim')]).toEqual([{ order_id: world.id, action: 'read-order' }, 0]);
  });

  it.each<Stage>(['filled', 'finished'])('an order with a fallback address that is %s is left to the provider', async (stage) => {
    const world = await bought();
    await world.withdraw(address);
    world.says(stage);
    await stored(world);
    world.clock.now += 601_000;
    expect([(await held(world)).detail, world.calls('claim')]).toEqual([
      'There is no valid withdrawal link. The last link has expired, and the provider pays to the on-chain fallback address instead.',
      1,
    ]);
  });

  it.each<[string, Stage]>([
    ['was never asked for', 'filled'],
    ['has expired', 'filled'],
    ['has expired', 'finished'],
  ])('a link that %s can be asked for while the order is %s', async (what, stage) => {
    const world = await bought();
    if (what === 'has expired') await world.withdraw();
    world.says(stage);
    await stored(world);
    world.clock.now += 601_000;
    expect((await held(world)).detail).toMatch(/^There is no valid withdrawal link\. Repeat the request without only_held/);
    expect((await world.withdraw()).lnurlw).toMatch(/^LNURL1/);
  });
});

describe.each([0, -5 * 3_600_000])('an end %s ms after the link arrived says nothing about it', (ms) => {
  const claimed = async (fallback?: string) => {
    const world = await bought();
    const { buyer, clock } = world;
    let links = 0;
    buyer().script.claim = async () => {
      const lnurl = encodeLnurl(`https://api.buyer.example/w${(links += 1)}`);
      return await Promise.resolve({ ok: true, value: { lnurl, expiresOn: clock.now + ms } });
    };
    const first = await world.withdraw(fallback);
    clock.now += 300_000;
    const again = await world.withdraw();
    expect(again.lnurlw).toBe(first.lnurlw);
    expect(Date.parse(again.withdrawal_expiration_date)).toBeGreaterThan(clock.now);
    expect(world.calls('claim')).toBe(1);
    clock.now += 301_000;
    return { ...world, first };
  };

  it('so the link is shown for some minutes, and then the provider is asked again', async () => {
    const { withdraw, first, calls } = await claimed();
    expect((await withdraw()).lnurlw).not.toBe(first.lnurlw);
    expect(calls('claim')).toBe(2);
  });

  it('and with a fallback address, the link stays: the provider would not be asked again', async () => {
    const { withdraw, first, calls, clock } = await claimed(address);
    clock.now += 86_400_000;
    expect((await withdraw()).lnurlw).toBe(first.lnurlw);
    expect(calls('claim')).toBe(1);
  });

  it.each([
    ['refuses', async () => await Promise.resolve({ ok: false as const, refusal: { reason: 'declined' as const } })],
    ['does not answer', async () => await Promise.reject(new ProviderFault('timeout', 'no answer'))],
  ])('and if the provider %s then, the link that we hold is shown', async (_how, claim) => {
    const { withdraw, first, buyer, clock } = await claimed();
    buyer().script.claim = claim;
    const again = await withdraw();
    expect(again.lnurlw).toBe(first.lnurlw);
    expect(Date.parse(again.withdrawal_expiration_date)).toBeGreaterThan(clock.now);
  });

  it('and it stays shown however often the answer cannot be read, and after that', async () => {
    const { withdraw, first, buyer, clock, gateway, id } = await claimed();
    buyer().script.claim = async () => await Promise.reject(new ProviderFault('malformed', 'no link in it'));
    for (let n = 0; n < 5; n += 1) {
      clock.now += 60_000;
      expect((await withdraw()).lnurlw).toBe(first.lnurlw);
    }
    buyer().script.claim = async () => await Promise.resolve({ ok: false, refusal: { reason: 'declined' } });
    expect((await withdraw()).lnurlw).toBe(first.lnurlw);
    expect((await gateway.stores.claims.find(id))?.state).toBe('held');
  });

  it('and it is shown if the claim is in review, between two tries, too', async () => {
    const { withdraw, first, buyer, clock, gateway, id } = await claimed();
    buyer().script.claim = async () => await Promise.resolve({ ok: false, refusal: { reason: 'declined' } });
    await gateway.stores.claims.take(id, { owner: 'an earlier release', seconds: 60 });
    await gateway.stores.claims.change(id, 'an earlier release', { state: 'review', nextTryOn: clock.now + 1000 });
    expect((await withdraw()).lnurlw).toBe(first.lnurlw);
    clock.now += 1000;
    expect((await withdraw()).lnurlw).toBe(first.lnurlw);
  });
});

describe('an order that was filled with less', () => {
  const short = async () => {
    const world = await bought();
    for (const order of world.buyer().orders) order.receive = 50_000n;
    return world;
  };
  it('is given to a caller who accepts the short amount, and from then on to every caller', async () => {
    const { withdraw, calls, id } = await short();
    const refused = await problemOf(withdraw());
    expect([refused.code, refused.more.members]).toEqual([
      'order-short',
      { order_id: id, amount_sats: 50_000, quoted_amount_sats: 107_869, amount_fiat: 10_000, quoted_amount_fiat: 10_000 },
    ]);
    expect([refused.detail.includes('The provider still owes the rest'), calls('claim')]).toEqual([true, 0]);
    const given = await withdraw(undefined, true);
    expect(given.warnings).toEqual(['filled-differently']);
    expect([await withdraw(), await withdraw(undefined, true), calls('claim')]).toEqual([given, given, 1]);
  });
  it('is asked for when the shortfall shows after the withdrawal began', async () => {
    const { withdraw, buyer, scope, gateway, id, calls } = await bought();
    buyer().script.claim = async () => await Promise.reject(new ProviderFault('timeout', 'no answer'));
    expect((await problemOf(withdraw())).code).toBe('claim-outcome-unknown');
    delete buyer().script.claim;
    for (const order of buyer().orders) order.receive = 50_000n;
    const order = await gateway.stores.orders.findAny(id);
    if (!order) throw new Error('no order');
    await refreshOrder(scope, order, 'read');
    const before = calls('claim');
    expect([(await problemOf(withdraw())).code, calls('claim')]).toEqual(['order-short', before]);
    const given = await withdraw(undefined, true);
    expect([await withdraw(), calls('claim')]).toEqual([given, before + 1]);
  });
  it('is asked for if background work got the link, until it was given to a customer', async () => {
    const { withdraw, buyer, scope, gateway, id, clock, calls } = await bought();
    buyer().script.claim = async () => await Promise.reject(new ProviderFault('timeout', 'no answer'));
    expect((await problemOf(withdraw())).code).toBe('claim-outcome-unknown');
    delete buyer().script.claim;
    clock.now += 60_000;
    expect([await settleClaims(gateway, 10), (await gateway.stores.claims.find(id))?.state]).toEqual([1, 'held']);
    for (const order of buyer().orders) order.receive = 50_000n;
    const order = await gateway.stores.orders.findAny(id);
    if (!order) throw new Error('no order');
    await refreshOrder(scope, order, 'read');
    const before = calls('claim');
    expect([(await problemOf(withdraw())).code, (await problemOf(withdraw())).code]).toEqual(['order-short', 'order-short']);
    const given = await withdraw(undefined, true);
    expect([given.lnurlw, await withdraw(), calls('claim')]).toEqual([expect.stringMatching(/^LNURL1/), given, before]);
  });
  it.each([
    ['read before', false],
    ['read after', true],
  ])('is asked for if only the %s the renewal of a link that nobody was given shows the shortfall', async (_when, isRefused) => {
    const { withdraw, buyer, gateway, clock } = await bought();
    buyer().script.claim = async () => await Promise.reject(new ProviderFault('timeout', 'no answer'));
    expect((await problemOf(withdraw())).code).toBe('claim-outcome-unknown');
    delete buyer().script.claim;
    clock.now += 60_000;
    expect(await settleClaims(gateway, 10)).toBe(1);
    clock.now += 601_000;
    const shorten = (): void => {
      for (const order of buyer().orders) order.receive = 50_000n;
    };
    if (!isRefused) shorten();
    else
      buyer().script.claim = async () => {
        shorten();
        return await Promise.resolve({ ok: false, refusal: { reason: 'declined' } });
      };
    expect([(await problemOf(withdraw())).code, (await problemOf(withdraw())).code]).toEqual(['order-short', 'order-short']);
    const given = await withdraw(undefined, true);
    expect([(await withdraw()).lnurlw, given.warnings]).toEqual([given.lnurlw, ['filled-differently']]);
  });
  it('is not withheld from a customer who was given the link before the shortfall showed', async () => {
    const { withdraw, buyer, scope, gateway, id, clock } = await bought();
    buyer().script.claim = async () => await Promise.reject(new ProviderFault('timeout', 'no answer'));
    expect((await problemOf(withdraw())).code).toBe('claim-outcome-unknown');
    delete buyer().script.claim;
    clock.now += 60_000;
    expect(await settleClaims(gateway, 10)).toBe(1);
    const { lnurlw } = await withdraw();
    for (const order of buyer().orders) order.receive = 50_000n;
    const order = await gateway.stores.orders.findAny(id);
    if (!order) throw new Error('no order');
    expect((await refreshOrder(scope, order, 'read')).disputed).toBe(true);
    expect((await withdraw()).lnurlw).toBe(lnurlw);
  });
  it.each([
    ['while background work notes that', true],
    ['while it is noted that a customer was given the link', false],
  ])('is asked for, and only if nobody was given the link, also if the order changes %s', async (_when, isInBackground) => {
    const { withdraw, buyer, scope, gateway, id, clock } = await bought();
    const real = { ...gateway.stores.orders };
    const now = async () => {
      const order = await real.findAny(id);
      if (!order) throw new Error('no order');
      return order;
    };
    const disputeClosed = { on: 5, pay: '1', receive: '1' };
    /** From now on, an operator's command and another read come before the next note about the link. */
    const meddle = (): void => {
      let isFirst = true;
      gateway.stores.orders.advance = async (...given) => {
        if (!isFirst) return await real.advance(...given);
        isFirst = false;
        const before = await now();
        await real.advance(before, { watch: { ...before.watch, disputeClosed } }, undefined, []);
        const step = { at: clock.now, fromStage: 'filled', toStage: 'filled', rawStatus: 'filled', source: 'read' } as const;
        await real.advance(await now(), {}, { ...step, sequence: before.sequence + 1 }, []);
        return await real.advance(...given);
      };
    };
    buyer().script.claim = async () => await Promise.reject(new ProviderFault('timeout', 'no answer'));
    expect((await problemOf(withdraw())).code).toBe('claim-outcome-unknown');
    delete buyer().script.claim;
    clock.now += 60_000;
    if (isInBackground) meddle();
    expect(await settleClaims(gateway, 10)).toBe(1);
    expect((await now()).watch.linkUnseen).toBe(true);
    if (!isInBackground) {
      meddle();
      await withdraw();
    }
    for (const order of buyer().orders) order.receive = 50_000n;
    await refreshOrder(scope, await now(), 'read');
    const code = await withdraw().then(
      () => 'given',
      (problem: unknown) => (problem as { code: string }).code,
    );
    expect([code, (await now()).watch.disputeClosed]).toEqual([isInBackground ? 'order-short' : 'given', disputeClosed]);
  });
  it('is given once the operator has released it', async () => {
    const { withdraw, gateway, id } = await short();
    expect((await problemOf(withdraw())).code).toBe('order-short');
    const order = await gateway.stores.orders.findAny(id);
    if (!order) throw new Error('no order');
    await gateway.stores.orders.advance(order, { shortReleasedOn: gateway.now() }, undefined, []);
    expect((await withdraw()).lnurlw).toMatch(/^LNURL1/);
  });
  it.each<[string, { pay?: bigint; receive?: bigint }, boolean]>([
    ['is the same', {}, true],
    ['is better', { receive: 60_000n }, true],
    ['is less', { receive: 40_000n }, false],
    ['costs more', { pay: 20_000n }, false],
  ])('that was released is given if what is reported afterwards %s: %o', async (_what, change, isGiven) => {
    const { withdraw, gateway, id } = await short();
    expect((await problemOf(withdraw())).code).toBe('order-short');
    const order = await gateway.stores.orders.findAny(id);
    if (!order) throw new Error('no order');
    const shortReleased = { pay: order.pay.toString(), receive: order.receive.toString() };
    const released = { shortReleasedOn: gateway.now(), watch: { ...order.watch, shortReleased } };
    await gateway.stores.orders.advance(order, { ...released, ...change }, undefined, []);
    const answer = await withdraw().then(
      () => 'given',
      (problem: unknown) => (problem as { code: string }).code,
    );
    expect(answer).toBe(isGiven ? 'given' : 'order-short');
  });
});

describe('what the link pays', () => {
  const pays = (sats: number) => () => ({ tag: 'withdrawRequest', callback: 'https://api.buyer.example/c', k1: 'x', maxWithdrawable: sats * 1000 });

  it('is read once, after the link was kept, and shown on every repeat', async () => {
    const { withdraw, link, reads, gateway, id, logs } = await bought();
    let claimed: string | undefined;
    link(async () => {
      claimed = (await gateway.stores.claims.find(id))?.state;
      return pays(107_869)();
    });
    const first = await withdraw();
    expect(first).toEqual({ order_id: id, withdrawal_expiration_date: first.withdrawal_expiration_date, lnurlw: first.lnurlw, link_sats: 107_869 });
    expect([await withdraw(), reads, claimed]).toEqual([first, ['api.buyer.example 16384'], 'held']);
    expect(await gateway.stores.orders.findAny(id)).toMatchObject({ linkReceive: 107_869n, linkReadOn: gateway.now() });
    expect(logs.filter((one) => one.event === 'link_pays_less')).toEqual([]);
  });

  it('less than 99.9 % is still given out, with a warning, and the operator is alerted', async () => {
    const { withdraw, link, logs } = await bought();
    link(pays(107_000));
    const first = await withdraw();
    expect(first).toMatchObject({ link_sats: 107_000, warnings: ['link-pays-less'] });
    expect(await withdraw()).toEqual(first);
    expect(logs.filter((one) => one.event === 'link_pays_less')).toMatchObject([{ level: 'error' }]);
  });

  it.each<[string, () => object | Promise<object>, number?]>([
    ['an error', () => ({ status: 'ERROR', reason: 'not valid' })],
    ['no link of this kind', () => ({ ...pays(1)(), tag: 'payRequest' })],
    ['no whole number', () => ({ ...pays(1)(), maxWithdrawable: 1.5 })],
    ['less than nothing', () => ({ ...pays(1)(), maxWithdrawable: -1 })],
    ['a redirect', pays(1), 302],
    ['nothing in time', async () => await new Promise<never>(() => undefined)],
    ['a broken connection', async () => await Promise.reject(new ProviderFault('unreachable', 'x'))],
  ])('%s changes nothing', async (_what, answer, status) => {
    const { withdraw, link, gateway, id } = await bought();
    gateway.waitAtMost = async (work, ms) => await Promise.race([work, new Promise<void>((over) => setTimeout(over, ms / 100))]).then(() => undefined);
    link(answer, status);
    const first = await withdraw();
    expect([Object.keys(first), await withdraw()]).toEqual([['order_id', 'withdrawal_expiration_date', 'lnurlw'], first]);
    expect((await gateway.stores.orders.findAny(id))?.linkReceive).toBeUndefined();
  });

  it('is not read if the operator has switched that off', async () => {
    const { withdraw, link, reads } = await bought('filled', { link_check: 'off' });
    link(pays(1));
    expect([(await withdraw()).link_sats, reads]).toEqual([undefined, []]);
  });

  it('is not read for a second link: the customer may have withdrawn a part', async () => {
    const { withdraw, link, reads, clock, logs } = await bought();
    link(pays(107_869));
    const first = await withdraw();
    clock.now += 601_000;
    link(pays(50_000));
    const second = await withdraw();
    expect([second.lnurlw === first.lnurlw, second.link_sats, second.warnings, reads.length]).toEqual([false, 107_869, undefined, 1]);
    expect(logs.filter((one) => one.event === 'link_pays_less')).toEqual([]);
  });

  it('is not read later if the first read failed or was switched off', async () => {
    const { withdraw, link, reads, clock } = await bought();
    link(() => ({ status: 'ERROR' }));
    await withdraw();
    clock.now += 601_000;
    link(pays(50_000));
    expect([(await withdraw()).link_sats, reads.length]).toEqual([undefined, 1]);
  });

  it('does not count if another caller got the link while it was being read', async () => {
    const { withdraw, link, gateway, id, logs } = await bought();
    link(async () => {
      await withdraw();
      return pays(50_000)();
    });
    const first = await withdraw();
    expect([first.link_sats, first.warnings]).toEqual([undefined, undefined]);
    expect((await gateway.stores.orders.findAny(id))?.linkReceive).toBeUndefined();
    expect(logs.filter((one) => one.event === 'link_pays_less')).toEqual([]);
  });
});
