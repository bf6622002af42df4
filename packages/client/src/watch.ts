import { isTemporary, type RampError } from './error.ts';
import type { Runtime } from './runtime.ts';

export type Read<State> = (signal?: AbortSignal) => Promise<State>;
/** How to watch one thing that changes at the gateway. */
export type Watched<State> = {
  read: Read<State>;
  /** Returns a string that differs when the state has changed. */
  seen: (state: State) => string;
  isFinal: (state: State) => boolean;
  /** Called after each read that failed for a temporary reason and will be repeated. */
  onAway?: ((error: RampError) => void) | undefined;
};

/**
 * Yields the state now and at each change, until it is final. While the gateway does not answer, keeps asking for up to `outageMs` since the first
 * read that failed, and yields the state once the gateway answers again.
 */
export const watch = async function* <State extends { nextCheckOn?: Date }>(
  runtime: Runtime,
  { read, seen, isFinal, onAway }: Watched<State>,
  signal?: AbortSignal,
): AsyncGenerator<State, void, undefined> {
  let last: string | undefined;
  /** When the first of the reads failed that have failed in a row. The process may have slept before it. */
  let awaySince: number | undefined;
  for (let pauseMs = firstMs; ; pauseMs = Math.min(pauseMs * 1.5, longestMs)) {
    const state = await read(signal).catch(async (error: unknown) => {
      if (!isTemporary(error)) throw error;
      const waitMs = Math.max(error.retryAfterMs ?? 0, longestMs);
      const now = runtime.now();
      awaySince ??= now;
      if (now + waitMs > awaySince + outageMs) throw error;
      onAway?.(error);
      last = undefined;
      await runtime.sleep(waitMs, signal);
    });
    if (!state) continue;
    awaySince = undefined;
    const now = seen(state);
    if (now !== last) {
      yield state;
      pauseMs = firstMs;
    }
    last = now;
    if (isFinal(state)) return;
    // The gateway itself asks the provider at `nextCheckOn`, or earlier when the provider sends a notice.
    const untilCheckMs = (state.nextCheckOn?.getTime() ?? Infinity) - runtime.now();
    await runtime.sleep(untilCheckMs > 0 ? Math.max(Math.min(pauseMs, untilCheckMs), leastMs) : pauseMs, signal);
  }
};

/** The first pause after a change is short, because the next change is then likely. Each further pause is longer, up to `longestMs`. */
const [firstMs, longestMs, leastMs] = [2000, 15_000, 1000];
const outageMs = 300_000;
