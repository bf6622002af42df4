import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { existsSync } from 'node:fs';
import { expect, vi } from 'vitest';
import { connect } from '../../src/entry/database-node.ts';
import { needsPostgres } from '../support/postgres.ts';

const serverModule = new URL('../setup/postgres-server.ts', import.meta.url).href;
const starter = `const { startPostgres } = await import(${JSON.stringify(serverModule)}); console.log((await startPostgres()).url);`;

needsPostgres('a test server is gone soon after its owner was killed, and its data with it', async () => {
  const owner = spawn(process.execPath, ['--input-type=module', '-e', starter], { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise<string>((resolve) => createInterface(owner.stdout).once('line', resolve));
  const sql = connect(url, 1);
  const [row] = await sql<{ folder: string }[]>`select current_setting('data_directory') as folder`;
  await sql.end();
  const folder = row?.folder ?? '';
  expect(existsSync(folder)).toBe(true);

  owner.kill('SIGKILL');
  await vi.waitFor(() => expect(existsSync(folder)).toBe(false), { timeout: 5000, interval: 50 });
  const after = connect(url, 1);
  await expect(after`select 1`).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await after.end();
});
