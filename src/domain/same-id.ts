/** A UUID as RFC 9562 has it: upper and lower case mean the same. Braces and `urn:uuid:` are wrapping. */
const uuidForm = /^(?:urn:uuid:)?\{?([\da-f]{8})-?([\da-f]{4})-?([\da-f]{4})-?([\da-f]{4})-?([\da-f]{12})\}?$/i;

/** Returns the form in which ids are compared. */
export const canonicalId = (id: string): string => {
  const text = id.trim();
  const uuid = uuidForm.exec(text);
  return uuid ? uuid.slice(1).join('-').toLowerCase() : text;
};

/** Returns the forms in which an id may be stored, so that it can be looked up by its text. */
export const writingsOf = (id: string): string[] => [...new Set([id, canonicalId(id), canonicalId(id).toUpperCase()])];

/** Returns whether two ids are the same. UUIDs may be in any form; everything else is compared letter by letter. */
export const sameId = (a: string, b: string): boolean => a === b || canonicalId(a) === canonicalId(b);
