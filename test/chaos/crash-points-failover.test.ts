/**
 * G3 for failover: the gateway process is killed around the move to the next rank, and at each point of the next rank's order. This is tested for
 * each re-POST profile of the provider whose response is lost, both if the first rank refused and if it made an order at a worse price. Two other
 * instances recover; the wallet repeats its request at both in turn. The promise: one request has one response and at most one payable order, and
 * does not move on once an outcome is unknown.
 */
import { afterAll, expect } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { isFull, reportGoal } from '../fuzz/random.ts';
import { until } from '../support/gateway.ts';
import { needsPostgres } from '../support/postgres.ts';
import type { Kept } from './checker.ts';
import { holdCommits } from './held-commits.ts';
import { movePoints, profiles, startFleet, type Child, type Fleet, type MovePoint, type Profile } from './replicas.ts';

let fleet: Fleet | undefined;
afterAll(async () => await fleet?.close());

/** The short form tests the commit of the move and the lost response of the next rank; the long form tests all points. */
const points: readonly MovePoint[] = isFull ? movePoints : ['M1', 'M4'];
const faults = { refused: 'order-refused', worse: 'order-amounts-differ' } as const;
type First = keyof typeof faults;
type Case = { point: MovePoint; first: First; profile: Profile; session: string; quoteId: string };
/** Returns the expected outcomes. At M0 the response of the first rank is lost, so its profile counts, and the gateway does not know its refusal. */
const expected = (point: MovePoint, first: First): Record<Profile, string> => {
  const all = (outcome: string) => ({ same: outcome, rejects: outcome, duplicates: outcome, unknown: outcome });
  const nothingUpstream = { same: 'confirmed', rejects: 'confirmed', duplicates: 'dead', unknown: 'dead' };
  const oneUpstream = { same: 'confirmed', rejects: 'unpayable', duplicates: 'unpayable', unknown: 'unpayable' };
  const moved = (last: Record<Profile, string>) => Object.fromEntries(Object.entries(last).map(([profile, state]) => [profile, `moved, ${state}`])) as never;
  if (point === 'M0') return first === 'refused' ? nothingUpstream : oneUpstream;
  if (point === 'M3') return moved(nothingUpstream);
  if (point === 'M4' || point === 'M5') return moved(oneUpstream);
  return moved(all('confirmed'));
};

/** A fault is meant for one request: until all children have crashed, the recovering instances send nothing that could trigger it. */
let allCrashed = false;
const recoverLater = (on: Fleet): void => {
  for (const { gateway } of on.recoverers) {
    const { intents } = gateway.stores;
    const claimDue = intents.claimDue.bind(intents);
    intents.claimDue = async (...given) => (allCrashed ? await claimDue(...given) : []);
  }
};

