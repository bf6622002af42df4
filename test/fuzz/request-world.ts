/**
 * The gateway that G5 sends its requests to. In the long form it is a process of its own, so that its memory can be measured alone. In the short form
 * it runs in this process.
 */
import { randomBytes } from 'node:crypto';
import { freshSecrets } from '../../src/config/secrets.ts';
import { startFiatOnRampSimulator, type RunningSimulator, type SimulatorOptions } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { startEntry } from '../chaos/entry.ts';
import { startTestGateway } from '../support/gateway.ts';
import { testDatabase, type TestDatabase } from '../support/postgres.ts';
import { isFull } from './random.ts';

export type Memory = { rss: number; heap: number };
export type RequestWorld = {
  url: string;
  database: TestDatabase;
  simulators: RunningSimulator[];
  /** Returns the memory of the gateway's process, in MB. If the gateway is alone in it, its garbage is collected first. */
  memory: () => Promise<Memory>;
  ofGatewayAlone: boolean;
  close: () => Promise<void>;
};

const inMb = ({ rss, heapUsed }: { rss: number; heapUsed: number }): Memory => ({ rss: rss / 1_048_576, heap: heapUsed / 1_048_576 });

const most = 1_000_000_000;
/** A page at this address may read every response. */
export const shop = 'https://shop.example';
const limits = { verify_per_minute: most, quotes_per_minute: most, orders_per_minute: most };
const demanded = { proof: 'demanded', catalogue_without_session: true };
const simulated = { alpine: { quoteTtlS: 7200, autoFillMs: 50 }, dune: { proof: 'demanded', quoteTtlS: 7200 } } satisfies Record<
  string,
  Partial<SimulatorOptions>
>;

export const startRequestWorld = async (): Promise<RequestWorld> => {
  const database = await testDatabase();
  if (!isFull || database.kind === 'pglite') return await inThisProcess(database);
  const alpine = await startFiatOnRampSimulator({ id: 'alpine', ...simulated.alpine });
  const dune = await startFiatOnRampSimulator({ id: 'dune', ...simulated.dune });
  const quick = { kind: 'fiat-on-ramp', retry: { attempts: 0 }, breaker: { reset_s: 0.3 } };
  const providers = { alpine: { ...quick, base_url: alpine.url }, dune: { ...quick, base_url: dune.url, ...demanded } };
  const config = { mode: 'sandbox', network: 'regtest', limits, orders: { max_open: most }, cors_origins: [shop], providers };
  const entry = await startEntry(config, { ...freshSecrets(randomBytes), DATABASE_URL: database.url, DATABASE_POOL: '10' });
  return {
    url: entry.url,
    database,
    simulators: [alpine, dune],
    memory: async () => inMb(await entry.heap()),
    ofGatewayAlone: true,
    close: async () => {
      await entry.end();
      await Promise.all([alpine.close(), dune.close(), database.close()]);
    },
  };
};

const inThisProcess = async (database: TestDatabase): Promise<RequestWorld> => {
  const gateway = await startTestGateway(
    { alpine: { simulator: simulated.alpine }, dune: { simulator: simulated.dune, block: demanded } },
    { database, config: { limits, orders: { max_open: most }, cors_origins: [shop] }, environment: { LOG_LEVEL: 'error' } },
  );
  return {
    url: gateway.url,
    database,
    simulators: Object.values(gateway.simulators),
    memory: async () => await Promise.resolve(inMb(process.memoryUsage())),
    ofGatewayAlone: false,
    close: async () => {
      await gateway.close();
      await database.close();
    },
  };
};
