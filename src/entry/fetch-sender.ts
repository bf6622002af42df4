import { retryAfterMs } from '../domain/retry-after.ts';
import type { Sender } from '../ports/deliveries.ts';

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Makes the webhook sender for Workers, where no private network can be reached. The sender checks the URL's form again before each attempt. */
export const createFetchSender =
  (fetchIt: Fetch, check: (url: string) => { ok: boolean }): Sender =>
  async ({ url, headers, body, timeoutMs }) => {
    if (!check(url).ok) return { outcome: 'blocked', statusClass: 'blocked' };
    try {
      const answer = await fetchIt(url, { method: 'POST', headers, body, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
      await answer.body?.cancel();
      const waitMs = retryAfterMs(answer.headers.get('retry-after'), answer.headers.get('date'), Date.now());
      return {
        outcome: answer.status >= 200 && answer.status < 300 ? 'delivered' : 'failed',
        statusClass: `${Math.floor(answer.status / 100)}xx`,
        status: answer.status,
        ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
      };
    } catch (error) {
      return { outcome: 'failed', statusClass: error instanceof Error && error.name === 'TimeoutError' ? 'timeout' : 'unreachable' };
    }
  };
