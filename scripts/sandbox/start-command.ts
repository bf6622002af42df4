/** What `npm start` does with its arguments and with signals. */
import { parseArgs } from 'node:util';
import { lastWords } from '../../src/entry/last-words.ts';
import { StartRefused } from '../../src/entry/start-refused.ts';
import { demoCommand } from './notes.ts';
import { startSandbox, type Sandbox } from './start-sandbox.ts';
import { readableLog, startText } from './start-text.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Starts the sandbox, which runs until a signal. If the gateway does not start, prints the reason to stderr and sets exit code 1. */
export const start = async (words: string[]): Promise<void> => {
  try {
    // A terminal gets lines for people; a file or a pipe gets the JSON log.
    const writeLog = process.stdout.isTTY ? (line: string): void => say(readableLog(line)) : say;
    const sandbox = await startSandbox({ ownProcess: ownProcessOf(words), writeLog });
    await describe(sandbox);
    stopOnSignal(sandbox);
  } catch (error) {
    const reason = error instanceof StartRefused ? error.message : lastWords(error);
    process.stderr.write(`ramp-gateway does not start:\n${reason}\n`);
    process.exitCode = 1;
  }
};

const ownProcessOf = (words: string[]): string[] => {
  try {
    const { values } = parseArgs({ args: words, options: { 'own-process': { type: 'string', default: '' } } });
    return values['own-process'].split(',').filter((id) => id !== '');
  } catch {
    throw new StartRefused(`npm start has one option, as in "npm start -- --own-process alpine,dune". It was given: ${words.join(' ')}`);
  }
};

const describe = async ({ url, server, providers, operatorToken }: Sandbox): Promise<void> => {
  // The start has already loaded this module, so the import takes no time.
  const { providerModules } = await import('../../src/providers/registry.gen.ts');
  const { config, database } = server;
  const configured = config.providers.map(({ id, kind, base_url: address, mode }) => ({
    id,
    what: providerModules.get(kind)?.ramps.join(', ') ?? '',
    url: address,
    mode,
    pid: providers.find((one) => one.id === id)?.pid,
  }));
  const feeds = providers.filter(({ id }) => !config.providers.some((one) => one.id === id)).map((one) => ({ ...one, what: 'price feeds', mode: undefined }));
  const rows = database.kind === 'pglite' ? (process.env['DATA_DIR'] ?? '.data') : undefined;
  const { mode, network } = config;
  say(startText({ url, mode, network, rows, pid: process.pid, providers: [...configured, ...feeds], demo: demoCommand(url, process.env), operatorToken }));
};

const stopOnSignal = ({ server, stop }: Sandbox): void => {
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
};
