/** Exports or deletes a customer's data. Deleting leaves amounts, dates and stages: they are the operator's books, and name nobody. */
import type { Sql, TransactionSql } from 'postgres';
import { destinationNames, readDestination } from '../../src/bitcoin/destination.ts';
import { payoutKinds } from '../../src/domain/payout.ts';
import { sha256Hex } from '../../src/seal/hash.ts';
import type { Seal } from '../../src/ports/runtime.ts';

type Row = Record<string, unknown>;
/**
 * The sealed values that are exported. Bearer values (redemption links, session tokens, provider credentials) are withheld: only sessions show them.
 */
const own: Record<string, { key: string; fields: readonly string[] }> = {
  sessions: { key: 'id_hash', fields: ['node_pubkey'] },
  intents: { key: 'id', fields: ['inputs'] },
  orders: { key: 'id', fields: ['payment_info', 'webhook_url'] },
  claims: { key: 'order_id', fields: ['fallback'] },
  deliveries: { key: 'id', fields: ['url'] },
  accounts: { key: 'id', fields: ['signup', 'webhook_url'] },
  connections: { key: 'id', fields: ['request', 'state'] },
};
const withheld = 'withheld: a bearer value, shown only in a session';

const opened = async (seal: Seal, table: string, rows: readonly Row[]): Promise<Row[]> => {
  const { key, fields } = own[table] ?? { key: 'id', fields: [] };
  return await Promise.all(
    rows.map(async (row) => {
      const entries = Object.entries(row).filter(([name, value]) => value !== null && !/^(?:lease|next_|challenge|opened_reply|opened_by)/.test(name));
      const shown = entries.map(async ([field, value]): Promise<[string, unknown]> => {
        if (typeof value !== 'string' || !/^v1\.[\w-]+\.[\w-]+\.[\w-]+\.[\w-]+$/.test(value)) return [field, value];
        if (!fields.includes(field)) return [field, withheld];
        return [field, parsed(await seal.open(value, { table, row: String(row[key]), field }))];
      });
      return Object.fromEntries(await Promise.all(shown));
    }),
  );
};
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/** Returns what is stored about a customer, unsealed except for bearer values. Returns undefined if there is no such customer. */
export const exportCustomer = async (sql: Sql, seal: Seal, id: string): Promise<Record<string, unknown> | undefined> => {
  const [customer] = await sql<Row[]>`select * from customers where id = ${id}`;
  if (!customer) return undefined;
  const orders = sql`select id from orders where customer_id = ${id}`;
  const accounts = sql`select id from accounts where customer_id = ${id}`;
  return {
    customer,
    sessions: await opened(seal, 'sessions', await sql<Row[]>`select * from sessions where customer_id = ${id}`),
    placings: await opened(seal, 'intents', await sql<Row[]>`select * from intents where customer_id = ${id}`),
    orders: await opened(seal, 'orders', await sql<Row[]>`select * from orders where customer_id = ${id}`),
    order_events: await sql<Row[]>`select * from order_events where order_id in (${orders}) order by id`,
    fills: await sql<Row[]>`select * from fills where order_id in (${orders})`,
    receipts: await sql<Row[]>`
      select * from receipts where subject_id in (${orders} union select id from routes where customer_id = ${id}) order by made_on, kind`,
    claims: await opened(seal, 'claims', await sql<Row[]>`select * from claims where order_id in (${orders})`),
    deliveries: await opened(
      seal,
      'deliveries',
      await sql<Row[]>`select * from deliveries where subject_id in (${orders} union ${accounts}) or ${ofAccounts(sql, id)}`,
    ),
    prices_asked: await sql<Row[]>`select id, ramp, request_id, created_on, route from routes where customer_id = ${id}`,
    accounts: await opened(seal, 'accounts', await sql<Row[]>`select * from accounts where customer_id = ${id}`),
    connections: await opened(seal, 'connections', await sql<Row[]>`select * from connections where account_id in (${accounts})`),
  };
};

/**
 * Returns what is still open, because nothing may be deleted while money can move. An order attempt in review is listed only if it has no order here:
 * if it has one, the order itself is listed while it is open. An attempt whose order was withheld from the customer is listed until its last check,
 * which needs the attempt's data (src/gateway/ordering/recheck-withheld.ts).
 */
export const unfinished = async (sql: Sql, id: string): Promise<string[]> => {
  const rows = await sql<{ what: string }[]>`
    select 'order ' || id || ' is ' || stage as what from orders where customer_id = ${id} and not final
    union all select 'order ' || order_id || ' is being placed' from intents where customer_id = ${id} and state in ('prepared', 'sending', 'unknown')
    union all select 'order ' || i.order_id || ' is in review' from intents i
      where i.customer_id = ${id} and i.state = 'review' and not exists (select 1 from orders o where o.intent_id = i.id)
    union all select 'order ' || order_id || ' is to be checked once more, at ' || to_char(next_try_on at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') from intents
      where customer_id = ${id} and (state in ('unpayable', 'dead') or (state = 'moved' and upstream_order_id is not null)) and next_try_on < '9999-01-01T00:00Z'`;
  return rows.map((row) => row.what);
};

