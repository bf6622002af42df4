/** Matches a UUID (RFC 9562) in upper or lower case, with or without hyphens, braces and `urn:uuid:`. */
const uuidForm = /^(?:urn:uuid:)?\{?([\da-f]{8})-?([\da-f]{4})-?([\da-f]{4})-?([\da-f]{4})-?([\da-f]{12})\}?$/i;

/** Returns the form in which ids are compared. */
export const canonicalId = (id: string): string => {
  const text = id.trim();
  const uuid = uuidForm.exec(text);
  return uuid ? uuid.slice(1).join('-').toLowerCase() : text;
};

/** Returns the usual ways to write an id, by which it is looked up in the database. */
export const writingsOf = (id: string): string[] => [...new Set([id, canonicalId(id), canonicalId(id).toUpperCase()])];

/**
 * Returns whether two ids are the same. UUIDs may be written in any way that `uuidForm` matches; other ids are compared letter by letter, without the
 * spaces around them.
 */
export const sameId = (a: string, b: string): boolean => a === b || canonicalId(a) === canonicalId(b);
