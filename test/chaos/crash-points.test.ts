/**
 * G3: the gateway process is killed at each named point of an order attempt, for each re-POST profile, on real PostgreSQL. Two other instances find
 * the unfinished attempts and settle them; the wallet repeats its request until the outcome is known. C12 (two instances recover at once) is part of
 * every point.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { reportGoal } from '../fuzz/random.ts';
import { until } from '../support/gateway.ts';
import { needsPostgres } from '../support/postgres.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';
import { holdCommits } from './held-commits.ts';
import { crashPoints, profiles, startFleet, type CrashPoint, type Fleet, type Profile } from './replicas.ts';

let fleet: Fleet | undefined;
let receiver: WebhookReceiver;
beforeAll(async () => {
  receiver = await startWebhookReceiver();
});
afterAll(async () => {
  await fleet?.close();
  await receiver.close();
});

type Outcome = Record<Profile, string>;
const all = (outcome: string): Outcome => ({ same: outcome, rejects: outcome, duplicates: outcome, unknown: outcome });
/** The outcome if there is no order at the provider: the order is sent again if that is safe, else the attempt ends when the quote has expired. */
const nothingUpstream: Outcome = { same: 'confirmed', rejects: 'confirmed', duplicates: 'dead', unknown: 'dead' };
/** The outcome if there is one order at the provider, whose response was lost. */
const oneUpstream: Outcome = { same: 'confirmed', rejects: 'unpayable', duplicates: 'unpayable', unknown: 'unpayable' };
const expected: Record<Exclude<CrashPoint, 'C13'>, Outcome> = {
  C0: all('confirmed'),
  C1: all('confirmed'),
  C2: nothingUpstream,
  C3: nothingUpstream,
  C4: nothingUpstream,
  C5: oneUpstream,
  C6: oneUpstream,
  C7: oneUpstream,
  C8: all('confirmed'),
  C9: all('confirmed'),
  C10: all('confirmed'),
  C11: oneUpstream,
};

const slow: ReadonlySet<CrashPoint> = new Set(['C13', 'C2', 'C3', 'C4']);

/**
 * The number of children that wait for a webhook to send. While there is such a child, the two recovering instances send no webhooks, so that the
 * child gets one.
 */
let senders = 0;
const leaveDeliveriesToChildren = (on: Fleet): void => {
  for (const { gateway } of on.recoverers) {
    const { deliveries } = gateway.stores;
    const claimDue = deliveries.claimDue.bind(deliveries);
    deliveries.claimDue = async (...given) => (senders > 0 ? [] : await claimDue(...given));
  }
};

type Case = { point: CrashPoint; session: string; quotes: Record<Profile, string> };