/** Matches the webhooks whose body names an account of the customer. */
const ofAccounts = (sql: Sql | TransactionSql, id: string) =>
  sql`body::jsonb #>> '{data,account_id}' in (select own.id::text from accounts own where own.customer_id = ${id})`;

/** Deletes a customer's data in one transaction. Returns how many rows changed in each table, or undefined if there is no such customer. */
export const forgetCustomer = async (sql: Sql, id: string): Promise<Record<string, number> | undefined> =>
  await sql.begin(async (tx) => {
    const [customer] = await tx`select id from customers where id = ${id} for update`;
    if (!customer) return undefined;
    const orders = tx`select id from orders where customer_id = ${id}`;
    const accounts = tx`select id from accounts where customer_id = ${id}`;
    const sessions = tx`select id_hash from sessions where customer_id = ${id}`;
    const about = tx`${orders} union ${accounts} union select id from intents where customer_id = ${id}`;
    const steps: [string, () => PromiseLike<{ count: number }>][] = [
      ['notices', () => tx`update notices set body = null where body is not null and target_id in (select about.id::text from (${about}) about)`],
      // A webhook about a connection or a payment has a subject of its own, and names the account.
      ['deliveries', () => tx`delete from deliveries where subject_id in (${about}) or ${ofAccounts(tx, id)}`],
      ['claims', () => tx`update claims set fallback = null, fallback_hash = null, lnurl = null where order_id in (${orders})`],
      ['idempotency_keys', () => tx`delete from idempotency_keys where caller = ${id} or caller in (${sessions})`],
      ['daily_uses', () => tx`delete from daily_uses where subject = ${id}`],
      ['routes', () => tx`delete from routes where customer_id = ${id}`],
      [
        'orders',
        () => tx`
          update orders set payment_info = '', secret = null, webhook_url = null, webhook_events = null, reference_hash = null, app_id = null
          where customer_id = ${id}`,
      ],
      [
        'intents',
        () => tx`update intents set inputs = '', answer = null, idempotency_key = null, network_key = null, payout_key = null where customer_id = ${id}`,
      ],
      [
        'provider_sessions',
        () => tx`delete from provider_sessions where owner in (${sessions}) or owner in (select 'account:' || id from accounts where customer_id = ${id})`,
      ],
      ['settlements', () => tx`delete from settlements where account_id in (${accounts})`],
      ['connections', () => tx`delete from connections where account_id in (${accounts})`],
      ['accounts', () => tx`delete from accounts where customer_id = ${id}`],
      ['sessions', () => tx`delete from sessions where customer_id = ${id}`],
      ['customers', () => tx`update customers set key_hash = null, recovery_hash = null, declined = null where id = ${id}`],
    ];
    const counts: Record<string, number> = {};
    for (const [table, step] of steps) counts[table] = (await step()).count;
    return counts;
  });

/** Returns the forms in which a destination is stored, however it was typed (an LNURL in capitals, for example). */
const canonical = (kind: (typeof payoutKinds)[number], name: string): string[] =>
  networks.flatMap((network) => {
    const read = readDestination(kind, name, network);
    return 'problem' in read ? [] : destinationNames(read);
  });
const networks = ['main', 'test', 'signet', 'regtest'] as const;

/**
 * Releases an e-mail or address at a provider for its owner: removes the accounts here that were started with it, and deletes its hash from them. The
 * accounts' provider sessions are kept, but only to follow open orders. Returns how many accounts were removed.
 */
export const releaseName = async (sql: Sql, providerId: string, name: string, now: number): Promise<number> => {
  const written = [name.trim(), name.trim().toLowerCase()];
  const hashes = [...written, ...payoutKinds.flatMap((kind) => [...written.map((one) => `${kind} ${one}`), ...canonical(kind, name)])].map(sha256Hex);
  const at = new Date(now).toISOString();
  return await sql.begin(async (tx) => {
    const rows = await tx<{ id: string }[]>`
      update accounts set email_hash = null, user_hash = null, removed_on = coalesce(removed_on, ${at}), next_check_on = null, signup = null, webhook_url = null
      where provider_id = ${providerId} and email_hash in ${tx(hashes)} returning id`;
    const ids = rows.map(({ id }) => id);
    if (ids.length > 0) await tx`update provider_sessions set retired_on = coalesce(retired_on, ${at}) where id in ${tx(ids)}`;
    return rows.length;
  });
};
