import { describe, expect, it } from 'vitest';
import { invoiceFrom, pushing } from '../../../test/support/memory/pushing.ts';
import type { Facts } from '../../domain/offer.ts';
import type { Stage } from '../../domain/order.ts';
import type { Place } from '../../ports/runtime.ts';
import { withoutUnshownPayout } from './payout-of.ts';

const hash = 'ab'.repeat(32);
const day = 86_400_000;

/** An order at a provider that pushes. */
const pushed = async (options: Parameters<typeof pushing>[0] = {}) => {
  const world = pushing(options);
  const placed = await world.order();
  return { ...world, placed, says: async (stage: Stage, facts?: Facts) => await world.says(placed.id, stage, facts) };
};

describe('a pushed payout', () => {
  it('counts as paid until it is shown, whatever the provider calls it, and then stays shown', async () => {
    const { says, clock } = await pushed();
    for (const stage of ['paid', 'filled', 'finished'] as const) expect(await says(stage)).toMatchObject({ stage: 'paid', final: false });
    expect(await says('finished', { payout_id: 'done, believe me', payout_on: 'yesterday' })).toMatchObject({ stage: 'paid' });
    const payout_on = new Date(clock.now).toISOString();
    expect(await says('filled', { payout_on })).toMatchObject({ stage: 'filled', final: false });
    expect(await says('finished')).toMatchObject({ stage: 'finished', final: true, facts: { payout_on } });
  });

  it('is shown by a time only if that is between the order and now', async () => {
    const { says, placed, clock } = await pushed();
    const at = (ms: number): Facts => ({ payout_on: new Date(ms).toISOString() });
    for (const on of [0, placed.createdOn - day, placed.createdOn - 300_001, clock.now + day]) {
      const read = await says('finished', at(on));
      expect([read.stage, read.facts.payout_on]).toEqual(['paid', undefined]);
    }
    expect(await says('finished', at(placed.createdOn - 300_000))).toMatchObject({ stage: 'finished' });
  });

  it('to an invoice is shown by the hash of that invoice, and by nothing else', async () => {
    const { says, clock } = await pushed({ to: (now) => ['invoice', invoiceFrom(now)] });
    const payout_on = new Date(clock.now).toISOString();
    for (const facts of [{}, { payout_on }, { payout_id: 'cd'.repeat(32) }, { payout_id: 'cd'.repeat(32), payout_on }]) {
      const read = await says('finished', facts);
      expect([read.stage, read.facts.payout_id, read.facts.payout_on]).toEqual(['paid', undefined, undefined]);
    }
    expect(await says('finished', { payout_id: hash.toUpperCase(), payout_on })).toMatchObject({ stage: 'finished', facts: { payout_id: hash, payout_on } });
  });

  it('is not shown by the offer, nor by the answer to the order', async () => {
    const shown = { payout_id: hash, payout_on: '2026-11-21T00:00:00.000Z' };
    for (const facts of [{ offered: shown }, { answered: shown }]) {
      const { says, placed } = await pushed(facts);
      expect(placed.facts).not.toHaveProperty('payout_id');
      expect(placed.facts).not.toHaveProperty('payout_on');
      expect(await says('finished')).toMatchObject({ stage: 'paid' });
    }
  });

  it('is followed, and not shown, while its destination cannot be unsealed', async () => {
    const { says, gateway, logs, placed } = await pushed();
    const { seal } = gateway;
    const open = async (sealed: string, at: Place): Promise<string> =>
      await (at.field === 'inputs' ? Promise.reject(new Error('no key')) : seal.open(sealed, at));
    Object.assign(gateway, { seal: { ...seal, open } });
    expect(await says('paid')).toMatchObject({ stage: 'paid' });
    expect(await says('finished', { payout_id: hash })).toMatchObject({ stage: 'paid' });
    expect(logs.find(({ event, fields }) => event === 'defect' && fields['where'] !== 'receipt')).toMatchObject({
      level: 'error',
      fields: { where: 'open_payout', order: placed.id },
    });
    Object.assign(gateway, { seal });
    expect(await says('finished', { payout_id: hash })).toMatchObject({ stage: 'finished' });
  });

  it('without a known destination is shown by any hash: after a restore, where it may be older than its row, and once the customer was erased', async () => {
    const { placed } = await pushed();
    const adopted = { ...placed, terms: { ...placed.terms, adopted: true as const } };
    const shown = { stage: 'finished' as const, rawStatus: 'done', facts: { payout_on: '2026-11-20T00:00:00.000Z' } };
    expect(withoutUnshownPayout(adopted, undefined, shown, placed.createdOn)).toEqual(shown);
    expect(withoutUnshownPayout(placed, undefined, shown, placed.createdOn)).toEqual({ stage: 'paid', rawStatus: 'done', facts: {} });
    const withHash = { ...shown, facts: { payout_id: hash } };
    expect(withoutUnshownPayout(placed, undefined, withHash, placed.createdOn)).toEqual(withHash);
  });
});
