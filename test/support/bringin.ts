/** A simulated Bringin behind the real adapter and real HTTP. Records everything that went over the wire. */
import { randomUUID } from 'node:crypto';
import { createUndiciHttp } from '../../src/entry/http-undici.ts';
import { sellingWithAccounts } from './selling-with-accounts.ts';
import { startBringinSimulator, type RunningSimulator, type SimulatorOptions } from '../../src/providers/bringin/bringin.simulator.ts';
import { provider } from '../../src/providers/bringin/index.ts';
import type { Answer, CallContext, HttpRequest, HttpResponse } from '../../src/providers/spec.ts';

export const masterKey = 'ZjNhOWM0MmU3YjE2NGQwODlhNWUyYzdmMWIzZDg2MDQ=';
export const apiSecret = 'sandbox-secret-0123456789abcdef';
/** Returns the configuration block with which a gateway reaches a simulated Bringin. */
export const bringinBlock = (baseUrl: string): Record<string, unknown> => ({
  kind: 'bringin',
  base_url: baseUrl,
  master_key_env: 'BRINGIN_MASTER_KEY',
  api_secret_env: 'BRINGIN_API_SECRET',
  lightning_hosts: ['dev.bringin.xyz'],
  repost: 'same',
});
type Exchange = { request: HttpRequest; response: HttpResponse };

/** A customer. Keeps the blob that the adapter returns, as the gateway would. */
export class Person {
  blob: string | undefined;
  readonly more: Partial<CallContext>;
  constructor(more: Partial<CallContext> = {}) {
    this.more = more;
  }
  context(more: Partial<CallContext> = {}): CallContext {
    const blob = this.blob === undefined ? {} : { customer: this.blob };
    return { signal: AbortSignal.timeout(5_000), requestId: 'req_1', customerIp: '203.0.113.7', ...blob, ...this.more, ...more };
  }
  async does<T>(verb: (context: CallContext) => Promise<T>, more: Partial<CallContext> = {}): Promise<T> {
    const answer = await verb(this.context(more));
    if (typeof answer === 'object' && answer !== null && 'customer' in answer && typeof answer.customer === 'string') this.blob = answer.customer;
    return answer;
  }
}

export const valueOf = <T>(answer: Answer<T> | { ok: string }): T => {
  if (answer.ok === true) return answer.value;
  throw new Error(`no value: ${JSON.stringify(answer)}`);
};

export type Bringin = Awaited<ReturnType<typeof startBringin>>;
export const startBringin = async (simulation: Partial<SimulatorOptions> = {}, block: Record<string, unknown> = {}) => {
  const simulator: RunningSimulator = await startBringinSimulator({ id: 'bringin', masterKey, apiSecret, webhookRetryMs: [20], ...simulation });
  const undici = createUndiciHttp();
  const exchanges: Exchange[] = [];
  const logs: string[] = [];
  const time = { offsetMs: 0 };
  const secrets: Record<string, string> = { BRINGIN_MASTER_KEY: masterKey, BRINGIN_API_SECRET: apiSecret };
  const settings = provider.settings.parse({
    base_url: simulator.url,
    master_key_env: 'BRINGIN_MASTER_KEY',
    api_secret_env: 'BRINGIN_API_SECRET',
    lightning_hosts: ['dev.bringin.xyz'],
    lightning_base_url: simulator.url,
    ...block,
  });
  const { connections, ...adapter } = sellingWithAccounts(
    provider.create(
      {
        providerId: 'bringin',
        http: async (request) => {
          const response = await undici.http(request);
          exchanges.push({ request, response });
          return response;
        },
        now: () => Date.now() + time.offsetMs,
        newId: randomUUID,
        log: (level, event, fields) => void logs.push(JSON.stringify({ level, event, ...fields })),
        network: 'regtest',
        mode: 'sandbox',
        secret: (name) => secrets[name],
      },
      settings,
    ),
  );

  const person = (): Person => new Person();
  /** Returns a person who has signed up, is verified and connected. */
  const connectedPerson = async (email = 'alice@example.com', noticeUrl?: string): Promise<Person> => {
    const one = person();
    const request = { email, ref: randomUUID(), ...(noticeUrl === undefined ? {} : { noticeUrl }) };
    await one.does((context) => adapter.startAccount(context, request));
    while (!simulator.control.user(email).connected) await simulator.control.advanceKyc(email);
    await one.does((context) => adapter.readAccount(context));
    return one;
  };
  return {
    simulator,
    control: simulator.control,
    adapter,
    connections,
    exchanges,
    logs,
    /** Moves the adapter's clock and the simulator's together. */
    pass: (ms: number): void => {
      time.offsetMs += ms;
      simulator.control.moveClock(ms);
    },
    person,
    connectedPerson,
    endpoints: (): string[] => simulator.control.state.requests.map(({ endpoint }) => endpoint),
    close: async (): Promise<void> => {
      await simulator.close();
      await undici.close();
    },
  };
};
