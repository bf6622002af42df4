/**
 * A process that runs one purchase (purchase.ts). KILL_AT=n ends it with SIGKILL at its n-th step. With BUY=50.00, it buys for that amount if nothing
 * is open. Writes one line of JSON.
 */
import { purchase } from './purchase.ts';

const { GATEWAY: url = '', STORE: folder = '', KILL_AT: killAt, BUY: buys, NODE_KEY: key = '' } = process.env;
const atStep = (steps: number): void => {
  if (String(steps) === killAt) process.kill(process.pid, 'SIGKILL');
};
process.stdout.write(`${JSON.stringify(await purchase({ url, folder, key, buys, atStep }))}\n`);
