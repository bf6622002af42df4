/** Copies orders with everything that belongs to them, until the tables are as large as after years. */
import type postgres from 'postgres';

/** The columns that differ in copy `k`, which is `shift` later. All others, among them the wide ones, are copied as they are. */
const changed: { readonly [table: string]: { readonly [column: string]: string } } = {
  routes: { id: routeOf('id'), created_on: 'created_on + shift' },
  intents: {
    id: idOf('id'),
    quote_id: quoteOf('quote_id'),
    order_id: idOf('order_id'),
    upstream_order_id: "upstream_order_id || '-' || k",
    created_on: 'created_on + shift',
  },
  orders: {
    id: idOf('id'),
    intent_id: idOf('intent_id'),
    quote_id: quoteOf('quote_id'),
    upstream_order_id: "upstream_order_id || '-' || k",
    upstream_key: "upstream_key || '-' || k",
    created_on: 'created_on + shift',
    stage_on: 'stage_on + shift',
    changed_on: 'changed_on + shift',
  },
  order_events: { order_id: idOf('order_id'), at: 'at + shift' },
  fills: { order_id: idOf('order_id'), filled_on: 'filled_on + shift', quoted_on: 'quoted_on + shift', ordered_on: 'ordered_on + shift' },
};
/** Which rows are copied: those that seedOrders made. Their copies match, too, so `keepOriginals` must run before the first copy is made. */
const originals: { readonly [table: string]: string } = {
  routes: "request_id like 'req_seeded_%'",
  intents: "request_id like 'req_order_%'",
  orders: "upstream_key like 'up-%'",
  order_events: "raw_status = 'seeded'",
  fills: 'true',
};

function idOf(column: string): string {
  return `md5(${column}::text || k)::uuid`;
}
function routeOf(column: string): string {
  return `(left((md5(left(${column}::text, 34) || k)::uuid)::text, 34) || '00')::uuid`;
}
function quoteOf(column: string): string {
  return `(left((md5(left(${column}::text, 34) || k)::uuid)::text, 34) || '01')::uuid`;
}

/** Sets the originals aside, so that only they are copied. */
export const keepOriginals = async (sql: postgres.Sql): Promise<void> => {
  for (const [table, where] of Object.entries(originals)) await sql.unsafe(`create table original_${table} as select * from ${table} where ${where}`);
};
export const dropOriginals = async (sql: postgres.Sql): Promise<void> => {
  for (const table of Object.keys(originals)) await sql.unsafe(`drop table original_${table}`);
};

/**
 * Drops the keys and indexes of the copied tables, runs `work`, and makes the keys and indexes again. That takes a fraction of the time that `work`
 * would take with them. The tables stay unlogged and without autovacuum: otherwise everything would be written to disk two or three times. That
 * makes no difference to reads.
 */
export const withoutIndexes = async (sql: postgres.Sql, work: () => Promise<void>): Promise<void> => {
  const tables = Object.keys(changed);
  const constraints = await sql<{ table: string; name: string; type: string; definition: string }[]>`
    select conrelid::regclass::text as table, conname as name, contype::text as type, pg_get_constraintdef(oid) as definition from pg_constraint
    where contype in ('p', 'f') and (conrelid::regclass::text in ${sql(tables)} or (contype = 'f' and confrelid::regclass::text in ${sql(tables)}))
    order by contype = 'p'`;
  for (const { table, name } of constraints) await sql.unsafe(`alter table ${table} drop constraint ${name}`);
  const indexes = await sql<{ name: string; definition: string }[]>`
    select indexname as name, indexdef as definition from pg_indexes where schemaname = 'public' and tablename in ${sql(tables)}`;
  for (const { name } of indexes) await sql.unsafe(`drop index ${name}`);
  // PostgreSQL does not let a logged table refer to an unlogged one.
  for (const table of new Set([...tables, ...constraints.map((one) => one.table)]))
    await sql.unsafe(`alter table ${table} set unlogged, set (autovacuum_enabled = false)`);
  await work();
  await sql`set maintenance_work_mem = '1GB'`;
  for (const { definition } of indexes) await sql.unsafe(definition);
  // Primary keys first, because the others refer to them.
  for (const { table, name, definition } of constraints.toReversed()) await sql.unsafe(`alter table ${table} add constraint ${name} ${definition}`);
};

/** Writes copy number `k` of every original, `k` times `shiftMs` later. */
export const copyOriginals = async (sql: postgres.Sql, k: number, shiftMs: number): Promise<void> => {
  for (const [table, columns] of Object.entries(changed)) {
    const rows = await sql<{ name: string }[]>`
      select column_name as name from information_schema.columns
      where table_schema = 'public' and table_name = ${table} and (column_name <> 'id' or ${table} <> 'order_events') order by ordinal_position`;
    const names = rows.map(({ name }) => name);
    await sql.unsafe(`
      insert into ${table} (${names.map((name) => `"${name}"`).join(', ')})
      select ${names.map((name) => columns[name] ?? `"${name}"`).join(', ')}
      from original_${table}, (select ${k} as k, ${k}::float8 * ${shiftMs} * interval '1 ms' as shift) s`);
  }
};

export type Width = { table: string; bytes: number };
/** Returns the bytes of each copied table, with its indexes and long values, the widest first. */
export const widths = async (sql: postgres.Sql): Promise<Width[]> => {
  const rows = await sql<{ table: string; bytes: string }[]>`
    select relname as table, pg_total_relation_size(oid)::text as bytes from pg_class where oid = any (
      select to_regclass(name) from json_array_elements_text(${JSON.stringify(Object.keys(changed))}::text::json) name)`;
  return rows.map(({ table, bytes }) => ({ table, bytes: Number(bytes) })).toSorted((a, b) => b.bytes - a.bytes);
};
