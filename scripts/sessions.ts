/**
 * `npm run sessions -- revoke --app <id> | --customer <id> [--new-secret] | --all`: ends those sessions at once. Orders that were placed in them are
 * still followed. `--new-secret` also replaces the customer's recovery secret, and prints the new secret once.
 */
import { randomBytes } from 'node:crypto';
import { sha256Hex } from '../src/seal/hash.ts';
import { called } from './ops/called.ts';
import { command, readArguments, readConfig, Refused, say, withDatabase } from './ops/tools.ts';

const usage = `usage: ${called('sessions', 'revoke --app <id> | --customer <id> [--new-secret] | --all')}`;

await command(async () => {
  const { words, flags } = readArguments(process.argv.slice(2), { plain: ['all', 'new-secret'], valued: ['app', 'customer'] });
  const { app, customer, all } = { app: flags.get('app'), customer: flags.get('customer'), all: flags.has('all') };
  const chosen = [app, customer, all ? 'all' : undefined].filter((one) => one !== undefined);
  const isNewSecret = flags.has('new-secret');
  if (words[0] !== 'revoke' || words.length > 1 || chosen.length !== 1 || app === '' || customer === '') throw new Refused(usage);
  if (isNewSecret && customer === undefined) throw new Refused('--new-secret needs --customer: each customer must be given their own');
  if (customer !== undefined && !/^[0-9a-f-]{36}$/.test(customer)) throw new Refused(`--customer needs the id that ${called('order')} shows`);
  await withDatabase(async ({ sql, stores, record }) => {
    const subject = app === undefined ? (customer === undefined ? 'all' : `customer ${customer}`) : `app ${app}`;
    await record('sessions.revoke', subject, isNewSecret ? { new_secret: 1 } : undefined);
    const secret = randomBytes(32).toString('base64url');
    // The secret is replaced before the sessions end: otherwise the old secret could open a new session in between.
    if (isNewSecret && customer !== undefined && !(await stores.operator.replaceRecovery(customer, sha256Hex(secret))))
      throw new Refused('this customer has no recovery secret: there is no such customer, or the customer was forgotten');
    const revoked = await stores.operator.revokeSessions(
      { ...(app === undefined ? {} : { appId: app }), ...(customer === undefined ? {} : { customerId: customer }) },
      Date.now(),
    );
    // Sessions of an app that was removed from the configuration can be revoked, too, so the app is looked up only if nothing was revoked.
    if (revoked === 0 && app !== undefined && !Object.hasOwn(readConfig().config.apps, app))
      throw new Refused(`no session revoked: there is no app "${app}" in the configuration`);
    if (revoked === 0 && customer !== undefined && (await sql`select 1 from customers where id = ${customer}`).length === 0)
      throw new Refused(`no session revoked: there is no customer ${customer}`);
    say(`${revoked} session(s) revoked`);
    if (isNewSecret)
      say(`recovery_secret ${secret}\nIt is shown only here. Give it only to the customer: without a node key, it is all that opens their orders.`);
  });
});
