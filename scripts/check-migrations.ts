/**
 * `npm run check -- migrations`: checks that the migrations are consistent, and that they create the whole schema. drizzle-kit exits with 0 even
 * if it would have to ask about a rename, so the check searches its output for "No schema changes". It works on a copy of the folder.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, rmSync } from 'node:fs';

const folder = 'migrations';
if (!existsSync(`${folder}/meta/_journal.json`)) {
  console.error(`${folder}/ has no journal: npm run migration -- --name <what changes>`);
  process.exit(1);
}
const copy = `node_modules/.cache/migrations-${process.pid}`;
const drizzleKit = (verb: string, options: string): { said: string; ok: boolean } => {
  const { status, stdout, stderr } = spawnSync(`drizzle-kit ${verb} --dialect postgresql --out ./${copy} ${options}`, { shell: true, encoding: 'utf8' });
  return { said: `${stdout}${stderr}`, ok: status === 0 };
};

cpSync(folder, copy, { recursive: true });
try {
  const checked = drizzleKit('check', '');
  const generated = drizzleKit('generate', '--schema ./src/store/schema.ts');
  if (!checked.ok || !generated.ok || !generated.said.includes('No schema changes')) {
    console.error(`${checked.said}${generated.said}\nsrc/store/schema.ts and ${folder}/ differ: npm run migration -- --name <what changes>`);
    process.exitCode = 1;
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
