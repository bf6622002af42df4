/** What GET /docs serves, the same files and headers on both runtimes. */
export const docsPages: ReadonlyMap<string, string> = new Map([
  ['/docs', 'index.html'],
  ['/docs/', 'index.html'],
  ['/docs/errors', 'errors.html'],
]);

/** The pages reach no other host. */
export const docsHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'public, max-age=300',
  'content-security-policy': "default-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'",
  'x-content-type-options': 'nosniff',
};
