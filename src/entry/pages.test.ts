import { expect, it } from 'vitest';
import { Problem } from '../gateway/problem.ts';
import { createPages } from './pages.ts';

type Given = Parameters<typeof createPages>[0];
const app = (return_to: string[]) => ({ key_hashes: [], publishable_keys: [], cors_origins: [], return_to, allow: [] });
const asked = (
  path: string,
  { mode = 'sandbox', pages = {}, apps = {} }: { mode?: Given['mode']; pages?: Partial<Given['pages']>; apps?: Given['apps'] } = {},
) => createPages({ mode, pages: { frame_ancestors: [], ...pages }, apps })(new Request(`https://gateway.example${path}`));

it('serves /buy in the sandbox, and in live mode only when it is told to', () => {
  const answers = [
    asked('/buy'),
    asked('/buy', { pages: { buy: false } }),
    asked('/buy', { mode: 'live' }),
    asked('/buy', { mode: 'live', pages: { buy: true } }),
  ];
  expect(answers.map((page) => page?.file)).toEqual(['buy.html', undefined, undefined, 'buy.html']);
});

it('lets only listed origins frame /buy, and no script of others run in it', () => {
  const policy = (frame_ancestors: string[]) => asked('/buy', { pages: { frame_ancestors } })?.headers['content-security-policy'] ?? '';
  expect(policy([])).toContain("frame-ancestors 'none'");
  expect(policy(['https://wallet.example/', 'http://127.0.0.1:3000'])).toContain('frame-ancestors https://wallet.example http://127.0.0.1:3000;');
  expect(policy([])).toMatch(/default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'/);
  expect(policy([])).not.toContain('unsafe');
});

it('lets /docs alone write styles into the page, and no page run scripts from elsewhere or by eval', () => {
  const policyOf = (path: string): string => asked(path)?.headers['content-security-policy'] ?? '';
  expect(policyOf('/docs')).toMatch(
    /^default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none';/,
  );
  expect(['/docs/errors', '/docs/wallet', '/buy'].filter((path) => /unsafe|^$/.test(policyOf(path)))).toEqual([]);
});

it.each<[returnTo: string, isServed: boolean]>([
  ['mywallet://bought', true],
  ['mywallet://bought?for=7#top', true],
  ['https://shop.example/done?x=1', true],
  ['https://shop.example/done/else', false],
  ['https://shop.example.evil.example/done', false],
  ['https://evil.example/?https://shop.example/done', false],
  ['https://shop.example@evil.example/done', false],
  ['mywallet://other', false],
  ['intent://bought?for=7#Intent;scheme=mywallet;end', true],
  ['intent://bought#Intent;scheme=other;S.browser_fallback_url=https%3A%2F%2Fevil.example;end', false],
  ['intent://bought', false],
  ['javascript:alert(1)', false],
  ['', false],
])('return_to %s: served %s', (returnTo, isServed) => {
  const apps = { wallet: app(['mywallet://bought', 'intent://bought#Intent;scheme=mywallet;end']), shop: app(['https://shop.example/done']) };
  const ask = () => {
    try {
      return asked(`/buy?return_to=${encodeURIComponent(returnTo)}`, { apps })?.file;
    } catch (error) {
      return error instanceof Problem ? error.code : error;
    }
  };
  expect(ask()).toBe(isServed ? 'buy.html' : 'invalid-request');
});

it('serves what a page loads under names that change with it, and nothing else there', () => {
  expect(asked('/assets/buy-0123456789ab.js')).toMatchObject({
    file: 'buy-0123456789ab.js',
    headers: { 'cache-control': expect.stringContaining('immutable') as string },
  });
  const others = ['/assets/buy.js', '/assets/%2e%2e%2fbuy-0123456789ab.js', '/assets/buy-0123456789ab.json', '/assets/', '/buy/'];
  expect(others.map((path) => asked(path)?.file)).toEqual(others.map(() => undefined));
});

it('serves the console, which nobody may frame and no text can make run a script, in any mode', () => {
  const pages = [asked('/console'), asked('/console', { mode: 'live' })];
  expect(pages.map((page) => page?.file)).toEqual(['console.html', 'console.html']);
  expect(['/consoles', '/console/', '/console/<script>'].map((path) => asked(path))).toEqual([undefined, undefined, undefined]);
  expect(pages[0]?.headers).toMatchObject({
    'content-security-policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html",
    'cross-origin-opener-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  });
});
