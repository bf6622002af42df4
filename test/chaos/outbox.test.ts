/**
 * G7, G8: webhooks while their receiver is down, for a minute of real time (3 s in the short form) and for half an hour on a moved clock, and
 * while the processes that send them are killed. Senders and sockets are real except on the moved clock. What the receiver accepted is compared with
 * what the outbox says.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { stringify } from 'yaml';
import { describe, expect, inject, it } from 'vitest';
import { freshSecrets, readSecrets } from '../../src/config/secrets.ts';
import { parseConfig } from '../../src/config/providers-config.ts';
import { createGuardedSender } from '../../src/entry/guarded-sender.ts';
import type { NewDelivery, SendOutcome, Sending } from '../../src/ports/deliveries.ts';
import { drainDeliveries, type DrainParts } from '../../src/outbound/drain.ts';
import { createReceivers } from '../../src/outbound/receivers.ts';
import { createSigner } from '../../src/outbound/sign.ts';
import { checkPublicUrl } from '../../src/domain/url-guard.ts';
import { providerModules } from '../../src/providers/registry.gen.ts';
import { createSeal } from '../../src/seal/seal.ts';
import { createDeliveryStore, insertDeliveries } from '../../src/store/delivery-store.ts';
import * as schema from '../../src/store/schema.ts';
import { chaosSeed, createRandom, isFull, reportGoal, sizeOf, type Random } from '../fuzz/random.ts';
import { childPath } from '../setup/children.ts';
import { needsPostgres, testDatabase, type TestDatabase } from '../support/postgres.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const sendingChild = childPath(inject('children'), fileURLToPath(new URL('./outbox-child.ts', import.meta.url)));
const wait = async (ms: number): Promise<void> => await new Promise((done) => setTimeout(done, ms));
const configText = stringify({
  mode: 'sandbox',
  network: 'regtest',
  webhooks: { timeout_ms: 3000 },
  providers: { alpine: { kind: 'fiat-on-ramp', base_url: 'http://127.0.0.1:9' } },
});
const environment = { ...freshSecrets(randomBytes), PORT: '0', LOG_LEVEL: 'error' };
const sealKeys = (): Parameters<typeof createSeal>[0] => {
  const parsed = parseConfig(configText, { fileName: 'chaos.yaml', modules: providerModules });
  const secrets = parsed.ok ? readSecrets(environment, parsed.config) : parsed;
  if (!secrets.ok) throw new Error(secrets.mistakes.join('; '));
  return secrets.secrets.seal;
};
const seal = createSeal(sealKeys());

type Accepted = { id: string; subject: string; type: string; sequence: number; at: number };
/** Notes what a receiver accepted. The promises of the outbox are checked against these notes. */
const noteOf = (headers: Record<string, string | string[] | undefined>, body: string, at: number): Accepted => {
  const { type, data } = JSON.parse(body) as { type: string; data: { order_id: string } };
  return { id: String(headers['webhook-id']), subject: data.order_id, type, sequence: Number(headers['webhook-sequence']), at };
};

/** Writes an event as the gateway would: an older event of the same subject and type is superseded. */
const eventFor = async (url: string, subjectId: string, type: string, sequence: number, now: number): Promise<NewDelivery> => {
  const id = `msg_${randomUUID().replaceAll('-', '')}`;
  return {
    id,
    subjectId,
    type,
    sequence,
    body: JSON.stringify({ type, data: { order_id: subjectId } }),
    url: await seal.seal(url, { table: 'deliveries', row: id, field: 'url' }),
    host: new URL(url).host,
    createdOn: now,
    dueOn: now,
  };
};
const writerOn = (database: TestDatabase) => {
  const db = drizzle(database.sql, { schema });
  return {
    store: createDeliveryStore(db),
    insert: async (rows: NewDelivery[]): Promise<void> => await db.transaction(async (tx) => await insertDeliveries(tx, rows)),
  };
};

