/**
 * Who may import whom. `scripts/check-layers.ts` applies this to the repository, test/tooling/layers.test.ts to planted files.
 * Type-only imports count like any other: a type is knowledge too.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, posix, relative, sep } from 'node:path';
import { parseSync } from 'oxc-parser';

export type Violation = { from: string; to: string; rule: string };

/** Rooms of src/ and what each may import beside itself. `entry` may import everything; tests, scripts and bench are not bound. */
const allowed: Record<string, readonly string[]> = {
  domain: [],
  bitcoin: [],
  banking: [],
  spec: ['domain', 'bitcoin'],
  kit: ['domain', 'bitcoin', 'spec'],
  provider: ['domain', 'bitcoin', 'banking', 'spec', 'kit'],
  registry: ['spec', 'provider'],
  resilience: ['domain', 'spec', 'ports'],
  ports: ['domain', 'spec'],
  gateway: ['domain', 'bitcoin', 'banking', 'spec', 'ports'],
  store: ['domain', 'ports'],
  outbound: ['domain', 'ports'],
  seal: ['ports'],
  log: ['ports'],
  metrics: ['ports'],
  config: ['domain', 'spec', 'ports'],
  http: ['domain', 'gateway', 'ports'],
};

/** Packages with one home. Everything else is free, except in the rooms of `packagesOf`. */
const homes: readonly { packages: RegExp; rooms: readonly string[] }[] = [
  { packages: /^(opossum|p-retry)$/, rooms: ['resilience'] },
  { packages: /^(undici|@hono\/node-server|@electric-sql\/.*|cloudflare:.*)$/, rooms: [] },
  // opossum takes an emitter of this kind; Workers have it too.
  { packages: /^node:events$/, rooms: ['resilience'] },
  { packages: /^node:(?!events$)/, rooms: [] },
  { packages: /^(postgres|drizzle-orm)$/, rooms: ['store'] },
  { packages: /^(hono|@hono\/zod-openapi)$/, rooms: ['http'] },
  { packages: /^pino$/, rooms: ['log'] },
  { packages: /^yaml$/, rooms: ['config'] },
];
/** Rooms that are pure: the packages they may name, all of them. */
const packagesOf: Record<string, RegExp> = {
  domain: /^@noble\/hashes$/,
  banking: /^$/,
  bitcoin: /^(@noble\/(hashes|secp256k1)|@scure\/base|bitcoin-address-validation)$/,
};

const isTest = (path: string): boolean => path.endsWith('.test.ts');
const isSimulator = (path: string): boolean => /\.simulator[^/]*\.ts$/.test(path);

/** The room of a repository path, `outside` for scripts, test and bench. */
const roomOf = (path: string): string => {
  if (!path.startsWith('src/')) return 'outside';
  if (/^src\/providers\/[^/]+\.gen\.ts$/.test(path)) return 'registry';
  if (/^src\/providers\/[^/]+\.ts$/.test(path)) return 'spec';
  if (path.startsWith('src/providers/kit/')) return 'kit';
  if (path.startsWith('src/providers/')) return 'provider';
  return path.split('/')[1] ?? '';
};
const folderOf = (path: string): string => path.split('/').slice(0, 3).join('/');

/** The rule that `from` importing `to` breaks, if any. Both are repository paths. */
const brokenBy = (from: string, to: string): string | undefined => {
  const [a, b] = [roomOf(from), roomOf(to)];
  if (isSimulator(to) && !(isSimulator(from) || isTest(from) || a === 'outside')) return 'simulators are for scripts, tests and bench';
  if (a === 'outside' || isTest(from)) return undefined;
  // What the Worker carries inside it: the configuration and the list of migrations.
  if (a === 'entry' && (to === 'providers.config.yaml' || to === 'migrations/meta/_journal.json')) return undefined;
  if (b === 'outside') return 'product code does not import scripts, test or bench';
  if (isTest(to)) return 'nobody imports a test';
  if (b === 'entry') return a === 'entry' ? undefined : 'nobody imports entry';
  if (a === 'entry' || (isSimulator(from) && isSimulator(to))) return undefined;
  if (a === 'provider' && b === 'provider') return folderOf(from) === folderOf(to) ? undefined : 'no provider imports another';
  if (a === b || allowed[a]?.includes(b)) return undefined;
  return allowed[a] ? `${a} does not import ${b}` : `src/${a} is not a known room: add it to scripts/layers.ts`;
};

const packageOf = (specifier: string): string => {
  if (isBuiltin(specifier)) return specifier.startsWith('node:') ? specifier : `node:${specifier}`;
  return specifier.includes(':')
    ? specifier
    : specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/');
};
const brokenByPackage = (from: string, specifier: string): string | undefined => {
  const room = roomOf(from);
  if (room === 'outside' || room === 'entry' || isTest(from) || isSimulator(from)) return undefined;
  const name = packageOf(specifier);
  const home = homes.find(({ packages }) => packages.test(name));
  if (home && !home.rooms.includes(room)) return `${name} belongs to src/${home.rooms[0] ?? 'entry'}`;
  const only = packagesOf[room];
  return only && !only.test(name) ? `${room} is pure: no package ${name}` : undefined;
};

/** Every module specifier a source text imports or re-exports from, types and literal dynamic imports included. */
export const importsOf = (path: string, source: string): string[] => {
  const { module, errors } = parseSync(path, source);
  if (errors[0]) throw new Error(`${path}: ${errors[0].message}`);
  const fixed = module.staticImports.map((entry) => entry.moduleRequest.value);
  const again = module.staticExports.flatMap((entry) => entry.entries.flatMap(({ moduleRequest }) => (moduleRequest ? [moduleRequest.value] : [])));
  const called = [...source.matchAll(/\bimport\(\s*(['"])([^'"]+)\1/g)].map((match) => match[2] ?? '');
  return [...new Set([...fixed, ...again, ...called])];
};

const codeRoots = ['src', 'scripts', 'test', 'bench'];
const filesOf = (root: string): string[] =>
  codeRoots
    .flatMap((folder) => readFolder(join(root, folder)))
    .map((path) => relative(root, path).split(sep).join('/'))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .toSorted();
const readFolder = (folder: string): string[] => {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
};

/** Looks at every .ts file below src, scripts, test and bench of `root`. Throws when there is nothing to look at. */
export const checkLayers = (root: string): { modules: number; imports: number; violations: Violation[] } => {
  const files = filesOf(root);
  const edges = files.flatMap((from) => importsOf(from, readFileSync(join(root, from), 'utf8')).map((specifier) => ({ from, specifier })));
  if (!files.some((path) => path.startsWith('src/')) || edges.length === 0) throw new Error(`no modules with imports below ${root}/src: nothing was checked`);
  const violations = edges.flatMap(({ from, specifier }) => {
    const to = specifier.startsWith('.') ? posix.join(dirname(from), specifier) : specifier;
    const rule = specifier.startsWith('.') ? brokenBy(from, to) : brokenByPackage(from, specifier);
    return rule ? [{ from, to, rule }] : [];
  });
  return { modules: files.length, imports: edges.length, violations };
};
