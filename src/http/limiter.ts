import { Problem } from '../gateway/problem.ts';

export type LimitName = 'verify' | 'quotes' | 'quotes-app' | 'orders' | 'account-steps' | 'withdrawals' | 'webhook-tests';
/** Counts one use; `allowed` false once the window is spent. Cloudflare's binding has no remaining count: then it is undefined. */
export type Limiter = (name: LimitName, key: string, limit: number) => Promise<{ allowed: boolean; remaining?: number; resetSeconds: number }>;

const windowMs = 60_000;

/** Fixed windows of a minute, exact in one instance. Keys of ended windows are dropped when the map is swept. */
export const createLimiter = (now: () => number): Limiter => {
  const windows = new Map<string, { start: number; used: number }>();
  let sweptOn = now();
  return (name, key, limit) => {
    const at = now();
    if (at - sweptOn > windowMs) {
      for (const [id, window] of windows) if (at - window.start >= windowMs) windows.delete(id);
      sweptOn = at;
    }
    const id = `${name} ${key}`;
    let window = windows.get(id);
    if (!window || at - window.start >= windowMs) windows.set(id, (window = { start: at, used: 0 }));
    const resetSeconds = Math.ceil((window.start + windowMs - at) / 1000);
    if (window.used >= limit) return Promise.resolve({ allowed: false, remaining: 0, resetSeconds });
    window.used += 1;
    return Promise.resolve({ allowed: true, remaining: limit - window.used, resetSeconds });
  };
};

/** The RateLimit fields of the IETF draft, and the refusal when nothing is left. */
export const enforceLimit = async (limiter: Limiter, name: LimitName, key: string, limit: number, headers: Record<string, string>): Promise<void> => {
  const { allowed, remaining, resetSeconds } = await limiter(name, key, limit);
  if (remaining !== undefined) {
    headers['ratelimit-policy'] = `"${name}";q=${limit};w=60`;
    headers['ratelimit'] = `"${name}";r=${remaining};t=${resetSeconds}`;
  }
  if (!allowed) throw new Problem('rate-limited', `At most ${limit} ${name} requests a minute are allowed here.`, { retryAfterMs: resetSeconds * 1000 });
};
