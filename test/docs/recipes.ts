/** Runs the code of a page of docs/, unchanged: all blocks marked `js run` or `ts run`, in sequence, as one script. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';
import { buildSync } from 'esbuild';

export type Recipe = (...args: unknown[]) => Promise<unknown>;
export type Recipes = Record<string, Recipe>;

/** The gateway's address in the pages. */
const written = 'https://gateway.example';
const client = fileURLToPath(new URL('../../packages/client/src/', import.meta.url));
/** Maps the client's package names to its sources in this checkout. */
const alias = Object.fromEntries([
  ...['sell', 'liquidity', 'webhook', 'receipt'].map((name) => [`@ramp-gateway/client/${name}`, `${client}${name}.ts`]),
  ['@ramp-gateway/client', `${client}index.ts`],
]) as Record<string, string>;

export const readPage = (file: string) => {
  const page = readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/^```[jt]s run\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
  /** The first lines of blocks of code that no test runs. */
  const otherBlocks = (page.match(/^```\w[^\n]*/gm) ?? []).filter((fence) => !/^```[jt]s run$/.test(fence));
  const code = blocks.join('\n');
  const recipeNames = [...code.matchAll(/^async function (\w+)/gm)].map(([, name = '']) => name);
  const noting = code.replaceAll(/^async function (\w+)\(.*\{$/gm, (line, name: string) => `${line} ran.add('${name}');`);
  const { outputFiles } = buildSync({
    stdin: { contents: `${noting}\nexport { ${recipeNames.join(', ')} };`, resolveDir: client, loader: 'ts' },
    alias,
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'exported',
    target: 'node24',
  });
  const script = outputFiles[0]?.text ?? '';
  const usesClient = code.includes('@ramp-gateway/client');

  /**
   * Loads the page's functions. Only the gateway's address and the length of pauses are replaced. `ran` collects the names of functions that were
   * called, also by each other.
   */
  const loadRecipes = (gatewayUrl: string, wallet: object, ran: Set<string>): Recipes => {
    const there = async (url: string, init?: RequestInit): Promise<Response> => {
      if (!url.startsWith(`${gatewayUrl}/`)) throw new Error(`a recipe called ${url}`);
      return await fetch(url, init);
    };
    // Pauses are shortened. The client's deadline for a request is not.
    const isDeadline = (ms: number): boolean => usesClient && ms === 30_000;
    const soon = (then: () => void, ms: number) => setTimeout(then, isDeadline(ms) ? ms : Math.min(ms, 60));
    const compiled = compileFunction(`${script.replaceAll(written, gatewayUrl)}\nreturn exported;`, ['fetch', 'wallet', 'setTimeout', 'ran']);
    // A function that is compiled from text has no type. Its last line returns the recipes by name.
    return Reflect.apply(compiled, undefined, [there, wallet, soon, ran]) as Recipes;
  };
  return { blocks, otherBlocks, recipeNames, loadRecipes };
};
