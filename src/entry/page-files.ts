import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip as gzipCallback } from 'node:zlib';
import { acceptsGzip, unchanged, type Page, type PageOf } from './pages.ts';

const gzip = promisify(gzipCallback);
type Variant = { body: Buffer; etag: string };
type File = { plain?: Variant; packed: Variant };

/**
 * Serves the pages from a folder. Each file is read once, so only a new process serves a new build. A request for a file that the folder does not
 * have leaves nothing in memory.
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
  const read = async (file: string, { isPacked }: Page): Promise<File> => {
    const body = await readFile(join(folder, file));
    const hash = createHash('sha256').update(body).digest('base64url').slice(0, 22);
    const [etag, packedEtag] = [`"${hash}"`, `"${hash}-gzip"`];
    return isPacked ? { packed: { body, etag: packedEtag } } : { plain: { body, etag }, packed: { body: await gzip(body), etag: packedEtag } };
  };
  return async (request: Request): Promise<Response | undefined> => {
    const page = pageOf(request);
    if (!page) return undefined;
    const all = await names();
    const name = all.has(page.file) ? page.file : siblingOf(page.file, all);
    if (name === undefined) return undefined;
    let file = files.get(name);
    if (!file) {
      file = read(name, page);
      files.set(name, file);
      // A file that cannot be read now may be readable later.
      file.catch(() => files.delete(name));
    }
    const { plain, packed } = await file;
    const sent = plain && !acceptsGzip(request) ? plain : packed;
    const { body, etag } = sent;
    const headers = new Headers({ ...page.headers, etag });
    if (sent === packed) headers.set('content-encoding', 'gzip');
    if (name !== page.file) headers.set('cache-control', 'no-store');
    return isKnown(request, etag) ? unchanged(page, etag) : new Response(streamOf(body), { headers });
  };
};

/** Streams a body that all answers share: `new Response(body)` would copy it, and keep the copy for as long as the client takes to read it. */
const streamOf = (body: Buffer): ReadableStream =>
  new ReadableStream({
    start: (controller) => {
      controller.enqueue(body);
      controller.close();
    },
  });

/**
 * Returns the file that takes the place of `file` in this build, if there is one. While instances are upgraded one after the other, a page from one
 * release may request its script from an instance of another release. That instance's own script is better than none, but must not be cached under
 * the name that was requested.
 */
const siblingOf = (file: string, all: ReadonlySet<string>): string | undefined => {
  const [, stem, type] = /^([a-z-]+)-[\da-f]{12}\.(js|css|js\.gz)$/.exec(file) ?? [];
  return stem === undefined ? undefined : [...all].find((name) => name.startsWith(`${stem}-`) && name.endsWith(`.${type}`) && name.length === file.length);
};

/** Returns whether the client's If-None-Match names this ETag (RFC 9110 13.1.2): weak comparison, `*` for any. */
const isKnown = (request: Request, etag: string): boolean =>
  (request.headers.get('if-none-match') ?? '').split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag);
