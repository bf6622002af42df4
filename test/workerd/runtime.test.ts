import { expect, it } from 'vitest';

it('runs inside workerd, not in a Node process that resembles it', () => {
  expect(navigator.userAgent).toBe('Cloudflare-Workers');
});