/** Compares the outbox with what the receiver accepted. Returns the broken promises. */
const broken = async (database: TestDatabase, accepted: readonly Accepted[]): Promise<string[]> => {
  const rows = await database.sql<{ id: string; subject: string; type: string; sequence: number; state: string }[]>`
    select id, subject_id as subject, type, sequence, state from deliveries`;
  const ids = new Set(accepted.map((one) => one.id));
  const found: string[] = [];
  for (const row of rows) {
    if (row.state !== 'delivered' && row.state !== 'superseded') found.push(`${row.id} is ${row.state}`);
    if (row.state === 'delivered' && !ids.has(row.id)) found.push(`${row.id} counts as delivered and was never accepted`);
    if (row.state === 'superseded' && !accepted.some((one) => one.subject === row.subject && one.type === row.type && one.sequence > row.sequence))
      found.push(`${row.id} is superseded, but no newer webhook was accepted`);
  }
  for (const id of ids) if (!rows.some((row) => row.id === id)) found.push(`${id} was accepted, but is not in the outbox`);
  const last = new Map<string, number>();
  const seen = new Set<string>();
  for (const one of accepted) {
    if (seen.has(one.id)) continue;
    seen.add(one.id);
    const key = `${one.subject} ${one.type}`;
    if ((last.get(key) ?? 0) > one.sequence) found.push(`${key}: ${one.sequence} after ${last.get(key)}`);
    last.set(key, one.sequence);
  }
  return found;
};

/** Returns a source of events: each call makes the next event of one of the orders. */
const trickle = (random: Random, orders: number) => {
  const sequences = new Map<string, number>();
  const subjects = Array.from({ length: orders }, () => randomUUID());
  return (): { subjectId: string; type: string; sequence: number } => {
    const subjectId = random.pick(subjects);
    const sequence = (sequences.get(subjectId) ?? 1) + 1;
    sequences.set(subjectId, sequence);
    return { subjectId, sequence, type: random.chance(0.7) ? 'order_status_changed' : 'withdrawal_ready' };
  };
};

