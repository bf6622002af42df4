import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupsOf, isWithin, parseIp, parseRange, showIp } from './ip-address.ts';
import { networkOf, sharesOf } from './network.ts';

const ipv6 = fc.bigInt(1n << 64n, (1n << 128n) - 1n);
/** Returns several ways to write the same IPv6 address. */
const spellings = (value: bigint): string[] => {
  const full = groupsOf(value).join(':');
  const padded = full
    .split(':')
    .map((group) => group.padStart(4, '0'))
    .join(':');
  const low = [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  return [full, full.toUpperCase(), padded, showIp({ version: 6, value }), `${full.split(':').slice(0, 6).join(':')}:${low}`, `${full}%eth0`];
};

describe('networkOf', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7', '203.0.113.7'],
    ['::FFFF:cb00:7107', '203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64', '2001:db8:1::/48'],
    ['2001:DB8::6', '2001:db8:0:0::/64', '2001:db8:0::/48'],
    ['2001:db8:1:0::', '2001:db8:1:0::/64', '2001:db8:1::/48'],
    ['::1', '0:0:0:0::/64', '0:0:0::/48'],
    ['nonsense', 'unknown', 'unknown'],
    ['', 'unknown', 'unknown'],
    [undefined, 'unknown', 'unknown'],
  ])('%s', (ip, own, wide) => {
    expect(networkOf(ip)).toEqual({ own, wide });
  });

  it('is one for every spelling of an address, and for every address of a /64', () => {
    fc.assert(
      fc.property(ipv6, fc.bigInt(0n, (1n << 64n) - 1n), (value, host) => {
        const { own, wide } = networkOf(showIp({ version: 6, value }));
        for (const text of spellings(value)) expect([text, networkOf(text)]).toEqual([text, { own, wide }]);
        expect(networkOf(showIp({ version: 6, value: ((value >> 64n) << 64n) | host }))).toEqual({ own, wide });
        expect(networkOf(showIp({ version: 6, value: value ^ (1n << 64n) }))).toEqual({ own: expect.not.stringContaining(own) as string, wide });
        expect(networkOf(showIp({ version: 6, value: value ^ (1n << 80n) })).wide).not.toBe(wide);
      }),
    );
  });
});

it('of a shared budget, a network may use a tenth and a /48 half, however small the budget is', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        ipv6.map((value) => showIp({ version: 6, value })),
        fc.ipV4(),
      ),
      fc.integer({ min: 1, max: 100_000 }),
      fc.nat(50),
      (ip, total, least) => {
        const network = networkOf(ip);
        const [own, wide, ...more] = sharesOf(network, total, least);
        expect([own?.key, wide?.key, more]).toEqual([network.own, network.wide === network.own ? undefined : network.wide, []]);
        expect(own?.most).toBe(Math.max(least, Math.floor((total + 9) / 10)));
        expect(wide === undefined || wide.most * 2 <= total + 1).toBe(true);
      },
    ),
  );
});

describe('parseIp', () => {
  it.each([
    '1',
    '1.2.3',
    '010.0.0.1',
    '0x7f.0.0.1',
    '256.1.1.1',
    '1.2.3.4.5',
    '1.2.3.4:80',
    '[::1]',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '::12345',
    '::1.2.3.256',
    'fe80::1%',
  ])('%s is none', (text) => {
    expect(parseIp(text)).toBeUndefined();
  });
  it.each([
    ['2001:0DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['1:0:0:0:2:0:0:0', '1::2:0:0:0'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['fe80:0:0:0:0:0:0:0', 'fe80::'],
  ])('%s is written %s', (text, usual) => {
    const address = parseIp(text);
    expect(address && showIp(address)).toBe(usual);
  });
  it('reads what it writes', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, (1n << 32n) - 1n), (value) => {
        expect(parseIp(showIp({ version: 4, value }))).toEqual({ version: 4, value });
      }),
    );
  });
});

describe('ranges', () => {
  it.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.1.2.3/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['0.0.0.0/0', '9.9.9.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['fd00::/8', 'fd12::1', true],
    ['::ffff:10.0.0.0/104', '10.1.1.1', true],
  ])('%s and %s: %s', (range, ip, inside) => {
    const [read, address] = [parseRange(range), parseIp(ip)];
    expect(read && address && isWithin(address, read)).toBe(inside);
  });
  it.each([
    'loopback',
    'caddy',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '172.16.0.0/255.240.0.0',
    '10.0.0.0/-1',
    '10.0.0',
    '10.0.0.0-10.0.0.9',
    '*',
    '',
    '::ffff:10.0.0.0/8',
  ])('%s is none', (text) => {
    expect(parseRange(text)).toBeUndefined();
  });
});
