/**
 * A `Cut` aborts one call to a provider. Each call has a `Cut` of its own, which stays in memory until the provider answers. It takes a quarter of
 * the memory of an AbortController with one listener.
 */
type Listener = (() => void) | { handleEvent: () => void };

/** The part of an AbortSignal that a call may use. Every AbortSignal is a CutSignal. To get a whole AbortSignal, call `abortSignalOf`. */
export type CutSignal = {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: Listener, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: Listener): void;
};

export class Cut implements CutSignal {
  aborted = false;
  reason: unknown = undefined;
  /** Whether anything was sent to the provider. The HTTP client sets it. */
  sent = false;
  #listeners: Listener[] | undefined = undefined;

  /** Calls all listeners; if one throws, throws its error afterwards. Does nothing the second time. */
  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = new DOMException('This operation was aborted', 'AbortError');
    const listeners = this.#listeners ?? [];
    this.#listeners = undefined;
    const faults: unknown[] = [];
    for (const listener of listeners)
      try {
        if (typeof listener === 'function') listener();
        else listener.handleEvent();
      } catch (fault) {
        faults.push(fault);
      }
    if (faults.length > 0) throw faults[0];
  }

  /** As with an AbortSignal, a listener that is added after the abort is never called. Each listener is called at most once. */
  addEventListener(_type: 'abort', listener: Listener): void {
    if (!this.aborted) this.#listeners = this.#listeners ? [...this.#listeners, listener] : [listener];
  }

  removeEventListener(_type: 'abort', listener: Listener): void {
    this.#listeners = this.#listeners?.filter((one) => one !== listener);
  }
}

/** Returns an AbortSignal that is aborted when the call is. */
export const abortSignalOf = (signal: CutSignal): AbortSignal => {
  if (signal instanceof AbortSignal) return signal;
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return controller.signal;
};
