import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip as gzipCallback } from 'node:zlib';
import { unchanged, type PageOf } from './pages.ts';

const gzip = promisify(gzipCallback);
type Variant = { body: Buffer<ArrayBuffer>; etag: string };
type File = { plain: Variant; packed: Variant };

/**
 * Serves the pages from a folder. Each file is read once, so a new build is served only by a new process. A request for a name that the folder does
 * not have stores nothing.
 */
export const pagesFrom = (folder: string, pageOf: PageOf) => {
  const files = new Map<string, Promise<File>>();
  let listed: Promise<ReadonlySet<string>> | undefined;
  const names = async (): Promise<ReadonlySet<string>> => {
    listed ??= readdir(folder).then((all) => new Set(all));
    try {
      return await listed;
    } catch {
      listed = undefined;
      return new Set();
    }
  };
  const read = async (file: string): Promise<File> => {
    const body = await readFile(join(folder, file));
    const hash = createHash('sha256').update(body).digest('base64url').slice(0, 22);
    return { plain: { body, etag: `"${hash}"` }, packed: { body: await gzip(body), etag: `"${hash}-gzip"` } };
  };
  return async (request: Request): Promise<Response | undefined> => {
    const page = pageOf(request);
    if (!page) return undefined;
    const all = await names();
    const name = all.has(page.file) ? page.file : siblingOf(page.file, all);
    if (name === undefined) return undefined;
    let file = files.get(name);
    if (!file) {
      file = read(name);
      files.set(name, file);
      // A file that cannot be read now may be readable later.
      file.catch(() => files.delete(name));
    }
    const { plain, packed } = await file;
    const { body, etag } = acceptsGzip(request) ? packed : plain;
    const headers = new Headers({ ...page.headers, etag });
    if (body === packed.body) headers.set('content-encoding', 'gzip');
    if (name !== page.file) headers.set('cache-control', 'no-store');
    return isKnown(request, etag) ? unchanged(page, etag) : new Response(body, { headers });
  };
};

/**
 * Returns the file that takes the place of `file` in this build, if there is one. While instances are upgraded one after the other, a page of one
 * release may ask an instance of another for its script. That instance's own script is better than none, but must not be stored under that name.
 */
const siblingOf = (file: string, all: ReadonlySet<string>): string | undefined => {
  const [, stem, type] = /^([a-z-]+)-[\da-f]{12}\.(js|css)$/.exec(file) ?? [];
  return stem === undefined ? undefined : [...all].find((name) => name.startsWith(`${stem}-`) && name.endsWith(`.${type}`) && name.length === file.length);
};

const acceptsGzip = (request: Request): boolean =>
  /(?:^|,)\s*gzip\s*(?:,|$|;\s*q=(?!0(?:\.0*)?\s*(?:,|$)))/i.test(request.headers.get('accept-encoding') ?? '');

/** Returns whether the client's If-None-Match names this ETag (RFC 9110 13.1.2): weak comparison, `*` for any. */
const isKnown = (request: Request, etag: string): boolean =>
  (request.headers.get('if-none-match') ?? '').split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag);
