/**
 * Finds the document inside an answer. It may be in an envelope, such as `result` (JSON-RPC), `data`, `order` or `body`, in a list, or in several of
 * these, nested.
 */

export type Members = { [name: string]: unknown };

const wrappers = new Set([
  'result',
  'results',
  'data',
  'order',
  'orders',
  'body',
  'response',
  'payload',
  'content',
  'value',
  'item',
  'items',
  'info',
  'options',
]);
/** Members that say how the call went. They belong to the envelope. */
const ofEnvelope = new Set(['id', 'jsonrpc', 'code', 'status', 'status_code', 'statuscode', 'message', 'success', 'ok', 'type', 'name']);
const deepest = 4;

export const isMembers = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The most members that one search may copy. A provider could nest or repeat envelopes so that there are far too many combinations. */
const mostCopied = 100_000;
type Search = { isIt: (members: Members) => boolean; left: number };

/**
 * Merges each object with the members next to it in its envelopes (except `ofEnvelope`), so that `{order: {id}, payment}` is one document. Returns
 * the outermost document for which `isIt` is true; in a list, the first match. Returns undefined if there is none, or if the search would have to
 * copy more than `mostCopied` members.
 */
export const findDocument = (value: unknown, isIt: (members: Members) => boolean): Members | undefined =>
  search(value, { isIt, left: mostCopied }, deepest, {});

/** `around`: the members of the outer envelopes. Only the object's own members can be further envelopes. */
const search = (value: unknown, from: Search, levels: number, around: Members): Members | undefined => {
  if (levels < 0 || from.left < 0) return undefined;
  if (Array.isArray(value)) {
    const found = first(value, (item) => search(item, from, levels - 1, {}));
    return found && { ...around, ...found };
  }
  if (!isMembers(value)) return undefined;
  const whole = { ...around, ...value };
  from.left -= 1 + Object.keys(whole).length;
  if (from.isIt(whole)) return whole;
  const inside = Object.entries(value).filter(([name, inner]) => wrappers.has(name.toLowerCase()) && typeof inner === 'object' && inner !== null);
  return first(inside, ([name, inner]) => {
    if (from.left < 0) return undefined;
    const beside = Object.fromEntries(Object.entries(whole).filter(([other]) => other !== name && !ofEnvelope.has(other.toLowerCase())));
    from.left -= Object.keys(beside).length;
    return search(inner, from, levels - 1, beside);
  });
};

const first = <T, R>(items: T[], read: (item: T) => R | undefined): R | undefined => {
  for (const item of items) {
    const found = read(item);
    if (found !== undefined) return found;
  }
  return undefined;
};

/**
 * Names longer than this are not renamed, because no adapter reads them. Nor are the names in objects with more than `mostRenamed` members, or in the
 * rows of a list after the first `mostRenamed`.
 */
const longestName = 128;
const mostRenamed = 1_000;
const deepestRenamed = 6;
/** Returns the value with its members renamed, down to `levels`. Leaves out a member whose new name is already the name of another member. */
const renamed = (value: unknown, rename: (name: string) => string, levels: number): unknown => {
  if (levels < 0) return value;
  if (Array.isArray(value)) return value.map((item, n) => (n < mostRenamed ? renamed(item, rename, levels - 1) : item));
  if (!isMembers(value)) return value;
  const written = Object.keys(value);
  if (written.length > mostRenamed) return value;
  return Object.fromEntries(
    written.flatMap((name) => {
      const given = rename(name);
      return given === name || !Object.hasOwn(value, given) ? [[given, renamed(value[name], rename, levels - 1)]] : [];
    }),
  );
};

const snake = (name: string): string =>
  name.length > longestName
    ? name
    : name
        .replaceAll(/([a-z\d])([A-Z])/g, '$1_$2')
        .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1_$2')
        .replaceAll('-', '_')
        .toLowerCase()
        .replace(/_(m?)sat(?:oshi)?s?$/, '_$1sat');

/**
 * Returns the value with every member name in snake case: orderId, OrderID and order-id become order_id. At the end of a name, sats and satoshis
 * become sat.
 */
export const withSnakeNames = (value: unknown): unknown => renamed(value, snake, deepestRenamed);

/** Returns an id as a string, from a number, a string, or an object around either (MongoDB's `$oid`). Returns undefined if there is none. */
export const idIn = (value: unknown): string | undefined => {
  if (isMembers(value)) return idIn(value['$oid'] ?? value['order_id'] ?? value['id'] ?? value['value']);
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : typeof value === 'string' ? value.trim() : '';
  return text === '' || text.length > longestId ? undefined : text;
};
/**
 * The longest id that is accepted, in characters. Orders are looked up by their id, and PostgreSQL cannot index a string of more than 2,704 bytes.
 */
const longestId = 500;

/**
 * Returns the value with every member name in camel case, however it was written (api_key, ApiKey, API-KEY), for providers whose documentation uses
 * camel case.
 */
export const withCamelNames = (value: unknown): unknown => renamed(value, camel, deepestRenamed);
const camel = (name: string): string =>
  name.length > longestName
    ? name
    : snake(name)
        .replaceAll(/_+$|^_+/g, '')
        .replaceAll(/_([a-z\d])/g, (_all, letter: string) => letter.toUpperCase());

const ofLists = /^(?:data|result|results|items|rows|records|content|list|body|payload|response)$/i;
/**
 * Returns a list that is the whole answer, or is in an envelope: under one of `names` in any spelling, or under a generic name such as "data".
 * Undefined if there is none.
 */
export const findList = (value: unknown, names: readonly string[], levels = deepest): unknown[] | undefined => {
  if (Array.isArray(value)) return value;
  if (!isMembers(value) || levels < 0) return undefined;
  const entries = Object.entries(value).map(([name, inner]) => [camel(name), inner] as const);
  const wanted = names.map((name) => name.toLowerCase());
  const named = entries.find(([name, inner]) => wanted.includes(name.toLowerCase()) && Array.isArray(inner));
  if (named) return named[1] as unknown[];
  return first(entries, ([name, inner]) => (ofLists.test(name) ? findList(inner, names, levels - 1) : undefined));
};
