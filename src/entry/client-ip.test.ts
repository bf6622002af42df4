import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientIp } from './client-ip.ts';

const proxies = ['10.0.0.0/8'];
const through = (xForwardedFor: string | undefined, forwarded?: string): string | undefined => clientIp('10.0.0.2', xForwardedFor, proxies, forwarded);

it('believes X-Forwarded-For only from trusted proxies, from the right', () => {
  expect(clientIp('203.0.113.9', '1.2.3.4', [])).toBe('203.0.113.9');
  expect(clientIp('10.0.0.2', '1.2.3.4', ['10.0.0.0/8'])).toBe('1.2.3.4');
  expect(clientIp('10.0.0.2', '6.6.6.6, 1.2.3.4, 10.0.0.3', ['10.0.0.0/8'])).toBe('1.2.3.4');
  expect(clientIp('::ffff:10.0.0.2', '2001:db8::7', ['10.0.0.2'])).toBe('2001:db8::7');
  expect(clientIp('10.0.0.2', 'nonsense', ['10.0.0.0/8'])).toBe('10.0.0.2');
  expect(clientIp(undefined, undefined, [])).toBeUndefined();
  expect(clientIp('/run/gateway.sock', '1.2.3.4', ['0.0.0.0/0'])).toBeUndefined();
});

/** The forms in which a proxy may write one client, and the address that each means. */
const forms: [written: string, ip: string][] = [
  ['203.0.113.7', '203.0.113.7'],
  ['203.0.113.7:51008', '203.0.113.7'],
  [' 203.0.113.7 ', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['[::ffff:203.0.113.7]:443', '203.0.113.7'],
  ['2001:db8::7', '2001:db8::7'],
  ['2001:DB8:0:0::7', '2001:db8::7'],
  ['[2001:db8::7]', '2001:db8::7'],
  ['[2001:db8::7]:51008', '2001:db8::7'],
  ['"203.0.113.7:51008"', '203.0.113.7'],
  ['"[2001:db8::7]:51008"', '2001:db8::7'],
  ['"203.0.113.7:_port1"', '203.0.113.7'],
];
const unreadable = [
  'unknown',
  'UNKNOWN',
  '_hidden',
  '_x:80',
  '',
  'unix:',
  '-',
  '(null)',
  'client.example',
  '203.0.113',
  '203.0.113.7:',
  '010.1.1.1',
  '2130706433',
  '0x7f.0.0.1',
  '[203.0.113.7',
  '203.0.113.7 8.8.8.8',
];

describe('X-Forwarded-For', () => {
  it.each(forms)('%s', (written, ip) => {
    expect(through(written)).toBe(ip);
    expect(through(`8.8.8.8, ${written}`)).toBe(ip);
    expect(through(`8.8.8.8,${written},10.0.0.9`)).toBe(ip);
  });
  it.each(unreadable)('"%s" ends the walk: what is left of it is not believed', (hop) => {
    expect(through(`8.8.8.8, ${hop}`)).toBe('10.0.0.2');
    expect(through(`8.8.8.8, ${hop}, 10.0.0.9:8080`)).toBe('10.0.0.9');
  });
});

describe('Forwarded', () => {
  it.each(forms)('for=%s', (written, ip) => {
    expect(through(undefined, `for=${written}`)).toBe(ip);
    expect(through(undefined, `for=8.8.8.8;proto=http, By=10.0.0.1; FOR = ${written} ;proto=https;host="a,b;for=9.9.9.9"`)).toBe(ip);
  });
  it.each([...unreadable, '"unknown"', '"_a, for=8.8.8.8"'])('for=%s ends the walk', (hop) => {
    expect(through(undefined, `for=8.8.8.8, for=${hop}`)).toBe('10.0.0.2');
  });
  it.each([
    ['no for', 'for=8.8.8.8, proto=https'],
    ['two of them', 'for=8.8.8.8, for=9.9.9.9;for=7.7.7.7'],
    ['a quote of the client that takes in what the proxy wrote', 'for=8.8.8.8;x=", for=203.0.113.7'],
    ['the same before a proxy that quotes', 'for=8.8.8.8;x=", for="[2001:db8::7]"'],
    ['an escape at the end', 'for=8.8.8.8;x="\\, for="[2001:db8::7]:1", for="10.0.0.9"'],
  ])('%s: the caller is the proxy', (_name, header) => {
    expect(through(undefined, header)).toBe('10.0.0.2');
  });
  it('next to X-Forwarded-For: if the two differ, the caller invented one', () => {
    expect(through('203.0.113.7', 'for="203.0.113.7:80"')).toBe('203.0.113.7');
    expect(through('203.0.113.7', 'for=8.8.8.8')).toBe('10.0.0.2');
    expect(through('8.8.8.8', 'for=203.0.113.7')).toBe('10.0.0.2');
  });
});

it('no header that a client sends gives it another address', () => {
  const client = '203.0.113.7';
  const scrap = fc.constantFrom('8.8.8.8', 'for=', '"', '\\', ',', ';', ' ', '[', ']', ':', '10.0.0.9', '_x', 'unknown', 'for=8.8.8.8', '\\"');
  const sent = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.array(scrap, { maxLength: 12 }).map((parts) => parts.join('')),
  );
  const written = fc.constantFrom(...forms.slice(0, 3).map(([form]) => form));
  fc.assert(
    fc.property(sent, written, fc.boolean(), (invention, hop, isForwarded) => {
      const seen = isForwarded ? through(undefined, `${invention}, for="${hop.trim()}"`) : through(`${invention}, ${hop}`);
      expect([client, '10.0.0.2']).toContain(seen);
    }),
    { numRuns: 3000 },
  );
});

it('reads the longest header there can be in no time', () => {
  const started = performance.now();
  for (const part of [',', '"', '\\', ';', 'for=,', '10.0.0.1,', 'for=10.0.0.1,']) {
    const header = part.repeat(16_384 / part.length);
    through(header, header);
  }
  expect(performance.now() - started).toBeLessThan(1000);
});
