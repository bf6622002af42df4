/**
 * `npm run restored`: run it after the database was restored from a backup. Pauses new orders and webhooks, resolves and refreshes known orders,
 * reads every provider session, adopts unknown orders in `review`, and resumes traffic. `--hold` only pauses, and `--release` only resumes.
 */
import { catchUp, holdTraffic, releaseTraffic } from '../src/gateway/operator/after-restore.ts';
import { called } from './ops/called.ts';
import { withGateway } from './ops/gateway.ts';
import { command, onOneLine, readArguments, Refused, say } from './ops/tools.ts';

const usage = `usage: ${called('restored', '[--wait <seconds>] [--settle <seconds>] | --hold | --release')}`;
const seconds = (given: string | undefined, fallback: number): number => {
  const value = given === undefined ? fallback : Number(given);
  if (!Number.isFinite(value) || value < 0) throw new Refused(usage);
  return value;
};

await command(async () => {
  const { words, flags } = readArguments(process.argv.slice(2), { plain: ['hold', 'release'], valued: ['wait', 'settle'] });
  if (words.length > 0 || (flags.has('hold') && flags.size > 1) || (flags.has('release') && flags.size > 1)) throw new Refused(usage);
  await withGateway(async (gateway, { actor, record }) => {
    if (flags.has('release')) {
      await record('restored.release', 'gateway');
      await releaseTraffic(gateway);
      return say('released: new orders and webhooks continue');
    }
    await record('restored.hold', 'gateway');
    await holdTraffic(gateway, actor);
    say('held: no new orders are placed, and no webhooks are sent');
    if (flags.has('hold')) return;
    // By the end of this pause, every instance has read the switches.
    await gateway.sleep(seconds(flags.get('wait'), 5) * 1000);
    const done = await catchUp(gateway, seconds(flags.get('settle'), 60) * 1000);
    say(
      `the offers of ${done.quotes} price requests can no longer be ordered; ${done.placings} order attempts were looked up, ${done.unsettled} of them are still unresolved`,
    );
    say(`${done.refreshed} orders read again; ${done.superseded} waiting webhooks were out of date and will not be sent`);
    say(`${done.sessions} provider sessions read, ${done.adopted.length} unknown orders adopted in review`);
    for (const one of done.adopted) say(`  ${one.orderId}  ${one.provider} ${onOneLine(one.upstreamOrderId)} "${onOneLine(one.rawStatus)}"`);
    for (const one of done.unclear)
      say(`  NOT ADOPTED ${one.provider} ${onOneLine(one.upstreamOrderId)} "${onOneLine(one.rawStatus)}": it may be the payment of an open sale`);
    for (const one of done.unreadable) say(`  NOT READ ${one.provider} session ${one.session}: ${one.reason}`);
    await record('restored.release', 'gateway', { adopted: done.adopted.length, unreadable: done.unreadable.length });
    await releaseTraffic(gateway);
    say('released: new orders and webhooks continue');
    if (done.unsettled > 0 || done.unreadable.length > 0) say('Check what could not be read or is still unresolved. It is safe to run this command again.');
  });
});
