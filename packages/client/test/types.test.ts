/** The client's README and docs/wallet.md print code and types: here the compiler reads them, with the strictness that a user may have set. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { printedCode, readme, strictOptions } from './printed-code.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const client = join(root, 'packages/client');
const entries = ['index', 'sell', 'liquidity', 'webhook', 'receipt', 'file-store'];
const reference = readme.slice(readme.indexOf('\n## Reference'), readme.indexOf('\n## Examples'));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'client-types-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Returns what the compiler says about these files, one line for each mistake. */
const mistakesIn = async (name: string, files: Record<string, string>): Promise<string[]> => {
  const at = join(folder, name);
  mkdirSync(at);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(at, file), text);
  const paths = Object.fromEntries(
    entries.map((entry) => [entry === 'index' ? '@ramp-gateway/client' : `@ramp-gateway/client/${entry}`, [join(client, `src/${entry}.ts`)]]),
  );
  const compilerOptions = {
    ...strictOptions,
    module: 'nodenext',
    moduleResolution: 'nodenext',
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
    paths,
    skipLibCheck: true,
    // The client's sources, which stand in for its package, need these.
    lib: ['es2024', 'dom', 'dom.iterable'],
    allowImportingTsExtensions: true,
    exactOptionalPropertyTypes: true,
  };
  writeFileSync(join(at, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(at, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: Object.keys(files) }));
  const output = await new Promise<string>((done, fail) => {
    execFile(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--pretty', 'false', '-p', at], (error, stdout, stderr) =>
      error && stdout === '' ? fail(new Error(stderr)) : done(stdout),
    );
  });
  return output.split('\n').filter((line) => line.trim() !== '');
};
it("the code in the client's README and in docs/wallet.md is valid in strict mode, and wrong code would not be", async () => {
  const files = printedCode();
  expect([Object.keys(files).length >= 10, (files['recipes.ts'] ?? '').match(/^async function /gm)?.length]).toEqual([true, 16]);
  expect(await mistakesIn('printed', files)).toEqual([]);
  const wrong = `import { createRamp } from '@ramp-gateway/client';\nawait createRamp({ url: '', store: new Map() }).offers({ pay: 100, currency: 'EUR', by: 'SEPA' });\n`;
  expect(await mistakesIn('wrong', { 'untyped.js': 'export const f = (x) => x;\n', 'wrong.js': wrong })).toEqual([
    expect.stringMatching(/untyped\.js.*TS7006/),
    expect.stringMatching(/wrong\.js.*TS2\d+/),
  ]);
});

describe('the reference', () => {
  let program: ts.Program;
  let checker: ts.TypeChecker;
  beforeAll(() => {
    const { options } = ts.parseJsonConfigFileContent({ extends: join(root, 'tsconfig.json'), files: [] }, ts.sys, client);
    program = ts.createProgram(
      entries.map((entry) => join(client, `src/${entry}.ts`)),
      options,
    );
    checker = program.getTypeChecker();
  });
  const exportsOf = (entry: string): ts.Symbol[] => {
    const source = program.getSourceFile(join(client, `src/${entry}.ts`));
    const module = source && checker.getSymbolAtLocation(source);
    if (!module) throw new Error(`${entry} exports nothing`);
    return checker.getExportsOfModule(module);
  };
  const typeOf = (name: string, entry = 'index'): ts.Type => {
    const found = exportsOf(entry).find((one) => one.name === name);
    if (!found) throw new Error(`the client exports no ${name}`);
    return checker.getDeclaredTypeOfSymbol(found.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(found) : found);
  };
  /** Returns the members of a type, with a `?` after those that may be absent. Members that one form of a union lacks are included. */
  const membersOf = (type: ts.Type): string[] => {
    const forms = type.isUnion() ? type.types : [type];
    const all = forms.flatMap((form) => checker.getPropertiesOfType(form));
    // Leaves out the members that every JavaScript Error has: they are not the client's.
    const own = all.filter(({ declarations = [] }) =>
      declarations.some((one) => !program.isSourceFileDefaultLibrary(one.getSourceFile()) && !(ts.getCombinedModifierFlags(one) & ts.ModifierFlags.Private)),
    );
    return [...new Set(own.map(({ name, flags }) => `${name}${flags & ts.SymbolFlags.Optional ? '?' : ''}`))].toSorted();
  };
  const cellsOf = (section: string): string[] => section.split('\n').flatMap((line) => (line.startsWith('| `') ? [line.split(' | ')[0] ?? ''] : []));
  const namesIn = (cell: string): string[] => [...cell.matchAll(/`(\w+)(?:\(.*?\))?(\??)`/g)].map(([, name = '', mark = '']) => name + mark);
  const sections = new Map(
    reference
      .split('\n### ')
      .slice(1)
      .map((section) => [/^`(\w+)`/.exec(section)?.[1] ?? '', section]),
  );

  it.each([
    'RampOptions',
    'Ramp',
    'BuyQuery',
    'BuyBounds',
    'Offers',
    'Offer',
    'NotOffered',
    'BuyOrder',
    'WithdrawOptions',
    'Withdrawal',
    'RampError',
    'WebhookEvent',
  ])('names every member of %s, and no other', (name) => {
    const named = cellsOf(sections.get(name) ?? '').flatMap(namesIn);
    // One of `pay` and `get` is required, which the page says in words.
    const members = membersOf(typeOf(name, name === 'WebhookEvent' ? 'webhook' : 'index')).map((one) =>
      name === 'BuyQuery' ? one.replace(/^(pay|get)\?$/, '$1') : one,
    );
    const inherited = name === 'RampError' ? ['message'] : [];
    expect(named.toSorted()).toEqual([...new Set(members), ...inherited].filter((one) => one !== 'name').toSorted());
  });

  it('names every way to pay with its members', () => {
    const pay = typeOf('Pay');
    const common = ['amount', 'before?', 'kind', 'raw'];
    const forms = (pay.isUnion() ? pay.types : []).map((form) => {
      const kind = form.getProperty('kind');
      const text = kind && checker.typeToString(checker.getTypeOfSymbol(kind)).replaceAll('"', '');
      return [text, membersOf(form).filter((one) => !common.includes(one))];
    });
    const rows = (sections.get('Pay') ?? '').split('\n').filter((line) => line.startsWith('| `') && !line.startsWith('| `kind`'));
    const named = rows.map((row) => {
      const [kind = '', members = ''] = row.split(' | ');
      return [
        namesIn(kind)[0],
        namesIn(members)
          .filter((one) => one !== 'raw')
          .toSorted(),
      ];
    });
    expect(forms.length).toBe(8);
    expect(new Map(named as [string, string[]][])).toEqual(new Map(forms as [string, string[]][]));
  });

  it.each([
    ['SellBounds', 'sell'],
    ['LiquidityQuery', 'liquidity'],
    ['LiquidityBounds', 'liquidity'],
  ])('names every member of %s', (name, entry) => {
    const cell = reference.split('\n').find((line) => line.startsWith(`| \`${name}\``));
    const named = namesIn(cell?.split(' | ')[1]?.replaceAll(/\(.*?\)/g, '') ?? '');
    expect(named.toSorted()).toEqual(membersOf(typeOf(name, entry)));
  });

  it('names everything that can be imported', () => {
    const missing = entries.flatMap((entry) =>
      exportsOf(entry).flatMap(({ name }) => (new RegExp(`\\b${name}\\b`).test(readme) ? [] : [`${name} of ${entry}`])),
    );
    expect(missing).toEqual([]);
  });
});
