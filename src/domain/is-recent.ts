/**
 * Returns whether `on` is less than `ms` away from `now`, in either direction (Unix milliseconds). A time ahead of `now` was noted before the clock
 * was set back, or by another instance whose clock is slightly ahead. If every later time counted as recent, a clock that was set back an hour would
 * stop reads for an hour.
 */
export const isRecent = (on: number, now: number, ms: number): boolean => Math.abs(now - on) < ms;
