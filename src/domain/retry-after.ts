/**
 * Retry-After by RFC 9110 (10.2.3): seconds, or a date in one of HTTP's three forms. `date` is the answer's own Date header, so that we need not
 * compare two clocks. Returns milliseconds, or undefined when it cannot be read.
 */
export const retryAfterMs = (given: string | null | undefined, date: string | null | undefined, now?: number): number | undefined => {
  const text = given?.trim() ?? '';
  if (/^\d{1,9}(?:\.\d{1,9})?$/.test(text)) return Math.round(Number(text) * 1000);
  const until = parseHttpDate(text);
  const from = parseHttpDate(date ?? '') ?? now;
  return until === undefined || from === undefined ? undefined : Math.max(0, until - from);
};

/** IMF-fixdate, RFC 850 and asctime; asctime names no zone and means UTC. */
const parseHttpDate = (text: string): number | undefined => {
  if (!/[a-z]{3}/i.test(text)) return undefined;
  const at = Date.parse(/(?:GMT|UTC|[+-]\d{4})$/.test(text.trim()) ? text : `${text} GMT`);
  return Number.isFinite(at) ? at : undefined;
};
