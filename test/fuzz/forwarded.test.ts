/** G5, callers: no header that a caller writes makes it count as another caller, and no spelling of its address makes it count as two. */
import { BlockList, isIP } from 'node:net';
import { expect, it } from 'vitest';
import { isWithin, parseIp, parseRange, showIp } from '../../src/domain/ip-address.ts';
import { countersOf, networkOf } from '../../src/domain/network.ts';
import { clientIp } from '../../src/entry/client-ip.ts';
import { drawAddress, inventHeader, spell, writeHop } from './forwarded.ts';
import { chaosSeed, createRandom, reportGoal, sizeOf } from './random.ts';

// `npm test` runs the short form, with fewer headers; `npm run test:chaos` runs the long form.
const runs = sizeOf(5_000, 1_000_000);
const proxies = ['10.0.0.0/8'];

it('the address is the one that the proxy wrote, or the proxy’s own', () => {
  const random = createRandom(chaosSeed);
  const wrong: string[] = [];
  let read = 0;
  for (let i = 0; i < runs; i += 1) {
    const address = drawAddress(random);
    const hop = writeHop(spell(address, random), random);
    const more = random.chance(0.3) ? ', 10.0.0.9' : '';
    const invented = inventHeader(random);
    const isForwarded = random.chance(0.5);
    // RFC 7239 requires quotes around brackets and ports, and proxies that write Forwarded obey that.
    const written = isForwarded && !hop.startsWith('"') && /[[:]/.test(hop) ? `"${hop}"` : hop;
    const pair = isForwarded ? `${random.pick(['for', 'For', 'FOR'])}=${written}${random.pick(['', ';proto=https', ';by=10.0.0.1;host="a,b"'])}` : written;
    const tail = isForwarded ? more.replace('10.0.0.9', 'for=10.0.0.9') : more;
    const header = `${invented}${random.chance(0.9) ? ', ' : ','}${pair}${tail}`;
    const seen = isForwarded ? clientIp('10.0.0.2', undefined, proxies, header) : clientIp('10.0.0.2', header, proxies);
    if (seen === showIp(address)) read += 1;
    // A quote that the caller leaves open makes a Forwarded header unreadable as a whole.
    else if (!isForwarded || !/["\\]/.test(invented) || seen !== '10.0.0.2')
      wrong.push(`${isForwarded ? 'Forwarded' : 'X-Forwarded-For'}: ${header} → ${seen}`);
  }
  expect(wrong.slice(0, 5), `seed ${chaosSeed}`).toEqual([]);
  expect(read).toBeGreaterThan(runs * 0.7);
  reportGoal('G5', `${runs} forwarding headers: 0 callers taken for another`);
});

it('left of a hop that a proxy could not name, everything is the caller’s own invention', () => {
  const random = createRandom(chaosSeed + 4);
  for (let i = 0; i < runs / 10; i += 1) {
    const hop = random.pick([
      'unknown',
      '_hidden',
      '_SEVKISEK',
      'nonsense',
      '1.2.3',
      '0x0a.0.0.1',
      '010.0.0.1',
      '10.0.0.256',
      '[::1',
      '',
      '10.0.0.9:port',
      '10.0.0.9, unknown',
    ]);
    const invented = random.pick([showIp(drawAddress(random)), inventHeader(random), '10.0.0.1']);
    const isForwarded = random.chance(0.5);
    const seen = isForwarded
      ? clientIp(
          '10.0.0.2',
          undefined,
          proxies,
          `for="${invented.replaceAll(/["\\\\]/g, '')}", ${hop
            .split(', ')
            .map((one) => `for="${one}"`)
            .join(', ')}`,
        )
      : clientIp('10.0.0.2', `${invented}, ${hop}`, proxies);
    expect([invented, hop, seen], `seed ${chaosSeed}`).toEqual([invented, hop, '10.0.0.2']);
  }
});

it('a network is one for all spellings of its addresses, and every caller is counted at most twice', () => {
  const random = createRandom(chaosSeed + 1);
  for (let i = 0; i < runs / 10; i += 1) {
    const address = drawAddress(random);
    const network = networkOf(showIp(address));
    const neighbour = address.version === 6 ? { ...address, value: ((address.value >> 64n) << 64n) | BigInt(`0x${random.hex(16)}`) } : address;
    for (const text of [spell(address, random), spell(neighbour, random)]) expect([text, networkOf(text)], `seed ${chaosSeed}`).toEqual([text, network]);
    const counters = countersOf(network, 10);
    expect(counters.map(({ most }) => most)).toEqual(address.version === 4 ? [10] : [10, 160]);
  }
});

it('a header that the caller sends in addition to the proxy’s does not make it count as another caller', () => {
  const random = createRandom(chaosSeed + 2);
  for (let i = 0; i < runs / 10; i += 1) {
    const [address, other] = [drawAddress(random), drawAddress(random)];
    const [xff, forwarded] = [spell(address, random), `for="${address.version === 6 ? `[${showIp(address)}]` : showIp(address)}"`];
    const lie = random.chance(0.5) ? showIp(other) : inventHeader(random);
    const seen = random.chance(0.5) ? clientIp('10.0.0.2', xff, proxies, `for="${lie}"`) : clientIp('10.0.0.2', lie, proxies, forwarded);
    // If both headers are present, they must name the same caller, or neither is believed.
    expect([lie, [showIp(address), '10.0.0.2'].includes(seen ?? '')], `seed ${chaosSeed}`).toEqual([lie, true]);
  }
});

it('a range of proxies is what Node says it is, and nothing else is one', () => {
  const random = createRandom(chaosSeed + 3);
  for (let i = 0; i < runs / 10; i += 1) {
    const address = drawAddress(random);
    const most = address.version === 4 ? 32 : 128;
    const bits = random.pick([random.below(most + 1), random.below(most + 1), most, 0, most + 1, 999, -1]);
    const plain = showIp(address);
    const written = random.pick([plain, plain, plain, `${plain}.`, `0${plain}`, `[${plain}]`, `${plain}:80`, ` ${plain}`, 'localhost', '*', '']);
    const prefix = random.pick([`/${bits}`, `/${bits}`, `/${bits}`, '', '/255.255.0.0', '/', `/${bits}/8`, `/+${bits}`, `/0x8`, `-${plain}`]);
    const range = parseRange(written + prefix);
    const isOne = isIP(written) !== 0 && (prefix === '' || (prefix === `/${bits}` && bits >= 0 && bits <= most));
    expect([written + prefix, range !== undefined], `seed ${chaosSeed}`).toEqual([written + prefix, isOne]);
    if (!range) continue;
    const list = new BlockList();
    const family = address.version === 4 ? 'ipv4' : 'ipv6';
    if (prefix === '') list.addAddress(plain, family);
    else list.addSubnet(plain, bits, family);
    const near = { ...address, value: address.value ^ (1n << BigInt(random.below(most))) };
    // Node counts all of IPv4 as part of ::/0; we do not.
    for (const one of [address, near, drawAddress(random)].filter(({ version }) => version === address.version)) {
      const ip = parseIp(showIp(one));
      expect([written + prefix, showIp(one), ip && isWithin(ip, range)]).toEqual([
        written + prefix,
        showIp(one),
        list.check(showIp(one), one.version === 4 ? 'ipv4' : 'ipv6'),
      ]);
    }
  }
});
