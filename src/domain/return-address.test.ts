import { expect, it } from 'vitest';
import { mayReturnTo } from './return-address.ts';

it.each(['https://shop.example/done', 'mywallet://bought', 'mywallet:bought', 'intent://bought#Intent;scheme=mywallet;end', 'JAVASCRIPTS://x', 'lightning:x'])(
  'a customer may return to %s',
  (address) => {
    expect(mayReturnTo(address)).toBe(true);
  },
);

it.each([
  'javascript:alert(1)//',
  'JavaScript://bought/%0aalert(1)',
  ' javascript:alert(1)',
  '\u0001javascript:alert(1)',
  'java\tscript:alert(1)',
  'java\r\nscript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:x',
  'blob:https://shop.example/1',
  'file:///etc/passwd',
  '/done',
  '',
])('a customer may not return to %j', (address) => {
  expect(mayReturnTo(address)).toBe(false);
});
