/**
 * `npm run deploy -- [--env production] [--dry-run]`: migrates the database, then uploads the Worker, which never migrates. The previous release
 * works with the migrated database, so the old Worker keeps running meanwhile. DATABASE_URL must be the database's own address, because Hyperdrive's
 * address works only inside the Worker. `--dry-run` says how many migrations are missing, and builds without uploading.
 */
import './load-env.ts';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connect } from '../src/entry/database-node.ts';
import { migrate } from '../src/entry/migrate.ts';
import { migrationState, type Journal } from '../src/entry/migration-state.ts';
import { buildPages } from './pages.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const { values } = parseArgs({ options: { env: { type: 'string', default: '' }, 'dry-run': { type: 'boolean', default: false } } });

/** Applies the migrations that the database lacks, or only counts them if `dry`. Prints how many there were. */
const migrateFirst = async (url: string, dry: boolean): Promise<void> => {
  const folder = join(root, 'migrations');
  const journal = JSON.parse(readFileSync(join(folder, 'meta/_journal.json'), 'utf8')) as Journal;
  const sql = connect(url, 1);
  try {
    const { applied, expected } = await migrationState(sql, journal);
    const missing = Math.max(0, expected - applied);
    if (!dry && missing > 0) await migrate({ kind: 'postgres', url, sql }, folder);
    say(`database  ${applied} of ${expected} migrations were there${missing === 0 ? '' : dry ? `, ${missing} would be applied` : `, ${missing} applied`}`);
  } finally {
    await sql.end({ timeout: 5 });
  }
};

const upload = (environment: string, dry: boolean): number => {
  const { status } = spawnSync('npx', ['wrangler', 'deploy', '--minify', `--env=${environment}`, ...(dry ? ['--dry-run'] : [])], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false' },
  });
  return status ?? 1;
};

const url = process.env['DATABASE_URL'] ?? '';
if (url === '') {
  say('DATABASE_URL is missing: set the direct address of the database, for the migrations before the upload');
  process.exitCode = 1;
} else {
  try {
    await migrateFirst(url, values['dry-run']);
    await buildPages();
    process.exitCode = upload(values.env, values['dry-run']);
  } catch (error) {
    say(`nothing was uploaded, because the migration or the build of the pages failed: ${error instanceof Error ? error.message : 'unknown'}`);
    process.exitCode = 1;
  }
}
