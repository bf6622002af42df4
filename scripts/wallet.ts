/**
 * `npm run wallet -- <what>`: a Lightning wallet for the sandbox, so that a sale or a purchase of a channel can be finished from a shell. Its
 * node key is made once and stored in the data folder. docs/sandbox.md shows how to use it.
 */
import './load-env.ts';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signNodeMessage } from '../src/bitcoin/node-signature.ts';
import { createWallet } from './demo/wallet.ts';
import { connectPeer, payAddress, redeemChannel } from './sandbox/lightning.ts';
import { notedSandbox } from './sandbox/notes.ts';
import { root } from './sandbox/sandbox-file.ts';

const gateway = process.env['GATEWAY_URL'] ?? `http://127.0.0.1:${process.env['PORT'] ?? '8787'}`;
const dataDir = process.env['DATA_DIR'] ?? join(root, '.data');

const nodeKey = (): string => {
  const file = join(dataDir, 'wallet.json');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  if (!existsSync(file)) writeFileSync(file, JSON.stringify({ node_key: randomBytes(32).toString('hex') }), { mode: 0o600 });
  return (JSON.parse(readFileSync(file, 'utf8')) as { node_key: string }).node_key;
};
const wallet = () => createWallet(gateway, nodeKey());
const simulators = () => notedSandbox([dataDir, join(dataDir, 'worker')], gateway);

/** The commands by name: the arguments of each, what it does, and its function, which returns the line to print. */
const commands: Record<string, { takes: string[]; does: string; run: (...words: string[]) => Promise<string> | string }> = {
  open: { takes: [], does: 'opens a session with a proof of the node key, and prints its session_id', run: async () => (await wallet().open()).sessionId },
  key: { takes: [], does: 'prints the public key of the node', run: () => wallet().pubkey },
  sign: { takes: ['text'], does: 'signs a string with the node key, as `signmessage` of LND does', run: (text = '') => signNodeMessage(text, nodeKey()) },
  pay: {
    takes: ['lightning address', 'sats'],
    does: 'pays a Lightning address of the sandbox, and prints the invoice',
    run: async (address = '', sats = '') => await payAddress(simulators(), address, Number(sats)),
  },
  withdraw: {
    takes: ['lnurl'],
    does: 'claims the sats of a withdrawal link',
    run: async (lnurl = '') => {
      const { sats, answer } = await wallet().withdraw(lnurl);
      return `${sats} sats: ${JSON.stringify(answer)}`;
    },
  },
  redeem: {
    takes: ['lnurl'],
    does: 'redeems the link of a bought channel',
    run: async (lnurl = '') => JSON.stringify(await redeemChannel(lnurl, wallet().pubkey)),
  },
  connect: {
    takes: ['connect_to'],
    does: 'connects the node to a seller of channels',
    run: async (uri = '') => {
      await connectPeer(simulators(), uri, wallet().pubkey);
      return 'connected';
    },
  },
};

const usage = (): string =>
  [
    'npm run wallet -- …',
    ...Object.entries(commands).map(([name, { takes, does }]) => `  ${[name, ...takes.map((one) => `<${one}>`)].join(' ').padEnd(34)} ${does}`),
  ].join('\n');

const [name = '', ...words] = process.argv.slice(2);
const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
const end = (text: string): void => {
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
};
if (command?.takes.length !== words.length) end(usage());
else
  try {
    process.stdout.write(`${await command.run(...words)}\n`);
  } catch (error) {
    const isAway = error instanceof TypeError && error.message === 'fetch failed';
    end(isAway ? `nothing answers at ${gateway}: start the gateway with npm start` : error instanceof Error ? error.message : String(error));
  }
