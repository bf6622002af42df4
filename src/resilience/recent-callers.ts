/**
 * Counts the different callers that had the same kind of failure, refusal or limit within `windowMs`. A caller may have brought a failure on itself,
 * so failures count for all callers only once several callers have had them.
 */
export const createRecentCallers = (windowMs: number) => {
  /** When each caller was last noted, oldest first. */
  const notedOn = new Map<string, number>();
  return {
    /** Notes a caller. Returns how many different callers were noted within the window. */
    note: (caller: string, at: number): number => {
      notedOn.delete(caller);
      notedOn.set(caller, at);
      // A time in the future is from before the clock was set back.
      for (const [known, on] of notedOn) if (on > at || at - on >= windowMs) notedOn.delete(known);
      return notedOn.size;
    },
    clear: (): void => {
      if (notedOn.size > 0) notedOn.clear();
    },
  };
};
