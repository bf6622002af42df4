/** `npm run customer -- export|forget <customer id>`: exports or deletes a customer's data. `npm run order` shows the id of an order's customer. */
import { readSealKeys } from '../src/config/secrets.ts';
import { createSeal } from '../src/seal/seal.ts';
import { called } from './ops/called.ts';
import { exportCustomer, forgetCustomer, unfinished } from './ops/customer-data.ts';
import { command, readArguments, Refused, say, withDatabase } from './ops/tools.ts';

const usage = `usage: ${called('customer', 'export|forget <customer id>')}`;

const sealOf = () => {
  const read = readSealKeys(process.env);
  if (!read.ok) throw new Refused(read.mistakes.join('\n'));
  return createSeal(read.keys);
};

await command(async () => {
  const [verb, id = ''] = readArguments(process.argv.slice(2)).words;
  if ((verb !== 'export' && verb !== 'forget') || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) throw new Refused(usage);
  await withDatabase(async ({ sql, record }) => {
    await record(`customer.${verb}`, id);
    if (verb === 'export') {
      const data = await exportCustomer(sql, sealOf(), id);
      if (!data) throw new Refused(`${id}: there is no such customer`);
      return say(JSON.stringify(data, undefined, 2));
    }
    const open = await unfinished(sql, id);
    if (open.length > 0) throw new Refused(`not deleted, because money may still move:\n${open.map((one) => `  ${one}`).join('\n')}`);
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
