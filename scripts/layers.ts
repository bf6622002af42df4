/**
 * The rules about which file may import which. `scripts/check-layers.ts` applies them to the repository, test/tooling/layers.test.ts to planted
 * files. Type-only imports count, too: whoever uses a type depends on its file.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, posix, relative, sep } from 'node:path';
import { parseSync } from 'oxc-parser';

export type Violation = { from: string; to: string; rule: string };

/**
 * The rooms (folders) of src/, and the other rooms that each may import. `entry` may import every room except `contract`. No room may import a file
 * for scripts (see `isForScripts`). Tests, scripts and bench have no limits.
 */
const allowed: Record<string, readonly string[]> = {
  domain: [],
  bitcoin: [],
  banking: ['domain'],
  spec: ['domain', 'bitcoin'],
  kit: ['domain', 'bitcoin', 'spec'],
  provider: ['domain', 'bitcoin', 'banking', 'spec', 'kit'],
  registry: ['spec', 'provider'],
  resilience: ['domain', 'spec', 'ports'],
  ports: ['domain', 'spec'],
  gateway: ['domain', 'bitcoin', 'banking', 'spec', 'ports'],
  store: ['domain', 'ports'],
  outbound: ['domain', 'ports'],
  feeds: ['domain', 'spec', 'kit', 'ports'],
  seal: ['ports'],
  log: ['ports'],
  config: ['domain', 'spec', 'ports'],
  http: ['domain', 'gateway', 'ports'],
  contract: ['domain', 'gateway', 'http'],
};

/**
 * The rooms and single files of src/gateway, floor by floor, the lowest floor first. A room or file imports only from lower floors, so its reader
 * needs to know only what is below.
 */
export const ladder: readonly (readonly string[])[] = [
  ['problem.ts', 'places.ts', 'lease.ts', 'work-on-due.ts', 'outward.ts', 'notice-url.ts', 'ramps.ts', 'attempts.ts', 'shared-answer.ts'],
  ['refusal-problem.ts', 'refuse-lost-key.ts', 'switches.ts', 'upstream', 'deliveries'],
  ['sessions', 'catalogue'],
  ['pricing'],
  ['following', 'receipts', 'figures'],
  ['accounts'],
  ['ordering', 'receive-notice.ts'],
  ['operator', 'run-scheduled.ts'],
];

/** Packages that only these rooms and `entry` may import. Every room may import all other packages, except the rooms of `packagesOf`. */
const homes: readonly { packages: RegExp; rooms: readonly string[] }[] = [
  { packages: /^(opossum|p-retry)$/, rooms: ['resilience'] },
  { packages: /^(undici|@hono\/node-server|prom-client|@electric-sql\/.*|cloudflare:.*)$/, rooms: [] },
  // opossum needs this emitter, which Workers have as well.
  { packages: /^node:events$/, rooms: ['resilience'] },
  { packages: /^node:(?!events$)/, rooms: [] },
  { packages: /^(postgres|drizzle-orm)$/, rooms: ['store'] },
  { packages: /^hono$/, rooms: ['http'] },
  { packages: /^@hono\/zod-openapi$/, rooms: ['contract'] },
  { packages: /^pino$/, rooms: ['log'] },
  { packages: /^yaml$/, rooms: ['config'] },
];
/** Pure rooms, and all the packages that each may import. */
const packagesOf: Record<string, RegExp> = {
  domain: /^(@noble\/hashes|ipaddr\.js|jose|canonicalize)$/,
  banking: /^$/,
  bitcoin: /^(@noble\/(hashes|secp256k1)|@scure\/base|bitcoin-address-validation)$/,
};

const isTest = (path: string): boolean => path.endsWith('.test.ts');
/**
 * Returns whether a file is not product code, but only for scripts and tests: a kind's simulators, sandbox, dialects and conformance kit, and the
 * code and texts of the OpenAPI document.
 */
export const isForScripts = (path: string): boolean => /\.(simulator[^/]*|sandbox|dialects|conformance[^/]*)\.ts$|^src\/contract\//.test(path);

