/** The code in the client's README and in docs/wallet.md, as files for the compiler. */
import { readFileSync } from 'node:fs';

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
export const readme = read('packages/client/README.md');

type Block = { language: string; code: string };
const blocksOf = (page: string): Block[] =>
  [...page.matchAll(/^```([jt]s)(?: run)?\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({ language, code }));

/** What the README's shorter blocks take from the text around them. */
const around = `
declare const ramp: import('@ramp-gateway/client').Ramp;
declare const order: import('@ramp-gateway/client').BuyOrder;
declare const signal: AbortSignal;
declare function show(...what: unknown[]): void;
`;
/** docs/wallet.md has a table of what its recipes need from the wallet. This type says the same. */
const wallet = `
declare const wallet: {
  nodePubkey: string;
  sign: (text: string) => string | Promise<string>;
  store: import('@ramp-gateway/client').Store;
  show: (what: object) => void;
  open: (url: string) => Promise<void>;
  ask: (question: string) => Promise<string>;
  pay: (invoice: string) => Promise<void>;
  payAddress: (address: string, sats: number) => Promise<void>;
  withdraw: (lnurl: string) => Promise<void>;
  redeemChannel: (lnurl: string) => Promise<void>;
  inboundSats: () => number;
  connectPeer: (uri: string) => Promise<void>;
};
`;

/** A block without imports is not a module, so it could not await at its top level. */
const fileOf = ({ language, code }: Block, nth: number): [name: string, text: string] => [`readme-${nth}.${language}`, `${code}\nexport {};\n`];
const recipes = blocksOf(read('docs/wallet.md'))
  .map(({ code }) => code)
  .join('\n');

/** Returns each file's name and text: a file for each block of the README, and one for all recipes of docs/wallet.md. */
export const printedCode = (): Record<string, string> => ({
  'around.d.ts': around,
  'wallet.d.ts': wallet,
  'recipes.ts': recipes,
  ...Object.fromEntries(blocksOf(readme).map(fileOf)),
});
/** The compiler options of a strict user. Code in JavaScript is checked by the types in its comments. */
export const strictOptions = { strict: true, allowJs: true, checkJs: true, noEmit: true, target: 'es2022', lib: ['es2022', 'dom', 'dom.iterable'] };