const crashAt = async (on: Fleet, point: CrashPoint): Promise<Case> => {
  const [first] = on.recoverers;
  if (!first) throw new Error('no instance recovers');
  const child = await on.child(point);
  const commits = point === 'C2' || point === 'C7' ? await holdCommits(on.database.sql, commitKeys[point]) : undefined;
  const wallet = createWallet(first.url);
  const { sessionId } = await wallet.open();
  const { body } = await wallet.call('/offers', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  const quotes = Object.fromEntries(
    (body['offers'] as { provider: { id: string }; quote_id: string }[]).map((offer) => [offer.provider.id, offer.quote_id]),
  ) as Record<Profile, string>;
  expect(Object.keys(quotes).sort()).toEqual([...profiles].sort());
  const webhook = { webhook_url: `${receiver.url}/${point}`, webhook_events: ['order_status_changed', 'withdrawal_ready'] };
  const lost = Promise.all(profiles.map((profile) => on.order(child.url, sessionId, quotes[profile], webhook)));
  if (point === 'C9' || point === 'C10') {
    senders += 1;
    await lost;
    await ringAll(on, quotes, 'filled');
    await child.reached(1);
    senders -= 1;
  } else await child.reached(profiles.length);
  if (point === 'C11') await ringAll(on, quotes, 'placed');
  if (point === 'C13') {
    child.process.kill('SIGSTOP');
    await on.expireLeases(point);
    for (let n = 0; n < 4; n += 1) await timePasses(on, 1000);
    child.process.kill('SIGCONT');
    // The child sends the orders after all, and responds to its customers with the outcome that it believes in.
    await child.goOn();
    await lost;
  }
  await commits?.reached(profiles.length);
  await child.kill();
  await commits?.release();
  await lost;
  await on.expireLeases(point);
  return { point, session: sessionId, quotes };
};

const commitKeys = { C2: 2, C7: 7 } as const;
/** Moves the clock that all but the children use. Both recovering instances then do what is due, at the same time. */
const timePasses = async (on: Fleet, ms: number): Promise<void> => {
  on.clock.move(ms);
  await Promise.all(on.recoverers.map(async (one) => await one.tick()));
};

/** Lets the providers send notices about the orders of these quotes. */
const ringAll = async (on: Fleet, quotes: Record<Profile, string>, status: string): Promise<void> => {
  const rows = await on.kept();
  for (const profile of profiles) {
    const intent = rows.find((row) => row.quoteId === quotes[profile]);
    const { control } = on.simulators[profile];
    const order = [...control.orders.values()].find((one) => one.webhookUrl?.includes(`/${intent?.intentId}/`) === true);
    if (!order) throw new Error(`${profile} has no order to send a notice about`);
    await control.pay(order.id, status);
    expect(control.history.webhooks.at(-1)?.status).toBe(202);
  }
};

/** Repeats the wallet's request, at both instances in turn, until it has a final response, and then twice more. */
const settle = async (on: Fleet, { session, quotes, point }: Case): Promise<void> => {
  const webhook = { webhook_url: `${receiver.url}/${point}`, webhook_events: ['order_status_changed', 'withdrawal_ready'] };
  await Promise.all(
    profiles.map(async (profile) => {
      let turn = 0;
      const ask = async () => await on.order(on.recoverers[(turn += 1) % 2]?.url ?? '', session, quotes[profile], webhook);
      // This loop has no limit, because the other children may take long to crash. If a request never settles, the test's own time limit ends it.
      for (;;) {
        await new Promise((done) => setTimeout(done, 250));
        const { status } = await ask();
        if (status === 200 || (status >= 400 && status < 500)) break;
      }
      await ask();
      await ask();
    }),
  );
};

needsPostgres('dies at each crash point and every promise holds, for each profile', async () => {
  // Even on a busy machine, quotes live longer than it takes to order them and to kill the process.
  const on = await startFleet({ quoteTtlS: 600 }, { quote_deadline_ms: 20_000, order_deadline_ms: 15_000, status_deadline_ms: 15_000 });
  fleet = on;
  leaveDeliveriesToChildren(on);
  await on.database.sql.unsafe(`
      create function waits_for_its_end() returns trigger language plpgsql set lock_timeout = 0 as $$ begin
        perform pg_advisory_xact_lock_shared(case when new.state = 'sending' then ${commitKeys.C2} else ${commitKeys.C7} end);
        return new;
      end $$;
      create trigger held_commit before update on intents for each row when (
        (new.state = 'sending' and old.state = 'prepared' and old.lease_owner like 'child-C2/%') or (new.state = 'confirmed' and old.lease_owner like 'child-C7/%'))
        execute function waits_for_its_end()`);
  const started = Date.now();
  const settling: Promise<void>[] = [];
  const cases: Case[] = [];
  // The attempts that wait for a quote to expire come first.
  const queue = [...crashPoints].sort((a, b) => Number(slow.has(b)) - Number(slow.has(a)));
  const work = async (): Promise<void> => {
    for (let point = queue.shift(); point; point = queue.shift()) {
      const one = await crashAt(on, point);
      cases.push(one);
      settling.push(settle(on, one));
    }
  };
  await Promise.all([work(), work(), work()]);
  // An attempt that waits for its quote to expire ends once more than the quote's lifetime has passed.
  let isSettled = false;
  const settled = Promise.all(settling).finally(() => (isSettled = true));
  for (let round = 0; !isSettled; round += 1) {
    await timePasses(on, round < 10 ? 2000 : 60_000);
    await new Promise((done) => setTimeout(done, 20));
  }
  await settled;
  const rows = await on.kept();
  const outcomes = Object.fromEntries(
    cases
      .filter((one) => one.point !== 'C13')
      .map(({ point, quotes }) => [
        point,
        Object.fromEntries(profiles.map((profile) => [profile, rows.find((row) => row.quoteId === quotes[profile])?.state])),
      ]),
  );
  expect(outcomes).toEqual(expected);
  expect(await on.check()).toEqual([]);
  // C9 (claimed, not sent) and C10 (sent, not marked as delivered): the webhook still arrives, and every delivery of it has the same id.
  for (const point of ['C9', 'C10']) {
    const hooks = await until(`webhooks of ${point}`, async () => {
      const found = receiver.received.filter((one) => one.path === `/${point}` && one.body.includes('withdrawal_ready'));
      return await Promise.resolve(
        new Set(found.map((one) => (JSON.parse(one.body) as { data: { order_id: string } }).data.order_id)).size === profiles.length ? found : undefined,
      );
    });
    const byOrder = new Map(hooks.map((one) => [(JSON.parse(one.body) as { data: { order_id: string } }).data.order_id, one.headers['webhook-id']]));
    for (const one of hooks) expect(one.headers['webhook-id']).toBe(byOrder.get((JSON.parse(one.body) as { data: { order_id: string } }).data.order_id));
  }
  reportGoal(
    'G3',
    `${cases.length} points x ${profiles.length} profiles settled in ${((Date.now() - started) / 1000).toFixed(1)} s, ${on.told.length} answers, 0 violations`,
    0,
  );
});
