/** Reads a provider's fixtures: requests and their responses, each a file of the folder __fixtures__ beside the test. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

/** `test`: the test's import.meta.url. `request` and `response`: what the kind's fixtures have in addition, such as the methods. */
export const readFixtures = <Request extends z.ZodRawShape, Response extends z.ZodRawShape>(test: string, request: Request, response: Response) => {
  const fixture = z.strictObject({
    meta: z.strictObject({ origin: z.enum(['recorded', 'from-docs', 'invented']), source: z.string().min(10), date: z.iso.date(), note: z.string() }),
    request: z.strictObject({ path: z.string().startsWith('/'), body: z.record(z.string(), z.unknown()).optional() }).extend(request),
    response: z.strictObject({ status: z.int(), body: z.unknown() }).extend(response),
  });
  const folder = fileURLToPath(new URL('__fixtures__/', test));
  const fixtures = new Map(
    readdirSync(folder).map((file) => [file.replace('.json', ''), fixture.parse(JSON.parse(readFileSync(`${folder}${file}`, 'utf8')))] as const),
  );
  /** Returns a fixture by its name. Throws if there is none. */
  const named = (name: string) => fixtures.get(name) ?? fixture.parse(undefined);
  return { fixtures, named };
};