/** Returns the room that a repository path is in. That is `outside` for scripts, test and bench, and `package` for what a package ships. */
const roomOf = (path: string): string => {
  if (/^packages\/[^/]+\/src\//.test(path)) return 'package';
  if (!path.startsWith('src/')) return 'outside';
  if (/^src\/providers\/[^/]+\.gen\.ts$/.test(path)) return 'registry';
  if (/^src\/providers\/[^/]+\.ts$/.test(path)) return 'spec';
  if (path.startsWith('src/providers/kit/')) return 'kit';
  if (path.startsWith('src/providers/')) return 'provider';
  return path.split('/')[1] ?? '';
};
const folderOf = (path: string): string =>
  path
    .split('/')
    .slice(0, path.startsWith('packages/') ? 2 : 3)
    .join('/');

/** Returns the rule that an import of `to` by `from` breaks, if any. Both are repository paths. */
const brokenBy = (from: string, to: string): string | undefined => {
  const [a, b] = [roomOf(from), roomOf(to)];
  if (isForScripts(to) && !(isForScripts(from) || isTest(from) || a === 'outside'))
    return 'simulators, sandboxes, dialects, conformance kits and the contract are for scripts, tests and bench';
  if (a === 'outside' || isTest(from)) return undefined;
  // The Worker's bundle contains the configuration and the list of migrations.
  if (a === 'entry' && (to === 'providers.config.yaml' || to === 'migrations/meta/_journal.json')) return undefined;
  if (b === 'outside') return 'product code does not import scripts, test or bench';
  if (isTest(to)) return 'nobody imports a test';
  if (b === 'entry') return a === 'entry' ? undefined : 'nobody imports entry';
  if (b === 'package') return a === 'package' && folderOf(from) === folderOf(to) ? undefined : 'a package is imported by its name';
  if (a === 'package') return b === 'domain' || b === 'bitcoin' ? undefined : 'a package imports its own files, src/domain and src/bitcoin';
  if (a === 'entry') return undefined;
  if (a === 'provider' && b === 'provider') return folderOf(from) === folderOf(to) ? undefined : 'no provider imports another';
  if (a === 'gateway' && b === 'gateway') return brokenInGateway(from.split('/')[2] ?? '', to.split('/')[2] ?? '');
  if (a === b || allowed[a]?.includes(b)) return undefined;
  return allowed[a] ? `${a} does not import ${b}` : `src/${a} is not a known room: add it to scripts/layers.ts`;
};

/** Returns the rule that an import within src/gateway breaks, if any. `from` and `to` are names directly in that folder: a room or a single file. */
const brokenInGateway = (from: string, to: string): string | undefined => {
  if (from === to) return undefined;
  const floorOf = (name: string): number => ladder.findIndex((floor) => floor.includes(name));
  const homeless = [from, to].find((name) => floorOf(name) < 0);
  if (homeless !== undefined) return `gateway/${homeless} has no floor: add it to the ladder in scripts/layers.ts`;
  return floorOf(to) < floorOf(from) ? undefined : `gateway/${from} does not import gateway/${to}`;
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
  if (room === 'outside' || room === 'entry' || room === 'package' || isTest(from) || isForScripts(from)) return undefined;
  const name = packageOf(specifier);
  const home = homes.find(({ packages }) => packages.test(name));
  if (home && !home.rooms.includes(room)) return `${name} belongs to src/${home.rooms[0] ?? 'entry'}`;
  const only = packagesOf[room];
  return only && !only.test(name) ? `${room} is pure: no package ${name}` : undefined;
};

/** Returns every module that a source text imports or re-exports from, including types and literal dynamic imports. */
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
  [...codeRoots, ...foldersOf(join(root, 'packages')).flatMap((name) => codeRoots.map((folder) => `packages/${name}/${folder}`))]
    .flatMap((folder) => readFolder(join(root, folder)))
    .map((path) => relative(root, path).split(sep).join('/'))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .toSorted();
const foldersOf = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);
const readFolder = (folder: string): string[] => {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
};

/**
 * Returns import cycles: groups of files that all reach each other through imports, including a file that imports itself. Every file is in at most
 * one group (Tarjan's strongly connected components).
 */
const circlesIn = (graph: ReadonlyMap<string, readonly string[]>): string[][] => {
  const circles: string[][] = [];
  const found = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const visit = (file: string): number => {
    const order = found.size;
    found.set(file, order);
    stack.push(file);
    let low = order;
    for (const next of graph.get(file) ?? []) {
      if (!found.has(next)) low = Math.min(low, visit(next));
      else if (stack.includes(next)) low = Math.min(low, lowest.get(next) ?? found.get(next) ?? low);
    }
    lowest.set(file, low);
    if (low === order) {
      const circle = stack.splice(stack.indexOf(file));
      if (circle.length > 1 || graph.get(file)?.includes(file)) circles.push(circle);
    }
    return low;
  };
  for (const file of graph.keys()) if (!found.has(file)) visit(file);
  return circles;
};

/**
 * Checks every .ts file (except .d.ts) below src, scripts, test and bench of `root` and of each package. Throws if there is no file of src or no
 * import.
 */
export const checkLayers = (root: string): { modules: number; imports: number; violations: Violation[]; circles: string[][] } => {
  const files = filesOf(root);
  const edges = files.flatMap((from) =>
    importsOf(from, readFileSync(join(root, from), 'utf8')).map((specifier) => {
      const isFile = specifier.startsWith('.');
      return { from, to: isFile ? posix.join(dirname(from), specifier) : specifier, isFile };
    }),
  );
  if (!files.some((path) => path.startsWith('src/')) || edges.length === 0) throw new Error(`no modules with imports below ${root}/src: nothing was checked`);
  const violations = edges.flatMap(({ from, to, isFile }) => {
    const rule = isFile ? brokenBy(from, to) : brokenByPackage(from, to);
    return rule ? [{ from, to, rule }] : [];
  });
  const graph = new Map(files.filter((path) => path.startsWith('src/')).map((path): [string, string[]] => [path, []]));
  for (const { from, to } of edges) if (graph.has(to)) graph.get(from)?.push(to);
  return { modules: files.length, imports: edges.length, violations, circles: circlesIn(graph) };
};
