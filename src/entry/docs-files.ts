import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { docsHeaders, docsPages } from './docs-pages.ts';

/** Serves the documentation from files of this project. */
export const docsFrom =
  (folder: string) =>
  async (path: string): Promise<Response | undefined> => {
    const file = docsPages.get(path);
    if (file === undefined) return undefined;
    try {
      return new Response(await readFile(join(folder, file), 'utf8'), { headers: docsHeaders });
    } catch {
      return undefined;
    }
  };
