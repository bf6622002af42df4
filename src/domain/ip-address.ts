/** IP addresses and ranges as numbers. */

/** An IPv4 address inside IPv6 (::ffff:a.b.c.d) counts as the IPv4 address. */
export type IpAddress = { version: 4 | 6; value: bigint };
export type IpRange = { address: IpAddress; bits: number };

const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const mapped = 0xffffn;
/**
 * An address has at most 45 characters, and a zone at most 33. An address may come from a header, which is read before any limit applies, so a longer
 * string is refused unread.
 */
const longestWritten = 45 + 33;

/**
 * Parses an address, or returns undefined. Refuses octal, hexadecimal and short forms of IPv4, because parsers disagree about them. Drops a zone
 * (`%eth0`).
 */
export const parseIp = (text: string): IpAddress | undefined => {
  if (text.length > longestWritten) return undefined;
  if (ipv4.test(text)) return { version: 4, value: ofBytes(text) };
  const value = ipv6Value(text.replace(/%[\w.-]{1,32}$/, ''));
  if (value === undefined) return undefined;
  return value >> 32n === mapped ? { version: 4, value: value & 0xffff_ffffn } : { version: 6, value };
};

const ofBytes = (text: string): bigint => text.split('.').reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

const ipv6Value = (text: string): bigint | undefined => {
  // The last two groups may be written as an IPv4 address.
  const tail = /^(.*:)([\d.]+\.[\d.]+)$/.exec(text);
  if (tail && !ipv4.test(tail[2] ?? '')) return undefined;
  const last = tail ? ofBytes(tail[2] ?? '') : 0n;
  const written = tail ? `${tail[1]}${(last >> 16n).toString(16)}:${(last & mapped).toString(16)}` : text;
  const [head = '', back, ...more] = written.split('::');
  if (more.length > 0) return undefined;
  const front = head === '' ? [] : head.split(':');
  const end = back === undefined || back === '' ? [] : back.split(':');
  const missing = 8 - front.length - end.length;
  if (back === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...front, ...Array.from({ length: missing }, () => '0'), ...end];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
};

/** Parses one address or a range in CIDR form, or returns undefined. Bits beyond the prefix need not be zero. */
export const parseRange = (text: string): IpRange | undefined => {
  const [written = '', prefix, ...more] = text.split('/');
  const address = parseIp(written);
  if (!address || more.length > 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix))) return undefined;
  const length = address.version === 4 ? 32 : 128;
  // The prefix of a mapped address counts the bits of the whole IPv6 address, so 96 of them precede the IPv4 part.
  const shift = address.version === 4 && written.includes(':') ? 96 : 0;
  const bits = prefix === undefined ? length : Number(prefix) - shift;
  return bits >= 0 && bits <= length ? { address, bits } : undefined;
};

export const isWithin = (ip: IpAddress, { address, bits }: IpRange): boolean => {
  const rest = BigInt((address.version === 4 ? 32 : 128) - bits);
  return ip.version === address.version && ip.value >> rest === address.value >> rest;
};

/** Returns the eight 16-bit groups of an IPv6 address in hex, without leading zeros. */
export const groupsOf = (value: bigint): string[] => Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & mapped).toString(16));

/** Writes an address in the usual form (RFC 5952): lower case, no leading zeros, the longest run of zero groups as `::`. */
export const showIp = ({ version, value }: IpAddress): string => {
  if (version === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  const text = groupsOf(value).join(':');
  const [run] = [...text.matchAll(/(?<=^|:)0(?::0)+(?=:|$)/g)].toSorted((a, b) => b[0].length - a[0].length);
  if (!run) return text;
  return `${text.slice(0, run.index).replace(/:$/, '')}::${text.slice(run.index + run[0].length).replace(/^:/, '')}`;
};
