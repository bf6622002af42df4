/** RFC 9562: a UUID means the same in either case; braces and `urn:uuid:` are wrapping. */
const uuidForm = /^(?:urn:uuid:)?\{?([\da-f]{8})-?([\da-f]{4})-?([\da-f]{4})-?([\da-f]{4})-?([\da-f]{12})\}?$/i;

/** The one form of an id to compare by. */
export const canonicalId = (id: string): string => {
  const text = id.trim();
  const uuid = uuidForm.exec(text);
  return uuid ? uuid.slice(1).join('-').toLowerCase() : text;
};

/** Every form in which a provider may write an id, for a look-up by text. */
export const writingsOf = (id: string): string[] => [...new Set([id, canonicalId(id), canonicalId(id).toUpperCase()])];

/** Whether two ids are the same: UUIDs in any form, everything else letter by letter. */
export const sameId = (a: string, b: string): boolean => a === b || canonicalId(a) === canonicalId(b);
