/** `npm run sessions -- revoke --app <id> | --customer <id> | --all`: ends those sessions at once. Their orders are still followed. */
import { command, readArguments, Refused, say, withDatabase } from './ops/tools.ts';

const usage = 'usage: npm run sessions -- revoke --app <id> | --customer <id> | --all';

await command(async () => {
  const { words, flags } = readArguments(process.argv.slice(2));
  const { app, customer, all } = { app: flags.get('app'), customer: flags.get('customer'), all: flags.has('all') };
  const chosen = [app, customer, all ? 'all' : undefined].filter((one) => one !== undefined);
  if (words[0] !== 'revoke' || chosen.length !== 1 || app === '' || customer === '') throw new Refused(usage);
  if (customer !== undefined && !/^[0-9a-f-]{36}$/.test(customer)) throw new Refused('--customer needs the id that npm run order shows');
  await withDatabase(async ({ stores, record }) => {
    await record('sessions.revoke', app === undefined ? (customer === undefined ? 'all' : `customer ${customer}`) : `app ${app}`);
    const revoked = await stores.operator.revokeSessions(
      { ...(app === undefined ? {} : { appId: app }), ...(customer === undefined ? {} : { customerId: customer }) },
      Date.now(),
    );
    say(`${revoked} session(s) revoked`);
  });
});
