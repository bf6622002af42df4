/**
 * Begins work, and returns its promise. If the work throws instead of returning one, the promise rejects, as if the work were an async function. For
 * calls that are made often: the frame of an async function stays alive as long as its promise is pending.
 */
export const begin = <T>(work: () => Promise<T>): Promise<T> => {
  try {
    // `Promise.resolve` returns a promise unchanged. Work that returns no promise, against its type, counts as done.
    return Promise.resolve(work());
  } catch (fault) {
    return Promise.reject(fault as Error);
  }
};
