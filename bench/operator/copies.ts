/** Copies orders with everything that belongs to them, for a table of the size of years. */
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
/** Which rows are copied: those that seedOrders made, none of which is a copy. */
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

/** Puts the originals aside, so that copies are made of them alone. */
export const keepOriginals = async (sql: postgres.Sql): Promise<void> => {
  for (const [table, where] of Object.entries(originals)) await sql.unsafe(`create table original_${table} as select * from ${table} where ${where}`);
};

/** Writes the copies `first` to `last` of every original, each `shiftMs` later than the one before. */
export const copyOriginals = async (sql: postgres.Sql, first: number, last: number, shiftMs: number): Promise<void> => {
  for (const [table, columns] of Object.entries(changed)) {
    const rows = await sql<{ name: string }[]>`
      select column_name as name from information_schema.columns
      where table_schema = 'public' and table_name = ${table} and (column_name <> 'id' or ${table} <> 'order_events') order by ordinal_position`;
    const names = rows.map(({ name }) => name);
    await sql.unsafe(`
      insert into ${table} (${names.map((name) => `"${name}"`).join(', ')})
      select ${names.map((name) => columns[name] ?? `"${name}"`).join(', ')}
      from original_${table}, generate_series(${first}, ${last}) k, lateral (select k::float8 * ${shiftMs} * interval '1 ms' as shift) s`);
  }
};
