/**
 * A gateway process that freezes at one named point: it reports `reached` and goes no further, until its parent kills it. The points are calls by
 * the gateway to its store or a provider, so the product needs no hook for them.
 */
import { flushCompileCache } from 'node:module';
import { connect } from 'node:net';
import { startServer } from '../../src/entry/node-server.ts';
import type { BuyAdapter } from '../../src/providers/spec.ts';
import { providerModules } from '../../src/providers/registry.gen.ts';
import type { CrashPoint, MovePoint } from './replicas.ts';

const { environment, configText, root, point } = JSON.parse(process.env['CHAOS_CHILD'] ?? '{}') as {
  environment: Record<string, string>;
  configText: string;
  root: string;
  point: CrashPoint | MovePoint | 'none';
};
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const reached = async (): Promise<never> => {
  say('reached');
  return await new Promise<never>(() => undefined);
};

// This process must not outlive its parent.
process.stdin.on('end', () => process.exit()).resume();
/** Resolves when the parent tells the child to go on (only at C13). */
const told = new Promise<void>((goOn) => process.stdin.once('data', () => goOn()));
const server = await startServer({ environment, modules: providerModules, root, configText, writeLog: () => undefined });
const { gateway } = server;
const { intents, deliveries, accounts, liquidity } = gateway.stores;
const create = intents.create.bind(intents);
const startSending = intents.startSending.bind(intents);
const confirm = intents.confirm.bind(intents);
const move = intents.move.bind(intents);
const claimDue = deliveries.claimDue.bind(deliveries);

// Only work of a request is frozen: the child does no background work for other instances.
intents.claimDue = async () => await Promise.resolve([]);
accounts.claimDue = async () => await Promise.resolve([]);
if (point !== 'C9' && point !== 'C10') deliveries.claimDue = async () => await Promise.resolve([]);

if (point === 'C0') intents.create = reached;
if (point === 'C1')
  intents.create = async (...given) => {
    await create(...given);
    return await reached();
  };
if (point === 'C2')
  intents.startSending = async (...given) => {
    // The statement waits in a trigger: the process dies while the commit is on its way.
    void startSending(...given);
    return await reached();
  };
// The parent runs one request at a time, so the next order after a move is that of the next rank.
let hasMoved = false;
intents.move = async (...given) => {
  if (point === 'M0') return await reached();
  if (point === 'M1') {
    // The commit waits in a trigger, as the statement of C2 does.
    void move(...given);
    return await reached();
  }
  const moved = await move(...given);
  hasMoved = moved === 'moved';
  return point === 'M2' ? await reached() : moved;
};
if (point === 'C6' || point === 'M5') intents.confirm = reached;
if (point === 'C7')
  intents.confirm = async (...given) => {
    void confirm(...given).catch(() => undefined);
    return await reached();
  };
if (point === 'C8' || point === 'M6')
  intents.confirm = async (...given) => {
    await confirm(...given);
    return await reached();
  };
if (point === 'C9')
  deliveries.claimDue = async (...given) => {
    const rows = await claimDue(...given);
    return rows.length === 0 ? rows : await reached();
  };
if (point === 'C10') deliveries.finish = reached;

// A connection's row is written before the provider is asked, and changed with the result. A firm price's row is written when the price is known.
const stopAround =
  <A extends unknown[], R>(at: { before?: CrashPoint; after?: CrashPoint }, work: (...given: A) => Promise<R>) =>
  async (...given: A): Promise<R> => {
    if (point === at.before) return await reached();
    const done = await work(...given);
    return point === at.after ? await reached() : done;
  };
accounts.createConnection = stopAround({ before: 'C0', after: 'C1' }, accounts.createConnection.bind(accounts));
accounts.changeConnection = stopAround({ before: 'C6', after: 'C8' }, accounts.changeConnection.bind(accounts));
liquidity.savePrice = stopAround({ before: 'C6', after: 'C8' }, liquidity.savePrice.bind(liquidity));

for (const provider of gateway.providers) {
  const { buy, sell, liquidity: seller } = provider.adapter;
  for (const adapter of [buy, sell, seller]) if (adapter) stopPlacing(adapter, provider.core.base_url);
  if (sell?.connections) sell.connections.create = stopAround({ before: 'C3', after: 'C5' }, sell.connections.create.bind(sell.connections));
  if (seller?.pricesByOrder === true) {
    const quote = seller.quote.bind(seller);
    const firmly = stopAround({ before: 'C3', after: 'C5' }, quote);
    seller.quote = async (context, request) => (request.firm ? await firmly(context, request) : await quote(context, request));
  }
}
// Otherwise a process that is killed would leave no compile cache for the next one.
flushCompileCache();
say(`url ${server.url}`);

type Placing = Pick<BuyAdapter, 'placeOrder'>;
function stopPlacing(adapter: Placing, baseUrl: string): void {
  const place = adapter.placeOrder.bind(adapter);
  if (point === 'C3') adapter.placeOrder = reached;
  if (point === 'C4')
    adapter.placeOrder = async () => {
      const { hostname, port } = new URL(baseUrl);
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      await new Promise<void>((sent) =>
        socket.write('POST /order HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{"quote_id":"', () => sent()),
      );
      return await reached();
    };
  if (point === 'C5' || point === 'C11')
    adapter.placeOrder = async (...given) => {
      await place(...given);
      return await reached();
    };
  if (point === 'M3' || point === 'M4')
    adapter.placeOrder = async (...given) => {
      if (!hasMoved) return await place(...given);
      hasMoved = false;
      if (point === 'M4') await place(...given);
      return await reached();
    };
  if (point === 'C13')
    adapter.placeOrder = async (...given) => {
      // The parent pauses the child here until its lease has expired; then the child sends after all.
      say('reached');
      await told;
      return await place(...given);
    };
}
