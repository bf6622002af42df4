/** What the list of requests uses: one runtime, one wallet's memory, one webhook receiver. */
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';
import { until } from '../support/gateway.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';
import { normalBody, normalHeaders, type Normal } from './normal.ts';
import type { Runtime } from './runtimes.ts';

export type Answer = { status: number; headers: Headers; body: Record<string, unknown>; raw: string };
export type World = {
  runtime: Runtime;
  wallet: Wallet;
  receiver: WebhookReceiver;
  /** Values that one row found and a later row needs. */
  kept: Map<string, string>;
  ask: (path: string, body?: unknown, init?: RequestInit) => Promise<Answer>;
  session: () => Promise<string>;
  /** Polls /order-status until the order has reached the stage, and does background work in between. */
  reach: (session: string, order: string, stage: string) => Promise<Answer>;
  close: () => Promise<void>;
};

export const createWorld = async (runtime: Runtime): Promise<World> => {
  const receiver = await startWebhookReceiver();
  const wallet = createWallet(runtime.url);
  const ask: World['ask'] = async (path, body, init = {}) => {
    const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: typeof body === 'string' ? body : JSON.stringify(body) };
    const response = await fetch(runtime.url + path, body === undefined ? init : { ...post, ...init });
    const raw = await response.text();
    return { status: response.status, headers: response.headers, body: asObject(raw), raw };
  };
  // Options are numbered in the sequence in which they are first listed. GET /features reads the listings of buying only. Without it, a runtime that is
  // slow to start could number the options of selling first.
  await until('a listing of buying', async () => ((await ask('/features')).status === 200 ? true : undefined));
  // Each runtime takes a different time until it has the first listings of all providers, which its responses depend on.
  await until('every listing', async () => {
    const { providers = [] } = (await ask('/providers')).body as { providers?: { id: string; currencies: unknown[] }[] };
    const listed = providers.filter((one) => one.currencies.length > 0).map((one) => one.id);
    return Object.keys(runtime.simulators).every((id) => listed.includes(id)) ? true : undefined;
  });
  return {
    runtime,
    wallet,
    receiver,
    kept: new Map(),
    ask,
    session: async () => (await wallet.open()).sessionId,
    reach: async (session, order, stage) =>
      await until(stage, async () => {
        const answer = await ask('/order-status', { session_id: session, order_id: order });
        if ((answer.body[order] as { stage?: string } | undefined)?.stage === stage) return answer;
        await runtime.wake();
        return undefined;
      }),
    close: receiver.close,
  };
};

const asObject = (raw: string): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(raw);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
};

export const normal = (answer: Answer): Normal => ({
  status: answer.status,
  headers: normalHeaders(answer.headers),
  body: answer.raw.startsWith('{') ? normalBody(answer.body) : answer.raw,
});
