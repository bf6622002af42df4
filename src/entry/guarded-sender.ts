import type { LookupFunction } from 'node:net';
import { Agent, request } from 'undici';
import { retryAfterMs } from '../domain/retry-after.ts';
import type { Sender } from '../ports/deliveries.ts';
import { BlockedAddress, guardedLookup } from './guarded-lookup.ts';

/**
 * Makes the webhook sender for Node. The sender checks the URL's form again right before sending (url-guard) and, whenever it opens a connection,
 * every address that the host resolves to. If one of the addresses is not allowed, it does not connect. Public addresses are allowed; in sandbox
 * mode, loopback too.
 */
export const createGuardedSender = (options: {
  check: (url: string) => { ok: boolean };
  sandbox: boolean;
  lookup?: LookupFunction;
}): { send: Sender; close: () => Promise<void> } => {
  const newAgent = (connections: number) =>
    new Agent({ connect: { lookup: guardedLookup(options), timeout: 5000 }, connections, pipelining: 1, keepAliveTimeout: 4000 });
  const [agent, testAgent] = [newAgent(16), newAgent(4)];
  const send: Sender = async ({ url, headers, body, timeoutMs, isTest = false }) => {
    if (!options.check(url).ok) return { outcome: 'blocked', statusClass: 'blocked' };
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const dispatcher = isTest ? testAgent : agent;
      const answer = await request(url, { method: 'POST', headers, body, dispatcher, signal, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
      answer.body.destroy();
      answer.body.on('error', () => undefined);
      return outcomeOf(answer.statusCode, retryAfterMs(one(answer.headers['retry-after']), one(answer.headers['date']), Date.now()));
    } catch (error) {
      return { outcome: isBlocked(error) ? 'blocked' : 'failed', statusClass: isBlocked(error) ? 'blocked' : errorClass(error) };
    }
  };
  return { send, close: async () => void (await Promise.all([agent.close(), testAgent.close()])) };
};

const one = (header: string | string[] | undefined): string | undefined => (Array.isArray(header) ? header[0] : header);

const outcomeOf = (status: number, waitMs: number | undefined) => ({
  outcome: status >= 200 && status < 300 ? ('delivered' as const) : ('failed' as const),
  statusClass: `${Math.floor(status / 100)}xx`,
  status,
  ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
});

const isBlocked = (error: unknown): boolean => error instanceof BlockedAddress || (error instanceof Error && error.cause instanceof BlockedAddress);
const errorClass = (error: unknown): string =>
  error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError' || error.name.includes('Timeout')) ? 'timeout' : 'unreachable';
