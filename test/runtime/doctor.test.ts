import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { examine } from '../../scripts/doctor/checks.ts';
import { runCommand } from '../ops/run.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { root } from './runtimes.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({ alpine: { simulator: { quoteTtlS: 3600 } }, borealis: { simulator: {} } });
});
afterAll(async () => await gateway.close());

const doctor = async (args: string[], environment: Record<string, string> = {}): Promise<{ code: number | null; lines: string[] }> => {
  const { code, out } = await runCommand('doctor', args, environment);
  return { code, lines: out.trim().split('\n') };
};
const deploy = async (environment: Record<string, string>): Promise<{ code: number; lines: string[] }> =>
  await new Promise((done) => {
    const env = { ...process.env, ...environment };
    execFile(process.execPath, ['--no-warnings', join(root, 'scripts/deploy.ts'), '--dry-run'], { cwd: root, env }, (error, out) =>
      done({ code: typeof error?.code === 'number' ? error.code : 0, lines: out.trim().split('\n') }),
    );
  });
const steady = (lines: string[]): string[] =>
  lines.map((line) =>
    line
      .replaceAll(/\d+(?:\.\d+)? (?=ms|s difference)/g, 'n ')
      .replaceAll(/127\.0\.0\.1:\d+/g, 'here')
      .replaceAll(/ at \d{4}-\S+Z/g, ' at then')
      .replaceAll(/w1-[a-z]{6}$/g, 'w1-letters'),
  );

it('a sound deployment: a good line for each check', async () => {
  const { code, lines } = await doctor(['--url', gateway.url]);
  expect(steady(lines)).toEqual([
    'ok   answers            /health/live 200 in n ms',
    'ok   mode               sandbox',
    'ok   ready              configuration, database, migrations',
    'ok   public_url         http://here leads here',
    'ok   clock              n s difference from this machine',
    'ok   signing keys       w1-letters',
    'ok   read after write   a session was begun, opened and used at once (200)',
    'ok   provider alpine    3 payment options, sandbox',
    'ok   provider borealis  3 payment options, sandbox',
  ]);
  expect(code).toBe(0);
});

it('a public_url that leads elsewhere, and a provider that lists nothing', async () => {
  const broken = await startTestGateway({ alpine: { simulator: {} } });
  try {
    broken.simulators['alpine']?.control.setFault({ endpoint: '*', fault: '500' });
    broken.server.config.public_url = gateway.url;
    const { code, lines } = await doctor(['--url', `${broken.url}/`]);
    expect(steady(lines).filter((line) => line.startsWith('FAIL'))).toEqual([
      'FAIL public_url        http://here is another gateway',
      'FAIL provider alpine   nothing listed: server at then, sandbox',
    ]);
    expect(code).toBe(1);
  } finally {
    await broken.close();
  }
});

it('a sandbox behind https fails, and a live one does not', async () => {
  const modes = async (mode: string | undefined, url: string): Promise<unknown> => {
    const headers = new Headers(mode === undefined ? {} : { 'x-ramp-mode': mode });
    const findings = await examine(async () => await Promise.resolve({ status: 200, headers, body: {}, ms: 1 }), url);
    return findings.find(({ name }) => name === 'mode')?.good;
  };
  expect(await modes('sandbox', 'https://ramp.wallet.example')).toBe(false);
  expect(await modes(undefined, 'https://ramp.wallet.example')).toBe(true);
  expect(await modes('sandbox', 'http://127.0.0.1:8787')).toBe(true);
});

it('without --url it asks where PUBLIC_URL or PORT say', async () => {
  expect((await doctor([], { PUBLIC_URL: '', PORT: new URL(gateway.url).port })).lines[0]).toMatch(/^ok {3}answers/);
  expect((await doctor([], { PUBLIC_URL: gateway.url, PORT: '9' })).lines[0]).toMatch(/^ok {3}answers/);
});

it('the database away: public_url is not told, and not good', async () => {
  const down = async (path: string) =>
    await Promise.resolve({ status: path === '/health/live' ? 200 : 503, headers: new Headers(), body: { code: 'storage-unavailable' }, ms: 1 });
  expect((await examine(down, 'http://127.0.0.1:8787')).find(({ name }) => name === 'public_url')).toEqual({
    name: 'public_url',
    good: false,
    says: 'unknown: /verify 503 storage-unavailable',
  });
});

it('keys that do not open what the database holds: the reason is told', async () => {
  const detail = 'SEAL_KEY does not open the sealed values in this database';
  const bodies: Record<string, object> = {
    '/health/live': { status: 'live' },
    '/health/ready': { status: 'not-ready', database: true, migrations: true, configuration: false },
  };
  const lost = async (path: string) =>
    await Promise.resolve({
      status: path === '/health/live' ? 200 : 503,
      headers: new Headers(),
      body: { ...(bodies[path] ?? { code: 'misconfigured', detail }) },
      ms: 1,
    });
  expect((await examine(lost, 'http://127.0.0.1:8787')).find(({ name }) => name === 'ready')).toEqual({
    name: 'ready',
    good: false,
    says: `missing: configuration: ${detail}`,
  });
});

it('nothing there, and no address at all', async () => {
  const nobody = await doctor(['--url', 'http://127.0.0.1:9']);
  expect([nobody.code, nobody.lines.length]).toEqual([1, 1]);
  expect(nobody.lines[0]).toMatch(/^FAIL answers {2}/);
  expect(await doctor(['--url', 'here'])).toEqual({ code: 1, lines: ['usage: npm run doctor -- --url https://ramp.wallet.example'] });
});

it('deploy uploads nothing without a database to migrate', async () => {
  expect(await deploy({ DATABASE_URL: '' })).toEqual({
    code: 1,
    lines: ['DATABASE_URL is missing: set the direct address of the database, for the migrations before the upload'],
  });
  const away = await deploy({ DATABASE_URL: 'postgres://ramp:secret@127.0.0.1:9/ramp' });
  expect(away).toEqual({ code: 1, lines: ['nothing was uploaded, because the migration or the build of the pages failed: connect ECONNREFUSED 127.0.0.1:9'] });
});

it('a dry run of deploy says what the database has, and builds', async () => {
  const { code, lines } = await deploy({ DATABASE_URL: gateway.database.url, CI: '1' });
  expect(lines[0]).toMatch(/^database {2}(\d+) of \1 migrations were there$/);
  expect([code, lines.some((line) => line.includes('--dry-run: exiting now'))]).toEqual([0, true]);
});
