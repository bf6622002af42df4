/** The code of docs/wallet.md, as it stands there: every block marked `js run`, in order, as one script. */
import { readFileSync } from 'node:fs';
import { compileFunction } from 'node:vm';

export type Recipe = (...args: unknown[]) => Promise<unknown>;

const page = readFileSync(new URL('../../docs/wallet.md', import.meta.url), 'utf8');
/** The address that the page writes. */
const written = 'https://gateway.example';

export const blocks = [...page.matchAll(/^```js run\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
/** Blocks of code that no test runs. */
export const otherBlocks = (page.match(/^```\w[^\n]*/gm) ?? []).filter((fence) => fence !== '```js run');
const code = blocks.join('\n');
export const recipeNames = [...code.matchAll(/^async function (\w+)/gm)].map(([, name = '']) => name);

/** Only the address that is called and how long a pause takes are not the page's own. `ran` collects the names of what was called, also by each other. */
export const loadRecipes = (gatewayUrl: string, wallet: object, ran: Set<string>): Record<string, Recipe> => {
  const there = async (url: string, init?: RequestInit): Promise<Response> => {
    if (!url.startsWith(`${gatewayUrl}/`)) throw new Error(`a recipe called ${url}`);
    return await fetch(url, init);
  };
  const soon = (then: () => void, ms: number) => setTimeout(then, Math.min(ms, 60));
  const noting = code
    .replace(`const gateway = '${written}'`, () => `const gateway = '${gatewayUrl}'`)
    .replaceAll(/^async function (\w+)\(.*\) \{$/gm, (line, name: string) => `${line} ran.add('${name}');`);
  const script = compileFunction(`${noting}\nreturn { ${recipeNames.join(', ')} };`, ['fetch', 'wallet', 'setTimeout', 'ran']);
  // A function made from text has no type of its own; its last line returns these names.
  return Reflect.apply(script, undefined, [there, wallet, soon, ran]) as Record<string, Recipe>;
};
