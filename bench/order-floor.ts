/**
 * The bare floor of orders and webhooks. POST /order reads a quote, writes that an order is going to be sent, sends it with undici and writes what
 * came back. POST /order-status reads an order, asks the provider and writes when that was. POST /deliver sends all webhooks that are due, 20 at a
 * time, and writes that each was sent. Each write is durable before the next step. Nothing is checked, sealed or signed.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import postgres from 'postgres';
import { Agent, request } from 'undici';

const { DATABASE_URL = '', PROVIDERS_URL = '' } = process.env;
const sql = postgres(DATABASE_URL, { max: 10, fetch_types: false, onnotice: () => undefined });
const agent = new Agent({ connections: 64, pipelining: 1 });
await sql`create table if not exists floor_quotes (id uuid primary key, quote json)`;
await sql`create table if not exists floor_orders (id uuid primary key, quote uuid, state text, answer json, checked_on timestamptz)`;
await sql`create table if not exists floor_deliveries (id uuid primary key, url text, body text, state text, due_on timestamptz default now())`;
await sql`create index if not exists floor_due on floor_deliveries (due_on) where state = 'due'`;

const ask = async (path: string, body: object): Promise<object> => {
  const headers = { 'content-type': 'application/json' };
  const answer = await request(`${PROVIDERS_URL}/4/${path}`, { method: 'POST', headers, body: JSON.stringify(body), dispatcher: agent });
  return (await answer.body.json()) as object;
};

const order = async (quoteId: string): Promise<object> => {
  const [quote] = await sql`select * from floor_quotes where id = ${quoteId}`;
  if (!quote) throw new Error('no such quote');
  const id = randomUUID();
  await sql`insert into floor_orders (id, quote, state) values (${id}, ${quoteId}, 'sending')`;
  const answer = await ask('order', { session_id: 'x', quote_id: quoteId });
  await sql`update floor_orders set state = 'confirmed', answer = ${JSON.stringify(answer)} where id = ${id}`;
  return { ...answer, order_id: id };
};
const status = async (id: string): Promise<object> => {
  const [row] = await sql`select * from floor_orders where id = ${id}`;
  if (!row) throw new Error('no such order');
  const answer = await ask('order-status', { session_id: 'x', order_id: id });
  await sql`update floor_orders set checked_on = now() where id = ${id}`;
  return answer;
};
/** Four of these run at the same time, with five webhooks each. */
const deliver = async (): Promise<void> => {
  for (;;) {
    const due = await sql<{ id: string; url: string; body: string }[]>`
      update floor_deliveries set state = 'sending' where id in (
        select id from floor_deliveries where state = 'due' order by due_on limit 5 for update skip locked) returning id, url, body`;
    if (due.length === 0) return;
    await Promise.all(
      due.map(async ({ id, url, body }) => {
        const answer = await request(url, { method: 'POST', headers: { 'content-type': 'application/json', 'webhook-id': id }, body, dispatcher: agent });
        await answer.body.dump();
        await sql`update floor_deliveries set state = 'delivered' where id = ${id}`;
      }),
    );
  }
};

const server = createServer((incoming, response) => {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    void (async () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as { quote_id: string; order_id: string };
      const answers: { [path: string]: () => Promise<object> } = {
        '/order': async () => await order(body.quote_id),
        '/order-status': async () => await status(body.order_id),
        '/deliver': async () => await Promise.all(Array.from({ length: 4 }, deliver)),
      };
      const answer = await answers[incoming.url ?? '']?.();
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(answer));
    })().catch(() => response.writeHead(500).end());
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
process.on('message', () => process.send?.({ cpu: process.cpuUsage(), rss: process.memoryUsage().rss }));
process.on('disconnect', () => process.exit(0));
