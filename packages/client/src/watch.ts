import type { Runtime } from './runtime.ts';

export type Read<State> = (signal?: AbortSignal) => Promise<State>;
/** How to watch one thing that changes at the gateway. */
export type Watched<State> = {
  read: Read<State>;
  /** What a change is: when this text differs. */
  seen: (state: State) => string;
  isFinal: (state: State) => boolean;
};

/** Its state now, and at each change until it is final. */
export const watch = async function* <State extends { nextCheckOn?: Date }>(
  runtime: Runtime,
  { read, seen, isFinal }: Watched<State>,
  signal?: AbortSignal,
): AsyncGenerator<State, void, undefined> {
  for (let last: string | undefined; ;) {
    const state = await read(signal);
    const now = seen(state);
    if (now !== last) yield state;
    last = now;
    if (isFinal(state)) return;
    await runtime.sleep(pauseUntil(state.nextCheckOn, runtime.now()), signal);
  }
};

/** When the gateway will know more, but between one and a half and 15 seconds from now. */
const pauseUntil = (nextCheckOn: Date | undefined, now: number): number => Math.min(Math.max((nextCheckOn?.getTime() ?? now) - now, 1500), 15_000);
