/**
 * Seals secrets at rest. Threat: whoever reads the database (a dump, a backup, a replica, an injected statement) must learn no secret, and a sealed
 * value that was copied into another row or field must not open there. Which customer a row belongs to is not sealed: whoever can write to the
 * database can give an order or a recovery secret to another customer (orders.customer_id, customers.recovery_hash), and no sealing prevents that.
 *
 * Form: `v1.<key id>.<wrapped key>.<iv>.<ciphertext>`, base64url. Each value has a fresh 256-bit data key, and is encrypted by AES-256-GCM with a
 * random 96-bit IV and the place (table, row, field) as additional data. The master key wraps the data key (AES-KW), so when the master key changes,
 * only the data keys are wrapped again.
 */
import { base64urlnopad } from '@scure/base';
import type { Place, Seal } from '../ports/runtime.ts';

export type MasterKey = { id: string; key: Uint8Array };
export type SealWithRotation = Seal & {
  /** Returns whether the value was sealed under a master key other than the current one. */
  isOld: (sealed: string) => boolean;
  /** Returns the same secret under the current master key. The ciphertext stays as it is. */
  rewrap: (sealed: string) => Promise<string>;
};

/** WebCrypto's key type, written so that both runtimes' types accept it. */
type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** An opened value with its place and its sealed form. */
type Kept = { table: string; field: string; sealed: string; value: string };
/** How many characters each entry adds to `size` besides its strings: its row's id, its objects and its place in the map take memory, too. */
const perKept = 200;

const version = 'v1';
const utf8 = new TextEncoder();
const text = new TextDecoder();
/** How many characters the kept values may have, opened and sealed forms together, unless the runtime says otherwise. */
const usuallyKept = 4_000_000;

const additional = (place: Place): Uint8Array<ArrayBuffer> => new Uint8Array(utf8.encode(`${place.table}\n${place.row}\n${place.field}\n${version}`));

/**
 * Makes a seal. `keys`: current first. `mostKept`: how many characters of sealed and opened values it may keep, because the hot path opens the same
 * provider sessions again and again. Throws if there is no key, and for a key that is not 32 bytes or whose id would break the form.
 */
export const createSeal = (keys: readonly MasterKey[], mostKept = usuallyKept): SealWithRotation => {
  const [current] = keys;
  if (!current) throw new Error('no sealing key');
  for (const { id, key } of keys)
    if (key.length !== 32 || !/^[\w-]{1,32}$/.test(id))
      throw new Error(`the sealing key "${id}" must have 32 bytes, and an id of 1 to 32 letters, digits, _ or -`);
  // Cache imported keys, never a promise of one: on Workers a promise belongs to the request that made it.
  const imported = new Map<string, Key>();
  const masterKey = async (id: string): Promise<Key> => {
    const known = imported.get(id);
    if (known) return known;
    const found = keys.find((one) => one.id === id);
    if (!found) throw new Error(`a secret is sealed under the key "${id}", which is not among the sealing keys`);
    const key = await crypto.subtle.importKey('raw', new Uint8Array(found.key), 'AES-KW', false, ['wrapKey', 'unwrapKey']);
    imported.set(id, key);
    return key;
  };
  const unwrap = async (id: string, wrapped: string, extractable: boolean): Promise<Key> =>
    await crypto.subtle.unwrapKey('raw', bytes(wrapped), await masterKey(id), 'AES-KW', 'AES-GCM', extractable, ['encrypt', 'decrypt']);
  /** Opened values by row, the oldest first. A value is returned only for its own place and ciphertext, so no row can read another row's value. */
  const kept = new Map<string, Kept>();
  let size = 0;
  const sizeOf = ({ sealed, value }: Kept): number => sealed.length + value.length + perKept;
  const remember = (row: string, entry: Kept): void => {
    forget(row);
    kept.set(row, entry);
    size += sizeOf(entry);
    for (const oldest of kept.keys()) {
      if (size <= mostKept) break;
      forget(oldest);
    }
  };
  const forget = (row: string): void => {
    const entry = kept.get(row);
    if (entry && kept.delete(row)) size -= sizeOf(entry);
  };

  return {
    seal: async (plain, place) => {
      // For AES, generateKey returns one key and not a pair. Some types of WebCrypto say only that it may be either, hence the cast.
      const key = (await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt', 'decrypt'])) as Key;
      const iv = crypto.getRandomValues(new Uint8Array(12));
      const [ciphertext, wrapped] = await Promise.all([
        crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: additional(place) }, key, utf8.encode(plain)),
        masterKey(current.id).then((master) => crypto.subtle.wrapKey('raw', key, master, 'AES-KW')),
      ]);
      return [version, current.id, encode(wrapped), base64urlnopad.encode(iv), encode(ciphertext)].join('.');
    },
    open: async (sealed, place) => {
      const hit = kept.get(place.row);
      if (hit?.sealed === sealed && hit.field === place.field && hit.table === place.table) return hit.value;
      const { id, wrapped, iv, ciphertext } = parse(sealed);
      const key = await unwrap(id, wrapped, false);
      const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: bytes(iv), additionalData: additional(place) }, key, bytes(ciphertext)).catch(() => {
        throw new Error(`a sealed value does not open in ${place.table}.${place.field}: it was moved or changed`);
      });
      const value = text.decode(plain);
      remember(place.row, { table: place.table, field: place.field, sealed, value });
      return value;
    },
    isOld: (sealed) => parse(sealed).id !== current.id,
    rewrap: async (sealed) => {
      const { id, wrapped, iv, ciphertext } = parse(sealed);
      const key = await unwrap(id, wrapped, true);
      return [version, current.id, encode(await crypto.subtle.wrapKey('raw', key, await masterKey(current.id), 'AES-KW')), iv, ciphertext].join('.');
    },
  };
};

const bytes = (encoded: string): Uint8Array<ArrayBuffer> => new Uint8Array(base64urlnopad.decode(encoded));
const encode = (buffer: ArrayBuffer): string => base64urlnopad.encode(new Uint8Array(buffer));

const parse = (sealed: string): { id: string; wrapped: string; iv: string; ciphertext: string } => {
  const [form, id, wrapped, iv, ciphertext, more] = sealed.split('.');
  if (form !== version || id === undefined || wrapped === undefined || iv === undefined || ciphertext === undefined || more !== undefined)
    throw new Error('not a sealed value');
  return { id, wrapped, iv, ciphertext };
};
