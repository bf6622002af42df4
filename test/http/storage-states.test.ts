/** A database that is read-only, is locked, or was sealed with another key: what the gateway answers, and that it recovers. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, inject } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { connect } from '../../src/entry/database-node.ts';
import { startTestGateway, until, type TestGateway } from '../support/gateway.ts';
import { needsPostgres, testDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let gateway: TestGateway;
const keys = freshSecrets(randomBytes);
beforeAll(async () => {
  if (inject('testServer') === undefined) return;
  database = await testDatabase();
  gateway = await startTestGateway({ alpine: { simulator: { quoteTtlS: 3600 } } }, { pauseMs: 1_000, database, environment: keys });
});
afterAll(async () => {
  await gateway?.close();
  await database?.close();
});

const readiness = async (): Promise<number> => (await fetch(`${gateway.url}/health/ready`)).status;
const verify = async (url = gateway.url): Promise<unknown[]> => {
  const { status, body } = await createWallet(url).call('/verify');
  return status === 200 ? [200] : [status, body['code'], body['action'], body['retryable']];
};
const unavailable = [503, 'storage-unavailable', 'retry', true];
const nameOf = (url: string): string => new URL(url).pathname.slice(1);

needsPostgres('with a read-only server, responses are 503 and the gateway is not ready; it recovers when the server accepts writes', async () => {
  const admin = connect(database.url, 1);
  const [name, others] = [
    nameOf(database.url),
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
  ];
  await admin.unsafe(`alter database ${name} set default_transaction_read_only = on`);
  await admin.unsafe(others);
  await until('it is not ready', async () => ((await readiness()) === 503 ? true : undefined));
  await until('it says so', async () => ((await verify()).join() === unavailable.join() ? true : undefined));
  const notice = await fetch(`${gateway.url}/notices/alpine/order/${'a'.repeat(43)}`, { method: 'POST', body: '{}' });
  expect([202, 503]).toContain(notice.status);
  // Chance decides which requests use a read-only connection. The gateway replaces each one that it finds.
  const isLogged = (word: string): boolean => gateway.logs.some((line) => line.includes(word));
  await until('its log names the state and the connections', async () => {
    await verify();
    return isLogged('25006') && isLogged('"event":"database.reads_only"') ? true : undefined;
  });
  await admin.unsafe('set default_transaction_read_only = off');
  await admin.unsafe(`alter database ${name} reset default_transaction_read_only`);
  await admin.end();
  // Connections that were opened meanwhile stay read-only, so the gateway replaces them.
  await until('it takes writes again', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => verify()));
    return answers.every(([status]) => status === 200) && (await readiness()) === 200 ? true : undefined;
  });
  const problems = gateway.logs.filter((line) => line.includes('"event":"problem"'));
  expect(problems.length).toBeGreaterThan(0);
  for (const line of problems) expect(line).not.toMatch(/params|insert into/i);
});

needsPostgres('a locked table: retryable after the lock or statement time-out, and the end is not held up', async () => {
  const blocker = connect(database.url, 1);
  // On a busy machine, such a short time-out may end the start itself, which is then repeated.
  const withSettings = async (settings: string): Promise<TestGateway> =>
    await until('a start within its time-outs', async () => {
      const limited = { ...database, url: `${database.url}?${settings}` };
      return await startTestGateway({ alpine: { simulator: {} } }, { database: limited, environment: keys }).catch(() => undefined);
    });
  const [byLock, byStatement, last] = [
    await withSettings('lock_timeout=300'),
    await withSettings('statement_timeout=300'),
    await withSettings('lock_timeout=0&statement_timeout=0'),
  ];
  await blocker.unsafe('begin; lock table sessions in access exclusive mode');
  for (const other of [byLock, byStatement]) {
    expect(await verify(other.url)).toEqual(unavailable);
    await other.close();
  }
  const cut = verify(last.url).catch(() => ['cut']);
  await until('it waits for the lock', async () => {
    const [row] = await blocker<
      { n: number }[]
    >`select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
    return (row?.n ?? 0) > 0 ? true : undefined;
  });
  const began = performance.now();
  await last.close();
  expect(performance.now() - began).toBeLessThan(13_000);
  expect(await cut).not.toEqual([200]);
  await blocker.unsafe('rollback');
  await blocker.end();
});

needsPostgres('another SEAL_KEY on the same database is named at the start', async () => {
  const wallet = createWallet(gateway.url);
  const { session_id } = (await wallet.call('/verify')).body;
  await wallet.call('/session', { session_id });
  const quote = await wallet.call('/quote', { session_id, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  expect([quote.status, quote.body['code']]).toEqual([200, undefined]);
  expect((await wallet.call('/order', { session_id, quote_id: quote.body['quote_id'] })).status).toBe(200);
  const start = async (environment: Record<string, string>): Promise<string> => {
    const other = await startTestGateway({ alpine: { simulator: {} } }, { database, environment }).catch((error: Error) => error);
    if (other instanceof Error) return other.message;
    await other.close();
    return 'it started';
  };
  const another = freshSecrets(randomBytes);
  const [id = '', other = ''] = [keys, another].map(({ SEAL_KEY }) => SEAL_KEY.split(':')[0]);
  const refused = await start({ ...keys, SEAL_KEY: another.SEAL_KEY.replace(other, id) });
  expect(refused).toMatch(/^SEAL_KEY does not open the sealed values in this database \([a-z_]+, sealed under the key "s1-[a-z]{6}"\)/);
  expect(refused).toContain(`"${id}"`);
  expect(refused).not.toContain(another.SEAL_KEY.slice(other.length + 1));
  expect(await start({ ...keys, SEAL_KEY: another.SEAL_KEY })).toMatch(/^SEAL_KEY does not open/);
  expect(await start({ ...keys, SEAL_KEY: another.SEAL_KEY, SEAL_KEY_OLD: keys.SEAL_KEY })).toBe('it started');
  expect(await start({ ...keys, SEAL_KEY: another.SEAL_KEY, SEAL_KEY_LOST: '1' })).toBe('it started');
  expect(await start(keys)).toBe('it started');
});
