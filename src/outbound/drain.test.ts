import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { drizzle } from 'drizzle-orm/postgres-js';
import { timed } from '../../test/support/stopwatch.ts';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import type { Stage } from '../domain/order.ts';
import type { NewDelivery, SendOutcome, Sending } from '../ports/deliveries.ts';
import type { OrderWatch } from '../ports/orders.ts';
import { orderDeliveries } from '../gateway/deliveries/order-deliveries.ts';
import { webhookPlace } from '../gateway/places.ts';
import { sha256Hex } from '../seal/hash.ts';
import { createSeal } from '../seal/seal.ts';
import { createDeliveryStore, insertDeliveries } from '../store/delivery-store.ts';
import * as schema from '../store/schema.ts';
import { waitAtMost } from '../entry/wait-at-most.ts';
import { drainDeliveries, type DrainParts } from './drain.ts';
import { createReceivers } from './receivers.ts';
import { createSigner } from './sign.ts';

let database: TestDatabase;
const time = { now: Date.UTC(2026, 10, 21) };
const logged: unknown[] = [];
const sent: (Sending & { at: number })[] = [];
let answer: (sending: Sending) => SendOutcome = () => ({ outcome: 'delivered', statusClass: '2xx', status: 200 });
const seal = createSeal([{ id: 'k', key: new Uint8Array(32).fill(7) }]);
let parts: DrainParts;
let insert: (rows: NewDelivery[]) => Promise<void>;

beforeAll(async () => {
  database = await testDatabase();
  const db = drizzle(database.sql, { schema });
  insert = async (rows) => await db.transaction(async (tx) => await insertDeliveries(tx, rows));
  parts = {
    store: createDeliveryStore(db),
    sender: (sending) => {
      sent.push({ ...sending, at: time.now });
      return Promise.resolve(answer(sending));
    },
    signer: createSigner([{ kid: 'w', seed: new Uint8Array(32).fill(9) }]),
    seal,
    now: () => time.now,
    random: () => 0.5,
    owner: 'test',
    timeoutMs: 15_000,
    perHost: 4,
    count: () => undefined,
    log: (...line) => void logged.push(line),
    receivers: createReceivers(() => time.now),
  };
});
beforeEach(async () => {
  sent.length = 0;
  await database.sql`truncate deliveries`;
  parts.receivers = createReceivers(() => time.now);
});
afterAll(async () => await database.close());

let counter = 0;
const delivery = async (more: Partial<NewDelivery> & { to?: string } = {}): Promise<NewDelivery> => {
  const { to = 'https://wallet.example/hook', ...rest } = more;
  counter += 1;
  const id = `msg_${String(counter).padStart(32, '0')}`;
  return {
    id,
    subjectId: crypto.randomUUID(),
    type: 'withdrawal_ready',
    sequence: 2,
    body: '{"type":"withdrawal_ready"}',
    url: await seal.seal(to, { table: 'deliveries', row: id, field: 'url' }),
    host: new URL(to).host,
    createdOn: time.now,
    dueOn: time.now,
    ...rest,
  };
};
/** Returns the time of the next tick at which a webhook is due. Earlier ticks find nothing to do. */
const nextTick = async (stepMs: number): Promise<number> => {
  const [row] = await database.sql<
    { due: number | null }[]
  >`select (extract(epoch from min(due_on)) * 1000)::float8 as due from deliveries where state = 'due'`;
  return time.now + stepMs * Math.max(1, Math.ceil(((row?.due ?? Infinity) - time.now) / stepMs));
};
/** Runs the drain over a period of the clock. */
const run = async (forMs: number, stepMs = 1000): Promise<void> => {
  for (const end = time.now + forMs; time.now <= end; time.now = Math.min(await nextTick(stepMs), end + stepMs)) while ((await drainDeliveries(parts, 50)) > 0);
};
const states = async () => (await parts.store.list({ limit: 500 })).map((one) => `${one.state} ${one.attempt}`);
const stateOf = async (id: string) => {
  const one = (await parts.store.list({ limit: 500 })).find((row) => row.id === id);
  return [one?.state, one?.attempt, one?.lastOutcome, one?.doneOn];
};