type Offer = { provider: { id: Profile }; quote_id: string };
/** Asks for offers until the offer of `profile` has an offer right before it (for M0: after it). Returns the offer to order first. */
const offersAround = async (on: Fleet, point: MovePoint, profile: Profile): Promise<{ session: string; first: Offer }> => {
  const wallet = createWallet(on.recoverers[0]?.url ?? '');
  const { sessionId } = await wallet.open();
  return await until('an order of offers', async () => {
    const { body } = await wallet.call('/offers', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
    const offers = body['offers'] as Offer[];
    const at = offers.findIndex((offer) => offer.provider.id === profile);
    const first = point === 'M0' ? (at < offers.length - 1 ? offers[at] : undefined) : offers[at - 1];
    return first && { session: sessionId, first };
  });
};

const failover = { max: 3, min_amount_sats: 1 };
const crashOne = async (on: Fleet, child: Child, one: Omit<Case, 'session' | 'quoteId'>, nth: number): Promise<Case> => {
  const { session, first } = await offersAround(on, one.point, one.profile);
  on.simulators[first.provider.id].control.setFault({ endpoint: 'order', fault: faults[one.first], times: 1 });
  void on.order(child.url, session, first.quote_id, { failover });
  await child.reached(nth);
  return { ...one, session, quoteId: first.quote_id };
};

const moveKey = 9;
/** Kills one child while all its requests are in progress. */
const crashAt = async (on: Fleet, point: MovePoint, child: Child, firsts: readonly First[]): Promise<Case[]> => {
  const cases: Case[] = [];
  const commits = point === 'M1' ? await holdCommits(on.database.sql, moveKey) : undefined;
  for (const first of firsts) for (const profile of profiles) cases.push(await crashOne(on, child, { point, first, profile }, cases.length + 1));
  await commits?.reached(cases.length);
  await child.kill();
  await commits?.release();
  await on.expireLeases(point);
  return cases;
};

const settle = async (on: Fleet, { session, quoteId }: Case): Promise<void> => {
  let turn = 0;
  const ask = async () => await on.order(on.recoverers[(turn += 1) % 2]?.url ?? '', session, quoteId, { failover });
  for (;;) {
    const { status } = await ask();
    if (status === 200 || (status >= 400 && status < 500)) break;
    await new Promise((done) => setTimeout(done, 250));
  }
  await Promise.all([ask(), ask()]);
};

const statesOf = (quoteId: string, rows: readonly Kept[]): string => {
  const states: string[] = [];
  for (let at = rows.find((row) => row.quoteId === quoteId); at; at = rows.find((row) => row.intentId === at?.movedTo)) states.push(at.state);
  return states.join(', ');
};

needsPostgres('failover: dies at each crash point and every promise holds, for each profile', async () => {
  const on = await startFleet({ quoteTtlS: 600 }, { quote_deadline_ms: 20_000, order_deadline_ms: 30_000, status_deadline_ms: 15_000 });
  fleet = on;
  recoverLater(on);
  // The trigger runs within the commit and waits there, so that the process is killed before it learns the outcome.
  await on.database.sql.unsafe(`
      create function waits_for_its_end() returns trigger language plpgsql set lock_timeout = 0 as $$ begin
        perform pg_advisory_xact_lock_shared(${moveKey});
        return null;
      end $$;
      create constraint trigger held_move after update on intents deferrable initially deferred for each row
        when (new.state = 'moved' and old.lease_owner like 'child-M1/%') execute function waits_for_its_end()`);
  const started = Date.now();
  const firsts: readonly First[] = isFull ? ['refused', 'worse'] : ['refused'];
  const cases: Case[] = [];
  let next = on.child(points[0] ?? 'M0');
  for (const [n, point] of points.entries()) {
    const child = await next;
    const following = points[n + 1];
    if (following !== undefined) next = on.child(following);
    cases.push(...(await crashAt(on, point, child, firsts)));
  }
  allCrashed = true;
  let isSettled = false;
  const settled = Promise.all(cases.map(async (one) => await settle(on, one))).finally(() => (isSettled = true));
  for (let round = 0; !isSettled; round += 1) {
    on.clock.move(round < 10 ? 2000 : 60_000);
    await Promise.all(on.recoverers.map(async (one) => await one.tick()));
    await new Promise((done) => setTimeout(done, 20));
  }
  await settled;
  const rows = await on.kept();
  const seen = points.flatMap((point) =>
    firsts.map((first) => {
      const those = cases.filter((one) => one.point === point && one.first === first);
      return [`${point} ${first}`, Object.fromEntries(those.map(({ profile, quoteId }) => [profile, statesOf(quoteId, rows)]))] as const;
    }),
  );
  expect(Object.fromEntries(seen)).toEqual(
    Object.fromEntries(points.flatMap((point) => firsts.map((first) => [`${point} ${first}`, expected(point, first)] as const))),
  );
  expect(await on.check()).toEqual([]);
  reportGoal(
    'G3',
    `failover: ${points.length} points x ${profiles.length} profiles x ${firsts.length} settled in ${((Date.now() - started) / 1000).toFixed(1)} s, ${on.told.length} answers, 0 violations`,
    0,
  );
});
