import type { Gateway } from '../ports/gateway.ts';

/**
 * Returns what `read` returned at most `sharedMs` ago (by default, a second), or else calls `read`. For expensive reads, and for endpoints that ask
 * the database without a session or a limit: a flood of requests causes about one query in that time, even while that query is still running. On
 * Workers, requests cannot share a promise, so each request reads.
 */
export const sharedAnswer = async <T>({ flights, now }: Gateway, name: string, read: () => Promise<T>, sharedMs = 1_000): Promise<T> => {
  const known = flights.answers.get(name) as { on: number; answer: Promise<T> } | undefined;
  const at = now();
  if (known && at >= known.on && at - known.on < sharedMs) return await known.answer;
  const answer = read();
  flights.answers.set(name, { on: at, answer });
  // A failure is not shared.
  answer.catch(() => {
    if (flights.answers.get(name)?.answer === answer) flights.answers.delete(name);
  });
  return await answer;
};
