/**
 * Reads a Retry-After header (RFC 9110, 10.2.3): a number of seconds, or a date in one of HTTP's three forms. `date` is the Date header of the same
 * response: a Retry-After date is compared with it, because the server's clock may differ from ours. Without a readable `date`, it is compared with
 * `now`. Returns milliseconds, or undefined if the header cannot be read or a date has nothing to be compared with.
 */
export const retryAfterMs = (given: string | null | undefined, date: string | null | undefined, now?: number): number | undefined => {
  const text = given?.trim() ?? '';
  if (/^\d{1,9}(?:\.\d{1,9})?$/.test(text)) return Math.round(Number(text) * 1000);
  const until = parseHttpDate(text);
  const from = parseHttpDate(date ?? '') ?? now;
  return until === undefined || from === undefined ? undefined : Math.max(0, until - from);
};

/** Parses the three forms: IMF-fixdate, RFC 850 and asctime. asctime does not name a zone, but means UTC. */
const parseHttpDate = (text: string): number | undefined => {
  if (!/[a-z]{3}/i.test(text)) return undefined;
  const at = Date.parse(/(?:GMT|UTC|[+-]\d{4})$/.test(text.trim()) ? text : `${text} GMT`);
  return Number.isFinite(at) ? at : undefined;
};
