/** `npm run order -- <order id, quote id or placing id> [--json]`: where is it, and everything that is stored of it, secrets masked. */
import { lookUpOrder } from '../src/gateway/operator/look-up.ts';
import { sha256Hex } from '../src/seal/hash.ts';
import { command, readArguments, Refused, say, withDatabase } from './ops/tools.ts';

await command(async () => {
  const { words, flags } = readArguments(process.argv.slice(2));
  const [id] = words;
  if (id === undefined || words.length > 1) throw new Refused('usage: npm run order -- <order id, quote id or placing id> [--json]');
  await withDatabase(async ({ stores, record }) => {
    await record('order.read', id);
    const found = await lookUpOrder(stores.operator, sha256Hex, id.toLowerCase(), Date.now());
    if (!found) throw new Refused(`${id}: there is no such order`);
    if (!flags.has('json')) say(`${String(found['where'])}\n`);
    say(JSON.stringify(found, undefined, 2));
  });
});
