/**
 * The page /docs: the contract, drawn by Scalar. Scalar's script comes from its package for Fastify, because no other small package contains the
 * script: docs/decisions/2026-11-29-scalar-draws-the-contract.md.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import scalar from '@scalar/fastify-api-reference';
import { noticesOf } from '../packages/client/scripts/notices.ts';
import { framed } from './guides.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

type Reply = { header: (name: string, value: string) => Reply; send: (body: string) => void };
type Route = { url: string; handler: (request: unknown, reply: Reply) => void };

/** Returns Scalar's script, as the package would serve it. */
export const scalarScript = (): string => {
  const routes: Route[] = [];
  const server = { route: (route: Route) => void routes.push(route) };
  scalar(server as never, { configuration: { url: '/openapi.json' } }, () => undefined);
  let script = '';
  const reply: Reply = { header: () => reply, send: (body) => void (script = body) };
  routes.find(({ url }) => url.endsWith('.js'))?.handler({}, reply);
  if (!script.includes('createApiReference')) throw new Error('@scalar/fastify-api-reference no longer serves the script of Scalar');
  const notices = noticesOf([{ file: 'scalar.js', modules: [join(root, 'node_modules/@scalar/fastify-api-reference/package.json')] }]);
  return `/*!\n${notices.replaceAll('*/', '* /')}*/\n${script}`;
};

type Loaded = { docs: string; style: string; scalar: string; script: string };
/** Returns the page. The arguments are the addresses of what the page loads. */
export const referencePage = ({ docs, style, scalar: library, script }: Loaded): string =>
  framed({
    title: 'API',
    path: '/docs',
    styles: [docs, style],
    body: `<div id="api"></div>
<script src="${library}"></script><script type="module" src="${script}"></script>`,
  });