describe('the outbox', () => {
  it('keeps the schedule, honours Retry-After, and gives up after ten attempts', async () => {
    await insert([await delivery()]);
    answer = () => ({ outcome: 'failed', statusClass: '5xx', status: 500 });
    const began = time.now;
    const due = [0, 1, 6, 36, 156, 456, 1056, 1896, 3096, 4536];
    // Checks a minute before each attempt, when nothing may be sent, and at its time, when the attempt is made.
    for (const minute of due.flatMap((one) => [one - 1, one]).concat(6000)) {
      time.now = Math.max(began, began + minute * 60_000);
      await run(0);
    }
    expect(sent.map((one) => Math.round((one.at - began) / 60_000))).toEqual(due);
    expect(new Set(sent.map((one) => one.headers['webhook-id'])).size).toBe(1);
    expect(sent.map((one) => one.headers['webhook-attempt'])).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']);
    expect(await states()).toEqual(['dead 10']);
    sent.length = 0;
    const next = await delivery();
    await insert([next]);
    answer = () => ({ outcome: 'failed', statusClass: '4xx', status: 429, retryAfterMs: 3_600_000 });
    await run(3_500_000, 60_000);
    expect(sent).toHaveLength(1);
  });

  it('a webhook that cannot be opened, signed or marked does not hold up the others; it is retried, and finally dead', async () => {
    const broken = await delivery({ url: await seal.seal('https://wallet.example/hook', { table: 'deliveries', row: 'another', field: 'url' }) });
    await insert([broken, await delivery()]);
    logged.length = 0;
    answer = () => ({ outcome: 'delivered', statusClass: '2xx', status: 200 });
    expect(await drainDeliveries(parts, 50)).toBe(2);
    expect(sent).toHaveLength(1);
    expect(await stateOf(broken.id)).toEqual(['due', 1, 'defect', undefined]);
    expect(logged).toEqual([['error', 'defect', { where: 'send_delivery', delivery: broken.id, attempt: 1, error: expect.any(String) }]]);
    for (let minutes = 0; minutes <= 10_000; minutes += 250, time.now += 250 * 60_000) await drainDeliveries(parts, 50);
    expect(await stateOf(broken.id)).toEqual(['dead', 10, 'defect', expect.any(Number)]);

    await insert([await delivery(), await delivery()]);
    let marks = 0;
    const store = {
      ...parts.store,
      finish: async (...given: Parameters<DrainParts['store']['finish']>) => {
        marks += 1;
        if (marks === 1) throw new Error('the connection was lost');
        await parts.store.finish(...given);
      },
    };
    expect(await drainDeliveries({ ...parts, store }, 50)).toBe(2);
    expect(marks).toBe(2);
    expect(logged.at(-1)).toMatchObject(['error', 'defect', { where: 'mark_delivery', error: 'the connection was lost' }]);
  });

  it('410 disables', async () => {
    await insert([await delivery()]);
    answer = () => ({ outcome: 'failed', statusClass: '4xx', status: 410 });
    await run(10_000);
    expect(await states()).toEqual(['disabled 1']);
  });

  it('a newer event takes the place of its undelivered older ones of the same type', async () => {
    const subjectId = crypto.randomUUID();
    await insert([await delivery({ subjectId, sequence: 2 })]);
    await insert([await delivery({ subjectId, sequence: 3 })]);
    await insert([await delivery({ subjectId, sequence: 4, type: 'order_status_changed' })]);
    answer = () => ({ outcome: 'delivered', statusClass: '2xx', status: 200 });
    await run(3000);
    expect(sent.map((one) => one.headers['webhook-sequence'])).toEqual(['3', '4']);
  });

  it('a webhook that fails while a newer one is written is not sent after the newer one', async () => {
    const subjectId = crypto.randomUUID();
    const older = await delivery({ subjectId, sequence: 2 });
    const newer = await delivery({ subjectId, sequence: 3 });
    await insert([older]);
    const racing: DrainParts = {
      ...parts,
      sender: async (sending) => {
        sent.push({ ...sending, at: time.now });
        await insert([newer]);
        return { outcome: 'failed', statusClass: '5xx', status: 500 };
      },
    };
    expect(await drainDeliveries(racing, 50)).toBe(1);
    expect(await stateOf(older.id)).toEqual(['superseded', 1, '5xx', time.now]);
    answer = () => ({ outcome: 'delivered', statusClass: '2xx', status: 200 });
    await run(20_000);
    expect(sent.map((one) => one.headers['webhook-sequence'])).toEqual(['2', '3']);
  });

  it('a stage that is reached again is reported again, if the operator had the order continue from an earlier one', async () => {
    const id = crypto.randomUUID();
    const gateway = { seal, ids: { uuid: () => crypto.randomUUID() }, hash: sha256Hex, now: () => time.now };
    const webhookUrl = await seal.seal('https://wallet.example/hook', webhookPlace(id));
    const webhookEvents = ['order_status_changed', 'withdrawal_ready'];
    const step = async (from: Stage, stage: Stage, sequence: number, watch: OrderWatch = {}) =>
      await orderDeliveries(gateway, { id, ramp: 'buy', terms: {}, watch, stage, webhookUrl, webhookEvents }, from, { sequence });
    const named: OrderWatch = { beforeReview: 'paid', reviewed: { pay: '1', receive: '1' } };
    const first = await step('paid', 'filled', 3);
    const rows = [first, await step('filled', 'review', 4), await step('review', 'paid', 5, named), await step('paid', 'filled', 6, named)].flat();
    expect(new Set(rows.map((one) => one.id)).size).toBe(rows.length);
    // If the order was never reviewed, an event that is sent again after a restore has the same id, even with another sequence number.
    expect((await step('paid', 'filled', 7)).map((one) => one.id)).toEqual(first.map((one) => one.id));
    for (const row of rows) await insert([row]);
    answer = () => ({ outcome: 'delivered', statusClass: '2xx', status: 200 });
    await run(2000);
    expect(sent.map((one) => `${one.headers['webhook-sequence']} ${(JSON.parse(one.body) as { type: string }).type}`).toSorted()).toEqual([
      '6 order_status_changed',
      '6 withdrawal_ready',
    ]);
  });

  it('a review is reported each time that an order enters it, and an event that exists already supersedes nothing', async () => {
    const id = crypto.randomUUID();
    const gateway = { seal, ids: { uuid: () => crypto.randomUUID() }, hash: sha256Hex, now: () => time.now };
    const webhookUrl = await seal.seal('https://wallet.example/hook', webhookPlace(id));
    const step = async (from: Stage, stage: Stage, sequence: number) =>
      await orderDeliveries(gateway, { id, ramp: 'buy', terms: {}, watch: {}, stage, webhookUrl, webhookEvents: ['order_status_changed'] }, from, { sequence });
    const steps = [
      await step('awaiting_payment', 'review', 2),
      await step('review', 'paid', 3),
      await step('paid', 'review', 4),
      await step('review', 'paid', 5),
      await step('paid', 'filled', 6),
    ];
    expect(new Set(steps.flat().map((one) => one.id)).size).toBe(5);
    expect((await step('paid', 'review', 4))[0]?.id).toBe(steps[2]?.[0]?.id);
    for (const rows of steps) await insert(rows);
    // An event sent again, as after a restore, has the same id and says nothing newer.
    await insert(steps[1] ?? []);
    answer = () => ({ outcome: 'delivered', statusClass: '2xx', status: 200 });
    await run(2000);
    expect(sent.map((one) => [one.headers['webhook-sequence'], JSON.parse(one.body)])).toEqual([
      ['6', { type: 'order_status_changed', data: { order_id: id, order_status: 'filled', stage: 'filled' } }],
    ]);
  });

  it('a webhook whose sender stopped is not sent after a newer one', async () => {
    const subjectId = crypto.randomUUID();
    const older = await delivery({ subjectId, sequence: 2 });
    await insert([older]);
    expect(await parts.store.claimDue(time.now, { owner: 'died', seconds: 60 }, 10, 4)).toHaveLength(1);
    await insert([await delivery({ subjectId, sequence: 3 })]);
    await database.sql`update deliveries set lease_until = now() - interval '1 second' where id = ${older.id}`;
    answer = () => ({ outcome: 'delivered', statusClass: '2xx', status: 200 });
    await run(5000);
    expect(sent.map((one) => one.headers['webhook-sequence'])).toEqual(['3']);
    expect(await stateOf(older.id)).toEqual(['superseded', 1, undefined, expect.any(Number)]);
  });

  it.each([
    ['dead', 'superseded'],
    ['delivered', 'delivered'],
  ])('what is %s and outdated is not sent again by hand', async (was, becomes) => {
    const subjectId = crypto.randomUUID();
    const [older, newer] = [await delivery({ subjectId, sequence: 2 }), await delivery({ subjectId, sequence: 3 })];
    await insert([older]);
    await database.sql`update deliveries set state = ${was}, attempt = 10`;
    await insert([newer]);
    expect(await parts.store.resend(older.id, time.now)).toBe(false);
    expect((await stateOf(older.id))[0]).toBe(becomes);
    await database.sql`update deliveries set state = 'dead' where id = ${newer.id}`;
    expect(await parts.store.resend(newer.id, time.now)).toBe(true);
  });

  it('a receiver that was unreachable for half an hour gets everything within two minutes of its return, each webhook once', async () => {
    const rows = await Promise.all(Array.from({ length: 40 }, () => delivery()));
    await insert(rows);
    const back = time.now + 30 * 60_000;
    answer = () => (time.now < back ? { outcome: 'failed', statusClass: 'unreachable' } : { outcome: 'delivered', statusClass: '2xx', status: 200 });
    await run(30 * 60_000, 5000);
    sent.length = 0;
    // The first webhook that is delivered makes the others due within a minute.
    for (const end = time.now + 12 * 60_000; time.now < end && sent.length === 0; time.now = await nextTick(1000)) await drainDeliveries(parts, 50);
    const recovered = time.now;
    await run(120_000);
    expect((await states()).every((state) => state.startsWith('delivered'))).toBe(true);
    expect(new Set(sent.map((one) => one.headers['webhook-id'])).size).toBe(40);
    expect(sent).toHaveLength(40);
    expect(Math.max(...sent.map((one) => one.at)) - recovered).toBeLessThanOrEqual(120_000);
  });

  it('a host that fails again and again is left alone for a while, then asked again; the others are not delayed', async () => {
    await insert(await Promise.all(Array.from({ length: 12 }, () => delivery({ to: 'https://dead.example/x' }))));
    answer = (sending) =>
      sending.url.includes('dead') ? { outcome: 'failed', statusClass: 'timeout' } : { outcome: 'delivered', statusClass: '2xx', status: 200 };
    const toDead = () => sent.filter((one) => one.url.includes('dead')).length;
    expect(await drainDeliveries(parts, 50)).toBe(4);
    expect(await drainDeliveries(parts, 50)).toBe(0);
    await insert([await delivery({ to: 'https://alive.example/x' })]);
    expect(await drainDeliveries(parts, 50)).toBe(1);
    expect([toDead(), sent.length]).toEqual([4, 5]);
    time.now += 31_000;
    await drainDeliveries(parts, 50);
    expect(toDead()).toBe(8);
    expect((await states()).filter((state) => state === 'due 0')).toHaveLength(4);
  });

  it('events that wait for an earlier event of their subject take no slots from events that need not wait', async () => {
    const subjects = Array.from({ length: 4 }, () => crypto.randomUUID());
    for (const subjectId of subjects) {
      await insert([await delivery({ subjectId, sequence: 2, type: 'order_status_changed' })]);
      await insert([await delivery({ subjectId, sequence: 3 })]);
    }
    await database.sql`update deliveries set attempt = 2 where sequence = 2`;
    answer = () => ({ outcome: 'delivered', statusClass: '2xx', status: 200 });
    await run(2000);
    expect((await states()).toSorted()).toEqual([...Array<string>(4).fill('delivered 1'), ...Array<string>(4).fill('delivered 3')]);
  });

  it('a receiver that hangs does not hold up other receivers', async () => {
    await insert([await delivery({ to: 'https://hangs.example/x' })]);
    let release: (outcome: SendOutcome) => void = () => undefined;
    const going: Promise<unknown>[] = [];
    const hanging: DrainParts = {
      ...parts,
      behind: { background: (work) => void going.push(work), waitAtMost },
      sender: async () => await new Promise<SendOutcome>((done) => (release = done)),
    };
    const { ms, value: taken } = await timed(async () => await drainDeliveries(hanging, 50));
    expect(taken).toBe(1);
    expect(ms).toBeLessThan(3000);
    expect(parts.receivers.inFlight).toBe(1);
    release({ outcome: 'delivered', statusClass: '2xx', status: 200 });
    await Promise.all(going);
    expect([parts.receivers.inFlight, await states()]).toEqual([0, ['delivered 1']]);
  });

  it('an unreachable host does not starve another, and a subject has one webhook in flight', async () => {
    await insert(await Promise.all(Array.from({ length: 30 }, () => delivery({ to: 'https://dead.example/x' }))));
    await insert([await delivery({ to: 'https://alive.example/x' })]);
    answer = () => ({ outcome: 'delivered', statusClass: '2xx', status: 200 });
    await drainDeliveries(parts, 10);
    expect(sent.filter((one) => one.url.includes('dead')).length).toBeLessThanOrEqual(4);
    expect(sent.some((one) => one.url.includes('alive'))).toBe(true);
  });
});
