import { expect, it } from 'vitest';
import { memoryGateway, problemOf } from '../../../test/support/memory/gateway.ts';
import { encodeLnurl } from '../../bitcoin/lnurl.ts';
import type { Stage } from '../../domain/order.ts';
import { ProviderFault } from '../../providers/fault.ts';
import { claimWithdrawal, settleClaims } from './claim-withdrawal.ts';

const address = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const bought = async (stage: Stage = 'filled') => {
  const world = memoryGateway();
  const { id } = await world.placed();
  const says = (word: Stage): void => {
    for (const order of world.buyer().orders) Object.assign(order, { stage: word, rawStatus: word });
  };
  says(stage);
  world.clock.now += 60_000;
  const withdraw = async (failback_onchain?: string) => await claimWithdrawal(world.scope, world.session, { order_id: id, failback_onchain });
  return { ...world, id, says, withdraw };
};

it('the link is fetched once, and everybody is shown the same', async () => {
  const { withdraw, calls } = await bought();
  const first = await withdraw();
  expect(first.lnurlw).toMatch(/^LNURL1/);
  expect([await withdraw(), await withdraw(), calls('claim')]).toEqual([first, first, 1]);
});

it('asked for at the same time, it is fetched by one; the others come again', async () => {
  const { withdraw, calls } = await bought();
  const answers = await Promise.allSettled([withdraw(), withdraw(), withdraw()]);
  expect(answers.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
  const refused = answers.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : []));
  expect(refused).toEqual(['claim-outcome-unknown', 'claim-outcome-unknown']);
  expect([new Set([(await withdraw()).lnurlw, (await withdraw()).lnurlw]).size, calls('claim')]).toEqual([1, 1]);
});

it('there is none before the order is filled, and none of somebody else’s order', async () => {
  const { withdraw, scope, session, id, calls } = await bought('paid');
  expect(await problemOf(withdraw())).toMatchObject({ code: 'order-not-withdrawable' });
  const stranger = { ...session, customerId: crypto.randomUUID() };
  expect(await problemOf(claimWithdrawal(scope, stranger, { order_id: id }))).toMatchObject({ code: 'order-not-found' });
  expect(calls('claim')).toBe(0);
});

it('an answer that was lost is asked for again, and what comes is kept', async () => {
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

it('a link on a foreign host is withheld, the order is in review, and nobody asks for another', async () => {
  const { withdraw, buyer, gateway, id, calls, logs } = await bought();
  buyer().script.claim = async () => await Promise.resolve({ ok: true, value: { lnurl: encodeLnurl('https://evil.example/w') } });
  for (let n = 0; n < 2; n += 1) expect(await problemOf(withdraw())).toMatchObject({ code: 'payout-link-refused' });
  expect([(await gateway.stores.orders.findAny(id))?.stage, calls('claim')]).toEqual(['review', 1]);
  expect(logs.filter((one) => one.event === 'payout_link_refused')).toMatchObject([{ level: 'error' }]);
});

it('refused while we hold nothing and the provider calls the order finished: a person looks', async () => {
  const { withdraw, buyer, says, gateway, id, logs } = await bought();
  buyer().script.claim = async () => {
    says('finished');
    return await Promise.resolve({ ok: false, refusal: { reason: 'declined' } });
  };
  expect((await problemOf(withdraw())).code).toBe('claim-outcome-unknown');
  expect((await gateway.stores.claims.find(id))?.state).toBe('review');
  expect(logs.filter((one) => one.event === 'claim_lost')).toHaveLength(1);
});

it('refused once while it is still filled is no loss', async () => {
  const { withdraw, buyer, gateway, id, logs, clock } = await bought();
  buyer().script.claim = async () => await Promise.resolve({ ok: false, refusal: { reason: 'declined' } });
  expect((await problemOf(withdraw())).code).toBe('claim-outcome-unknown');
  expect([(await gateway.stores.claims.find(id))?.state, logs.filter((one) => one.event === 'claim_lost')]).toEqual(['sending', []]);
  delete buyer().script.claim;
  clock.now += 60_000;
  await settleClaims(gateway, 10);
  expect((await withdraw()).lnurlw).toMatch(/^LNURL1/);
});

it('the fallback is the first one: another is refused, the same may be repeated', async () => {
  const { withdraw, calls } = await bought();
  const first = await withdraw(address);
  expect([await withdraw(address), await withdraw(), await withdraw(address.toUpperCase())]).toEqual([first, first, first]);
  expect(await problemOf(withdraw('bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry'))).toMatchObject({ code: 'withdrawal-differs' });
  expect(await problemOf(withdraw('nonsense'))).toMatchObject({ code: 'address-invalid' });
  expect(calls('claim')).toBe(1);
});

it('an expired link is fetched anew while the order is filled; with a fallback it is left to the provider', async () => {
  const without = await bought();
  const first = await without.withdraw();
  without.clock.now += 601_000;
  const second = await without.withdraw();
  expect([second.lnurlw === first.lnurlw, without.calls('claim')]).toEqual([false, 2]);
  without.clock.now += 601_000;
  without.says('finished');
  expect(await problemOf(without.withdraw())).toMatchObject({ code: 'order-not-withdrawable' });
  const withFallback = await bought();
  await withFallback.withdraw(address);
  withFallback.clock.now += 601_000;
  expect(await problemOf(withFallback.withdraw())).toMatchObject({ code: 'withdrawal-expired' });
  expect(withFallback.calls('claim')).toBe(1);
});
