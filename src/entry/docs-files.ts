import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const pages = new Map([
  ['/docs', 'index.html'],
  ['/docs/', 'index.html'],
  ['/docs/errors', 'errors.html'],
]);

/** The documentation, from files of this project: it reaches no other host. */
export const docsFrom =
  (folder: string) =>
  async (path: string): Promise<Response | undefined> => {
    const file = pages.get(path);
    if (file === undefined) return undefined;
    try {
      const html = await readFile(join(folder, file), 'utf8');
      return new Response(html, {
        headers: {
          'content-type': 'text/html; charset=utf-8',
          'cache-control': 'public, max-age=300',
          'content-security-policy': "default-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'",
          'x-content-type-options': 'nosniff',
        },
      });
    } catch {
      return undefined;
    }
  };
