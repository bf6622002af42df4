import { expect, it } from 'vitest';
import { clientIp } from './client-ip.ts';

it('believes X-Forwarded-For only from trusted proxies, from the right', () => {
  expect(clientIp('203.0.113.9', '1.2.3.4', [])).toBe('203.0.113.9');
  expect(clientIp('10.0.0.2', '1.2.3.4', ['10.0.0.0/8'])).toBe('1.2.3.4');
  expect(clientIp('10.0.0.2', '6.6.6.6, 1.2.3.4, 10.0.0.3', ['10.0.0.0/8'])).toBe('1.2.3.4');
  expect(clientIp('::ffff:10.0.0.2', '2001:db8::7', ['10.0.0.2'])).toBe('2001:db8::7');
  expect(clientIp('10.0.0.2', 'nonsense', ['10.0.0.0/8'])).toBe('10.0.0.2');
  expect(clientIp(undefined, undefined, [])).toBeUndefined();
});