describe.concurrent('the outbox', () => {
  it('a receiver that was away has everything: half an hour of a clock that is moved', async () => {
    const database = await testDatabase();
    try {
      const { store, insert } = writerOn(database);
      const random = createRandom(chaosSeed);
      const began = Date.UTC(2026, 10, 21);
      const time = { now: began };
      const outage = { from: began + 60_000, to: began + 31 * 60_000 };
      const accepted: Accepted[] = [];
      const sender = async ({ headers, body }: Sending): Promise<SendOutcome> => {
        const away = time.now >= outage.from && time.now < outage.to;
        if (!away) accepted.push(noteOf(headers, body, time.now));
        return await Promise.resolve(away ? { outcome: 'failed', statusClass: 'unreachable' } : { outcome: 'delivered', statusClass: '2xx', status: 200 });
      };
      const parts: DrainParts = {
        store,
        sender,
        seal,
        signer: createSigner([{ kid: 'w', seed: new Uint8Array(32).fill(9) }]),
        now: () => time.now,
        receivers: createReceivers(() => time.now),
        random: random.next,
        owner: 'drain',
        timeoutMs: 15_000,
        perHost: 4,
        count: () => undefined,
        log: () => undefined,
      };
      const next = trickle(random, isFull ? 400 : 40);
      // Once the receiver is back, the steps are short: a step is the least by which a delivery can be late.
      const stepAt = (now: number): number => (isFull || now >= outage.to ? 1000 : 15_000);
      let last = began;
      let isBackSeen = false;
      for (; time.now < outage.to + 5 * 60_000; time.now += stepAt(time.now)) {
        // Events come until the receiver has been back for half a minute. One comes as soon as the receiver is back: only a webhook that is due shows
        // that it is.
        const isFirst: boolean = time.now >= outage.to && !isBackSeen;
        isBackSeen ||= isFirst;
        if (isFirst || (time.now < outage.to + 30_000 && random.chance(stepAt(time.now) / (isFull ? 20_000 : 40_000)))) {
          const event = next();
          await insert([await eventFor('https://wallet.example/hook', event.subjectId, event.type, event.sequence, time.now)]);
          last = time.now;
        }
        while ((await drainDeliveries(parts, 50)) > 0);
      }
      expect(await broken(database, accepted), `seed ${chaosSeed}`).toEqual([]);
      expect(new Set(accepted.map((one) => one.id)).size).toBe(accepted.length);
      const late = Math.max(...accepted.map((one) => one.at)) - Math.max(outage.to, last);
      expect(late, `seed ${chaosSeed}`).toBeLessThanOrEqual(120_000);
      const during = accepted.filter((one) => one.at >= outage.to).length;
      console.log(`G7 clock: ${during} events over an outage of 30 min on a moved clock, the last ${Math.max(late, 0) / 1000} s after the receiver was back`);
    } finally {
      await database.close();
    }
  });

  it('a receiver that was away has everything: real time, real sockets', { timeout: 300_000 }, async () => {
    const database = await testDatabase();
    const accepted: Accepted[] = [];
    const listener = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        accepted.push(noteOf(request.headers, body, Date.now()));
        response.writeHead(200).end();
      });
    });
    const listen = async (port: number): Promise<number> =>
      await new Promise((ready) => listener.listen(port, '127.0.0.1', () => ready((listener.address() as AddressInfo).port)));
    const rules = { sandbox: true, allowedPorts: [443], ownHosts: [] };
    const sender = createGuardedSender({ check: (url) => checkPublicUrl(url, rules), sandbox: true });
    try {
      const { store, insert } = writerOn(database);
      const random = createRandom(chaosSeed);
      const port = await listen(0);
      const url = `http://127.0.0.1:${port}/hook`;
      const outageMs = isFull ? 60_000 : 3000;
      const [from, to] = [Date.now() + 300, Date.now() + 300 + outageMs];
      const parts: DrainParts = {
        store,
        sender: sender.send,
        seal,
        signer: createSigner([{ kid: 'w', seed: new Uint8Array(32).fill(9) }]),
        now: () => Date.now(),
        receivers: createReceivers(() => Date.now()),
        random: random.next,
        owner: 'drain',
        timeoutMs: 15_000,
        perHost: 4,
        count: () => undefined,
        log: () => undefined,
      };
      const next = trickle(random, isFull ? 200 : 30);
      let away = false;
      let written = 0;
      let open = 1;
      const limit = to + 130_000;
      while (Date.now() < limit && (Date.now() < to + 300 || open > 0)) {
        const now = Date.now();
        if (!away && now >= from && now < to) {
          away = true;
          listener.close();
          listener.closeAllConnections();
        } else if (away && now >= to) {
          away = false;
          await listen(port);
        }
        if (now < to + 300) {
          const event = next();
          await insert([await eventFor(url, event.subjectId, event.type, event.sequence, now)]);
          written += 1;
        }
        await drainDeliveries(parts, 50);
        await wait(isFull ? 100 : 50);
        const [row] = await database.sql<{ n: number }[]>`select count(*)::int as n from deliveries where state = 'due'`;
        open = row?.n ?? 0;
      }
      expect(await broken(database, accepted), `seed ${chaosSeed}`).toEqual([]);
      const ids = new Set(accepted.map((one) => one.id)).size;
      expect(ids, 'none was sent twice').toBe(accepted.length);
      const late = Math.max(...accepted.map((one) => one.at)) - to;
      expect(late).toBeLessThanOrEqual(120_000);
      reportGoal(
        'G7',
        `${written} events over an outage of ${outageMs / 1000} s (and 30 min on a moved clock): ${ids} delivered under one id each, the others superseded, 0 lost, order kept per order and type; the last ${(late / 1000).toFixed(1)} s after recovery`,
      );
    } finally {
      await sender.close();
      listener.closeAllConnections();
      listener.close();
      await database.close();
    }
  });

  needsPostgres('its processes are killed in the midst of sending', async () => {
    const database = await testDatabase();
    const events = sizeOf(150, 10_000);
    const killEveryMs = isFull ? 2000 : 400;
    const hosts = isFull ? 8 : 2;
    const accepted: Accepted[] = [];
    const receivers: Server[] = [];
    const children: ChildProcess[] = [];
    try {
      const { insert } = writerOn(database);
      for (let n = 0; n < hosts; n += 1) {
        const server = createServer((request, response) => {
          let body = '';
          request.on('data', (chunk: Buffer) => (body += chunk.toString()));
          request.on('end', () => {
            accepted.push(noteOf(request.headers, body, Date.now()));
            // The response is slow, so that some webhooks are always in progress.
            setTimeout(() => response.writeHead(200).end(), isFull ? 25 : 80);
          });
        });
        await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
        receivers.push(server);
      }
      const urls = receivers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`);
      const rows: NewDelivery[] = [];
      for (let n = 0; n < events; n += 1) rows.push(await eventFor(urls[n % hosts] ?? '', randomUUID(), 'order_status_changed', 2, Date.now()));
      const start = async (name: string): Promise<{ name: string; process: ChildProcess }> => {
        const child = spawn(process.execPath, ['--no-warnings', sendingChild], {
          stdio: ['pipe', 'pipe', 'inherit'],
          env: {
            NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
            CHAOS_CHILD: JSON.stringify({
              environment: { ...environment, DATABASE_URL: database.url, DATABASE_POOL: '4', INSTANCE: name },
              configText,
              root,
            }),
          },
        });
        children.push(child);
        await new Promise<void>((ready, failed) => {
          child.once('exit', () => failed(new Error(`${name} ended before it began`)));
          createInterface({ input: child.stdout }).on('line', (line) => line.startsWith('url ') && ready());
        });
        return { name, process: child };
      };
      const running = await Promise.all([start('worker-0'), start('worker-1')]);
      for (let n = 0; n < rows.length; n += 500) await insert(rows.slice(n, n + 500));
      const started = Date.now();
      let kills = 0;
      const open = async (): Promise<number> => (await database.sql<{ n: number }[]>`select count(*)::int as n from deliveries where state = 'due'`)[0]?.n ?? 0;
      // The oldest process is killed while another one is running.
      for (let left = events; left > 0; left = await open()) {
        await wait(killEveryMs);
        const [oldest] = running.splice(0, 1);
        const gone = new Promise((done) => oldest?.process.once('exit', done));
        oldest?.process.kill('SIGKILL');
        await gone;
        kills += 1;
        await database.sql`update deliveries set lease_until = now() - interval '1 second' where lease_owner like ${`${oldest?.name}/%`}`;
        running.push(await start(`worker-${kills + 1}`));
        if (Date.now() - started > (isFull ? 600_000 : 300_000)) break;
      }
      expect(await broken(database, accepted)).toEqual([]);
      const twins = accepted.length - new Set(accepted.map((one) => one.id)).size;
      const [most] = await database.sql<{ most: number }[]>`select max(attempt)::int as most from deliveries`;
      // A process that is killed has at most twenty webhooks in progress, the batch of one tick.
      expect(twins).toBeLessThanOrEqual(kills * 20);
      expect(new Set(accepted.map((one) => one.id)).size).toBe(events);
      expect(kills).toBeGreaterThan(0);
      reportGoal(
        'G8',
        `${events} events, ${kills} kills in ${((Date.now() - started) / 1000).toFixed(1)} s: 100 % delivered, ${twins} twice (at most ${kills * 20} allowed), most attempts ${most?.most}`,
      );
    } finally {
      for (const child of children) {
        const gone = child.exitCode === null && child.signalCode === null ? new Promise((done) => child.once('exit', done)) : undefined;
        child.kill('SIGKILL');
        await gone;
      }
      for (const server of receivers) {
        server.closeAllConnections();
        server.close();
      }
      await database.close();
    }
  });
});
