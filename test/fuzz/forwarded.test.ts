/** G5, callers: nothing that a caller writes makes it somebody else, and no spelling of an address makes it two. */
import { expect, it } from 'vitest';
import { showIp } from '../../src/domain/ip-address.ts';
import { countersOf, networkOf } from '../../src/domain/network.ts';
import { clientIp } from '../../src/entry/client-ip.ts';
import { drawAddress, inventHeader, spell, writeHop } from './forwarded.ts';
import { chaosSeed, createRandom, reportGoal, sizeOf } from './random.ts';

const runs = sizeOf(20_000, 1_000_000);
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
    // RFC 7239 wants quotes round brackets and ports; proxies that write Forwarded know that.
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
