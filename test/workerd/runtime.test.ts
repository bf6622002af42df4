import { expect, it } from 'vitest';

it('runs inside workerd, not in a Node process that resembles it', async () => {
  expect(navigator.userAgent).toBe('Cloudflare-Workers');
  await expect(WebAssembly.compile(new Uint8Array())).rejects.toThrow('disallowed by embedder');
});
