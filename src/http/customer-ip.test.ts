import { expect, it } from 'vitest';
import { isCustomers } from './customer-ip.ts';

it.each([
  '10.1.2.3',
  '127.0.0.1',
  '0.0.0.0',
  '100.64.0.1',
  '100.127.255.255',
  '169.254.1.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '192.0.2.1',
  '192.88.99.1',
  '203.0.113.7',
])('%s is a proxy of ours in live mode, and may be a customer in the sandbox', (ip) => {
  expect([isCustomers(ip, 'live'), isCustomers(ip, 'sandbox')]).toEqual([false, true]);
});

it.each(['8.8.8.8', '100.63.255.255', '100.128.0.1', '172.15.0.1', '172.32.0.1', '192.167.1.1', '198.17.0.1', '223.255.255.255'])(
  "%s may be a customer's",
  (ip) => {
    expect(isCustomers(ip, 'live')).toBe(true);
  },
);

it.each(['', '2001:db8::1', '1.2.3', '1.2.3.4.5', '256.1.1.1', '1.2.3.4 '])('"%s" is not an IPv4 address', (ip) => {
  expect(isCustomers(ip, 'sandbox')).toBe(false);
});
