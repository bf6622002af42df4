/** The bare floor: a plain node:http handler that reads one session row, asks the same providers with undici and inserts one row. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import postgres from 'postgres';
import { Agent, request } from 'undici';

const { DATABASE_URL = '', PROVIDERS_URL = '', PROVIDERS = '5' } = process.env;
const sql = postgres(DATABASE_URL, { max: 10, fetch_types: false });
const agent = new Agent({ connections: 64, pipelining: 1 });
await sql`create table if not exists floor_sessions (id text primary key, customer uuid)`;
await sql`create table if not exists floor_quotes (id uuid primary key, session text, quote json, created timestamptz default now())`;
await sql`insert into floor_sessions values ('s', '72614b08-f884-479e-8a90-b13495afd5d9') on conflict do nothing`;

const ask = async (index: number): Promise<{ amount_sats: number }> => {
  const body = JSON.stringify({ session_id: 'x', amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  const answer = await request(`${PROVIDERS_URL}/${index}/quote`, { method: 'POST', headers: { 'content-type': 'application/json' }, body, dispatcher: agent });
  return (await answer.body.json()) as { amount_sats: number };
};

const server = createServer((incoming, response) => {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    void (async () => {
      JSON.parse(Buffer.concat(chunks).toString());
      await sql`select * from floor_sessions where id = ${'s'}`;
      const quotes = await Promise.all(Array.from({ length: Number(PROVIDERS) }, (_, index) => ask(index)));
      const best = quotes.reduce((a, b) => (b.amount_sats > a.amount_sats ? b : a));
      await sql`insert into floor_quotes (id, session, quote) values (${crypto.randomUUID()}, ${'s'}, ${JSON.stringify(quotes)})`;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(best));
    })();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
process.on('message', () => process.send?.({ cpu: process.cpuUsage(), rss: process.memoryUsage().rss }));
process.on('disconnect', () => process.exit(0));
