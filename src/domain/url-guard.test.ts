import { expect, it } from 'vitest';
import { isPublicAddress } from './public-address.ts';
import { checkPublicUrl } from './url-guard.ts';

const rules = { sandbox: false, allowedPorts: [443], ownHosts: ['gateway.example.com'] };

it.each([
  'http://wallet.example.com/',
  'ftp://wallet.example.com/',
  'https://127.0.0.1/',
  'https://0x7f.1/',
  'https://2130706433/',
  'https://017700000001/',
  'https://127.1/',
  'https://①②⑦.⓪.⓪.①/',
  'https://[::1]/',
  'https://[::ffff:7f00:1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[64:ff9b::7f00:1]/',
  'https://[2002:7f00:1::]/',
  'https://[2002:a00:1::]/',
  'https://[fec0::1]/',
  'https://[fe80::1]/',
  'https://[fc00::1]/',
  'https://[fd12:3456::1]/',
  'https://[::]/',
  'https://[ff02::1]/',
  'https://[2001:db8::1]/',
  'https://[100::1]/',
  'https://10.0.0.1/',
  'https://172.16.0.1/',
  'https://172.31.255.255/',
  'https://192.168.1.1/',
  'https://100.64.0.1/',
  'https://169.254.169.254/',
  'https://198.18.0.1/',
  'https://198.19.255.255/',
  'https://192.0.2.1/',
  'https://203.0.113.9/',
  'https://0.0.0.0/',
  'https://224.0.0.1/',
  'https://255.255.255.255/',
  'https://240.0.0.1/',
  'https://localhost/',
  'https://localhost./',
  'https://localhost../',
  'https://db.internal../',
  'https://gateway.example.com../x',
  'https://ramp.payments.svc/',
  'https://168.63.129.16/',
  'https://[::ffff:168.63.129.16]/',
  'https://a.localhost/',
  'https://printer.local/',
  'https://db.internal/',
  'https://intranet/',
  'https://router.lan/',
  'https://wallet.example.com:22/',
  'https://wallet.example.com:8443/',
  'https://user@wallet.example.com/',
  'https://u:p@wallet.example.com/',
  'https://gateway.example.com/x',
  'https://GATEWAY.example.com./x',
  'https://wallet.example.com/#x',
  `https://wallet.example.com/${'a'.repeat(2048)}`,
  'not a url',
  'https://',
  'javascript:alert(1)',
  'https://192.88.99.1/',
])('refuses %s', (url) => {
  expect(checkPublicUrl(url, rules)).toMatchObject({ ok: false });
});

it.each([
  'https://api.wallet.example.com/ramp/u_7Qm2x9',
  'https://wallet.example.com:443/x?y=1',
  'https://wallet.example.com../x',
  'https://svc.example.com/x',
  'https://168.63.129.17/x',
  'https://93.184.215.14/x',
  'https://[2606:2800:220:1:248:1893:25c8:1946]/',
])('takes %s', (url) => {
  expect(checkPublicUrl(url, rules)).toMatchObject({ ok: true });
});

it('accepts loopback in sandbox mode, and nothing else that is private', () => {
  const sandbox = { ...rules, sandbox: true };
  expect(checkPublicUrl('http://127.0.0.1:4000/hook', sandbox)).toEqual({ ok: true, host: '127.0.0.1:4000' });
  expect(checkPublicUrl('http://localhost:4000/hook', sandbox)).toMatchObject({ ok: true });
  expect(checkPublicUrl('http://10.0.0.1/hook', sandbox)).toMatchObject({ ok: false });
  expect(checkPublicUrl('http://wallet.example.com/', sandbox)).toMatchObject({ ok: false });
});

it('knows public addresses', () => {
  expect(['8.8.8.8', '127.0.0.1', '::1', 'nonsense', '2a00:1450::1'].map(isPublicAddress)).toEqual([true, false, false, false, true]);
});
