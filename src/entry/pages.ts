/** What is served from files: made by `npm run build:pages` into dist/site, the same paths, files and headers on both runtimes. */
export type Page = { file: string; headers: Readonly<Record<string, string>> };

/** The pages reach no other host. */
const html = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-cache',
  'content-security-policy': "default-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'",
  'x-content-type-options': 'nosniff',
};
const json = { 'content-type': 'application/json', 'cache-control': 'public, max-age=300' };

const pages: ReadonlyMap<string, Page> = new Map([
  ['/docs', { file: 'index.html', headers: html }],
  ['/docs/', { file: 'index.html', headers: html }],
  ['/docs/errors', { file: 'errors.html', headers: html }],
  ['/openapi.json', { file: 'openapi.json', headers: json }],
]);

/** RFC 9110 15.4.5: what a cache needs, and nothing about a body that does not come. */
export const unchanged = ({ headers }: Page, etag: string): Response =>
  new Response(null, { status: 304, headers: { 'cache-control': headers['cache-control'] ?? 'no-cache', etag } });

export const pageOf = (request: Request): Page | undefined => pages.get(new URL(request.url).pathname);
