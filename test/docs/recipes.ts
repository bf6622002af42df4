/** The code of docs/wallet.md, as it stands there: every block marked `js run`, in order, as one script. */
import { readFileSync } from 'node:fs';
import { compileFunction } from 'node:vm';

export type Recipe = (...args: unknown[]) => Promise<unknown>;
export type Recipes = { run: Record<string, Recipe>; ran: Set<string> };

const page = new URL('../../docs/wallet.md', import.meta.url);
/** The address that the page writes. */
const written = 'https://gateway.example';

export const blocksOf = (text: string): string[] => [...text.matchAll(/^```js run\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
export const readPage = (): string => readFileSync(page, 'utf8');

/** Loading it again is what a killed and restarted wallet does. Only the address it calls and how long a pause takes are not the page's own. */
export const loadRecipes = (gatewayUrl: string, wallet: object, ran = new Set<string>()): Recipes => {
  const code = blocksOf(readPage()).join('\n');
  const names = [...code.matchAll(/^async function (\w+)/gm)].map(([, name = '']) => name);
  const there = async (url: string, init?: RequestInit): Promise<Response> => {
    if (!url.startsWith(`${written}/`)) throw new Error(`a recipe called ${url}`);
    return await fetch(gatewayUrl + url.slice(written.length), init);
  };
  const soon = (then: () => void, ms: number) => setTimeout(then, Math.min(ms, 60));
  const script = compileFunction(`${code}\nreturn { ${names.join(', ')} };`, ['fetch', 'wallet', 'setTimeout']);
  // A function made from text has no type of its own; its last line returns these names.
  const made = Reflect.apply(script, undefined, [there, wallet, soon]) as Record<string, Recipe>;
  const run = Object.fromEntries(
    Object.entries(made).map(([name, recipe]) => [
      name,
      async (...args: unknown[]) => {
        ran.add(name);
        return await recipe(...args);
      },
    ]),
  );
  return { run, ran };
};
