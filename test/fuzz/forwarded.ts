/** Forwarding headers as proxies write them, and as callers try to forge them. */
import { groupsOf } from '../../src/domain/ip-address.ts';
import type { Random } from './random.ts';

export type Address = { version: 4 | 6; value: bigint };

export const drawAddress = (random: Random): Address => {
  const version = random.chance(0.5) ? 4 : 6;
  // Never in 10.0.0.0/8, where the proxies are.
  const value = version === 4 ? BigInt(random.pick([11, 93, 172, 203])) * 2n ** 24n + BigInt(random.below(2 ** 24)) : BigInt(`0x2001${random.hex(28)}`);
  return { version, value };
};

/** Returns the same address in any spelling that is in use. */
export const spell = ({ version, value }: Address, random: Random): string => {
  const bytes = [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  if (version === 4) return random.pick([bytes, bytes, `::ffff:${bytes}`, `::FFFF:${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`]);
  const groups = groupsOf(value);
  return random.pick([
    groups.join(':'),
    groups.join(':').toUpperCase(),
    groups.map((group) => group.padStart(4, '0')).join(':'),
    groups.join(':').replace(/(?:^|:)0(?::0)*(?::|$)/, '::'),
    `${groups.slice(0, 6).join(':')}:${bytes}`,
  ]);
};

/** Writes one hop: the address bare, in brackets, in quotes, or with a port. */
export const writeHop = (text: string, random: Random): string => {
  const isV6 = text.includes(':');
  const port = random.pick(['', '', ':443', ':51008', ':_hidden']);
  const node = isV6 ? (port !== '' || random.chance(0.5) ? `[${text}]${port}` : text) : `${text}${port}`;
  return random.chance(0.4) || (isV6 && random.chance(0.5)) ? `"${node}"` : node;
};

const scraps = [
  '8.8.8.8',
  'for=8.8.8.8',
  'for="8.8.8.8',
  '"',
  '\\',
  '\\"',
  ',',
  ';',
  'for=',
  'unknown',
  '_x',
  '',
  '[',
  ']',
  '10.0.0.9',
  'for=10.0.0.9',
  ' ',
  '=',
  '8.8.8.8:80',
  "'",
];
/** Invents text that a caller might send in the header, before what the proxy adds to it. */
export const inventHeader = (random: Random): string =>
  Array.from({ length: random.below(8) }, () => random.pick(scraps)).join(random.pick(['', ',', ', ', ';']));
