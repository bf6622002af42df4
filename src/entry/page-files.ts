import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unchanged, type PageOf } from './pages.ts';

/** Serves the pages from a folder. Each file is read once, so a new build is served only by a new process. */
export const pagesFrom = (folder: string, pageOf: PageOf) => {
  const files = new Map<string, Promise<{ body: Buffer<ArrayBuffer>; etag: string } | undefined>>();
  const read = async (file: string) => {
    try {
      const body = await readFile(join(folder, file));
      return { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
    } catch {
      return undefined;
    }
  };
  return async (request: Request): Promise<Response | undefined> => {
    const page = pageOf(request);
    if (!page) return undefined;
    if (!files.has(page.file)) files.set(page.file, read(page.file));
    const found = await files.get(page.file);
    if (!found) return undefined;
    return isKnown(request, found.etag) ? unchanged(page, found.etag) : new Response(found.body, { headers: { ...page.headers, etag: found.etag } });
  };
};

/** Returns whether the client's If-None-Match names this ETag (RFC 9110 13.1.2): weak comparison, `*` for any. */
const isKnown = (request: Request, etag: string): boolean =>
  (request.headers.get('if-none-match') ?? '').split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag);
