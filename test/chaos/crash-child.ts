/**
 * A gateway process that stops dead at one named point: it says `reached` and goes no further, until its parent kills it. The points are the
 * seams between the gateway and its store or provider, so the product needs no hook for them.
 */
import { connect } from 'node:net';
import { startServer } from '../../src/entry/node-server.ts';
import { providerModules } from '../../src/providers/registry.gen.ts';
import type { CrashPoint } from './replicas.ts';

const { environment, configText, root, point } = JSON.parse(process.env['CHAOS_CHILD'] ?? '{}') as {
  environment: Record<string, string>;
  configText: string;
  root: string;
  point: CrashPoint | 'none';
};
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const reached = async (): Promise<never> => {
  say('reached');
  return await new Promise<never>(() => undefined);
};

// Nothing of the parent's may outlive it.
process.stdin.on('end', () => process.exit()).resume();
const server = await startServer({ environment, modules: providerModules, root, configText, writeLog: () => undefined });
const { gateway } = server;
const { intents, deliveries } = gateway.stores;
const create = intents.create.bind(intents);
const startSending = intents.startSending.bind(intents);
const confirm = intents.confirm.bind(intents);
const claimDue = deliveries.claimDue.bind(deliveries);

// Only what a request brought is stopped: the child settles nothing of others.
intents.claimDue = async () => await Promise.resolve([]);
if (point !== 'C9' && point !== 'C10') deliveries.claimDue = async () => await Promise.resolve([]);

if (point === 'C0') intents.create = reached;
if (point === 'C1')
  intents.create = async (...given) => {
    await create(...given);
    return await reached();
  };
if (point === 'C2')
  intents.startSending = async (...given) => {
    // The statement sleeps in a trigger: the process dies while the commit is on its way.
    void startSending(...given);
    return await reached();
  };
if (point === 'C6') intents.confirm = reached;
if (point === 'C7')
  intents.confirm = async (...given) => {
    void confirm(...given).catch(() => undefined);
    return await reached();
  };
if (point === 'C8')
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

for (const provider of gateway.providers) {
  const { buy } = provider.adapter;
  if (!buy) continue;
  const place = buy.placeOrder.bind(buy);
  if (point === 'C3') buy.placeOrder = reached;
  if (point === 'C4')
    buy.placeOrder = async () => {
      const { hostname, port } = new URL(provider.core.base_url);
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      await new Promise<void>((sent) =>
        socket.write('POST /order HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{"quote_id":"', () => sent()),
      );
      return await reached();
    };
  if (point === 'C5' || point === 'C11')
    buy.placeOrder = async (...given) => {
      await place(...given);
      return await reached();
    };
  if (point === 'C13')
    buy.placeOrder = async (...given) => {
      // Paused by its parent here, past its lease; then it sends after all.
      say('reached');
      await new Promise((done) => setTimeout(done, 300));
      return await place(...given);
    };
}
say(`url ${server.url}`);
