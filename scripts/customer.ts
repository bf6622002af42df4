/**
 * `npm run customer -- export|forget <customer id>`: exports or deletes a customer's data. `npm run order` shows the id of an order's customer.
 * `npm run customer -- release <provider> <e-mail or address>`: lets the owner of that e-mail or address use it at that provider, although another
 * customer named it first. The other customer's account at that provider is removed from the gateway.
 */
import { readSealKeys } from '../src/config/secrets.ts';
import { sha256Hex } from '../src/seal/hash.ts';
import { createSeal } from '../src/seal/seal.ts';
import { called } from './ops/called.ts';
import { exportCustomer, forgetCustomer, releaseName, unfinished } from './ops/customer-data.ts';
import { command, readArguments, Refused, say, withDatabase } from './ops/tools.ts';

const usage = `usage: ${called('customer', 'export|forget <customer id>')}
       ${called('customer', 'release <provider> <e-mail or address>')}`;

const sealOf = () => {
  const read = readSealKeys(process.env);
  if (!read.ok) throw new Refused(read.mistakes.join('\n'));
  return createSeal(read.keys);
};

/** Releases an e-mail or address. It is personal data, so the log of actions gets only its hash. */
const release = async (provider: string, name: string): Promise<void> =>
  await withDatabase(async ({ sql, record }) => {
    await record('customer.release', provider, { name: sha256Hex(name.trim().toLowerCase()) });
    const released = await releaseName(sql, provider, name, Date.now());
    if (released === 0) throw new Refused(`no account at "${provider}" uses this e-mail or address`);
    say(`released: ${released} account(s) removed. The next customer who names this e-mail or address at "${provider}" is logged in there as its user`);
  });

await command(async () => {
  const [verb, id = '', name = '', ...more] = readArguments(process.argv.slice(2)).words;
  if (verb === 'release' && id !== '' && name.trim() !== '' && more.length === 0) return await release(id, name);
  if ((verb !== 'export' && verb !== 'forget') || name !== '' || more.length > 0 || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id))
    throw new Refused(usage);
  await withDatabase(async ({ sql, record }) => {
    await record(`customer.${verb}`, id);
    if (verb === 'export') {
      const data = await exportCustomer(sql, sealOf(), id);
      if (!data) throw new Refused(`${id}: there is no such customer`);
      return say(JSON.stringify(data, undefined, 2));
    }
    const open = await unfinished(sql, id);
    if (open.length > 0) throw new Refused(`nothing was deleted, because money may still move:\n${open.map((one) => `  ${one}`).join('\n')}`);
    const counts = await forgetCustomer(sql, id);
    if (!counts) throw new Refused(`${id}: there is no such customer`);
    say(
      `forgotten: ${Object.entries(counts)
        .map(([table, n]) => `${table} ${n}`)
        .join(', ')}`,
    );
    say(
      'Kept: amounts, dates and stages of orders, under an id that identifies nobody. Providers keep their own records: the customer must ask them directly.',
    );
    say('Backups still hold the data until they are rotated out.');
  });
});
