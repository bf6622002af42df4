/** `npm start`: the sandbox with its simulated providers or, with mode: live, the gateway alone. */
import './load-env.ts';
import { tickerKey } from '../src/config/providers-config.ts';
import { StartRefused } from '../src/entry/node-server.ts';
import { demoCommand } from './sandbox/notes.ts';
import { startSandbox } from './sandbox/start-sandbox.ts';

const say = (text = ''): void => void process.stdout.write(`${text}\n`);

try {
  const { server, url, providers, stop } = await startSandbox({});
  say(`\nramp-gateway on ${url}   mode ${server.config.mode}, network ${server.config.network}`);
  say(`database  ${server.database.kind === 'pglite' ? `embedded (PGlite), rows in ${process.env['DATA_DIR'] ?? '.data'}` : 'PostgreSQL, from DATABASE_URL'}`);
  say('providers');
  for (const provider of server.config.providers) {
    const child = providers.find((one) => one.id === provider.id);
    say(`  ${provider.id.padEnd(10)} ${provider.base_url.padEnd(24)} ${child ? `pid ${child.pid}` : provider.mode}`);
  }
  const ticker = providers.find((one) => one.id === tickerKey);
  if (ticker) say(`  ${'two feeds'.padEnd(10)} ${ticker.url.padEnd(24)} pid ${ticker.pid}`);
  if (providers.length > 0) say('  They keep nothing after they stop, but the database does: open orders stay open. Delete its rows to start afresh.');
  say('\ntry');
  say(`  curl -s ${url}/verify                       a session to begin with`);
  say(`  curl -s ${url}/providers                    who is there`);
  if (server.config.mode === 'sandbox') say(`  ${demoCommand(url, process.env).padEnd(48)} one purchase, from offers to sats`);
  say(`  ${url}/docs\n`);
  let stopping = false;
  const end = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    server.log('info', 'stopping', { signal });
    stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGINT', () => end('SIGINT'));
  process.on('SIGTERM', () => end('SIGTERM'));
} catch (error) {
  process.stderr.write(
    `ramp-gateway does not start:\n${error instanceof Error ? (error instanceof StartRefused ? error.message : (error.stack ?? error.message)) : 'unknown'}\n`,
  );
  process.exitCode = 1;
}
