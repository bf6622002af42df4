/** Serves the files that `npm run build:pages` makes in dist/site, with the same paths and headers on both runtimes. */
import type { GatewayConfig } from '../config/providers-config.ts';
import { Problem } from '../gateway/problem.ts';

export type Page = {
  file: string;
  headers: Readonly<Record<string, string>>;
  /**
   * Whether the file is stored compressed with gzip. It is then sent compressed to every client, whatever the client accepts: unpacking so large a
   * file for each request would be too much work.
   */
  isPacked?: true;
};

/**
 * Returns the Content-Security-Policy of a page. The page may load scripts, styles and data only from its own host, and images only from data: URLs.
 * Only `frameAncestors` may frame it.
 */
const policy = (frameAncestors: string, style: string, ...more: string[]): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src ${style}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${frameAncestors}`,
    ...more,
  ].join('; ');

const html = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-cache',
  'content-security-policy': policy("'none'", "'self'"),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  vary: 'accept-encoding',
};
// Scalar, which draws the contract, writes styles into the page, so they are allowed (docs/decisions/2026-11-29-scalar-draws-the-contract.md).
const reference: Page = { file: 'reference.html', headers: { ...html, 'content-security-policy': policy("'none'", "'self' 'unsafe-inline'") } };
const json = { 'content-type': 'application/json', 'cache-control': 'public, max-age=300', vary: 'accept-encoding' };
const docs: ReadonlyMap<string, Page> = new Map([
  ['/docs', reference],
  ['/docs/', reference],
  ['/docs/errors', { file: 'errors.html', headers: html }],
  ['/openapi.json', { file: 'openapi.json', headers: json }],
]);

/** Returns the page of a guide. For a name that no guide has, the page's file does not exist. */
const guideOf = (path: string): Page | undefined => {
  const [, name] = /^\/docs\/([a-z-]{1,30})$/.exec(path) ?? [];
  return name === undefined ? undefined : { file: `guide-${name}.html`, headers: html };
};

/** Assets are named `name-hash.type`, so a name changes with the content. */
const hashed = /^\/assets\/([a-z-]+-[\da-f]{12}\.(js|css))$/;
const types: Readonly<Record<string, string>> = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8' };
const assetOf = (path: string): Page | undefined => {
  const [, file, type = ''] = hashed.exec(path) ?? [];
  return file === undefined
    ? undefined
    : {
        ...(/^scalar-.*\.js$/.test(file) ? { file: `${file}.gz`, isPacked: true } : { file }),
        headers: {
          'content-type': types[type] ?? '',
          'cache-control': 'public, max-age=31536000, immutable',
          'x-content-type-options': 'nosniff',
          vary: 'accept-encoding',
        },
      };
};

const buyPage = (frameAncestors: readonly string[]): Page => ({
  file: 'buy.html',
  headers: {
    ...html,
    'content-security-policy': policy(
      frameAncestors.length > 0 ? frameAncestors.join(' ') : "'none'",
      "'self'",
      "require-trusted-types-for 'script'",
      'trusted-types lit-html',
    ),
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=()',
  },
});

/**
 * The operator's console. The part of the address behind # says which screen is open, and browsers do not send that part to the gateway. Nothing may
 * frame the console, no other page keeps a handle on its window, and no text becomes a script.
 */
const consolePage: Page = {
  file: 'console.html',
  headers: {
    ...html,
    'content-security-policy': policy("'none'", "'self'", "require-trusted-types-for 'script'", 'trusted-types lit-html'),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  },
};
export type PageOf = (request: Request) => Page | undefined;
/** Returns a function that finds the page for a request. For /buy, the function throws a Problem if the request's return_to is not listed. */
export const createPages = ({ mode, pages, apps }: Pick<GatewayConfig, 'mode' | 'pages' | 'apps'>): PageOf => {
  const buy = buyPage(pages.frame_ancestors.map((url) => new URL(url).origin));
  const servesBuy = pages.buy ?? mode === 'sandbox';
  const mayReturnTo = new Set(Object.values(apps).flatMap((app) => app.return_to.map(placeOf)));
  return (request) => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/console') return consolePage;
    if (!servesBuy || pathname !== '/buy') return docs.get(pathname) ?? guideOf(pathname) ?? assetOf(pathname);
    const returnTo = searchParams.get('return_to');
    if (returnTo !== null && !(URL.canParse(returnTo) && mayReturnTo.has(placeOf(returnTo))))
      throw new Problem('invalid-request', 'return_to is not listed for any app: the operator of this gateway has to list it under return_to.');
    return buy;
  };
};

/**
 * Returns a URL without query and fragment, which an app may choose freely. The fragment of an `intent:` URL stays: it names the app or page that
 * Android opens.
 */
const placeOf = (url: string): string => {
  const place = new URL(url);
  place.search = '';
  if (place.protocol !== 'intent:') place.hash = '';
  return place.href;
};

export const acceptsGzip = (request: Request): boolean =>
  /(?:^|,)\s*gzip\s*(?:,|$|;\s*q=(?!0(?:\.0*)?\s*(?:,|$)))/i.test(request.headers.get('accept-encoding') ?? '');

/** Returns a 304 (RFC 9110 15.4.5): only the headers that a cache needs, and none about the absent body. */
export const unchanged = ({ headers }: Page, etag: string): Response =>
  new Response(null, { status: 304, headers: { 'cache-control': headers['cache-control'] ?? 'no-cache', etag } });
