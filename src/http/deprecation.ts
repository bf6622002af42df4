/** Announces that an operation will be removed. Days are YYYY-MM-DD; `instead` is the path of a page about what to use instead. */
export type Deprecation = { since: string; sunset: string; instead: string };

/**
 * Returns the headers that every answer of a deprecated operation has (RFC 9745 and RFC 8594). Throws if the operation would be removed within six
 * months, which docs/versioning.md rules out.
 */
export const deprecationHeaders = ({ since, sunset, instead }: Deprecation): Record<string, string> => {
  const [from, until] = [new Date(`${since}T00:00:00Z`), new Date(`${sunset}T00:00:00Z`)];
  const soonest = new Date(from);
  soonest.setUTCMonth(soonest.getUTCMonth() + 6);
  if (!(until >= soonest)) throw new RangeError(`deprecated on ${since}: it may be removed six months later at the earliest, not on ${sunset}`);
  return { deprecation: `@${from.getTime() / 1000}`, sunset: until.toUTCString(), link: `<${instead}>; rel="deprecation"; type="text/html"` };
};
