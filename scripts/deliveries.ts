/** `npm run deliveries -- list [due|dead|disabled|delivered|superseded]` and `npm run deliveries -- resend <id>…|--dead`. */
import type { DeliveryState } from '../src/ports/deliveries.ts';
import { called } from './ops/called.ts';
import { command, readArguments, Refused, say, withDatabase } from './ops/tools.ts';

const states: readonly string[] = ['due', 'dead', 'disabled', 'delivered', 'superseded'];
const isState = (word: string): word is DeliveryState => states.includes(word);
const usage = `usage: ${called('deliveries', 'list [due|dead|disabled|delivered|superseded] | resend <id>… | resend --dead')}`;
const most = 200;

await command(async () => {
  const { words, flags } = readArguments(process.argv.slice(2));
  const [verb, ...rest] = words;
  if (verb === 'list') {
    const [state] = rest;
    if (state !== undefined && !isState(state)) throw new Refused(usage);
    await withDatabase(async ({ stores, record }) => {
      await record('deliveries.list', state ?? 'all');
      const found = await stores.deliveries.list({ ...(state === undefined ? {} : { state }), limit: most });
      for (const one of found)
        say(
          `${one.id}  ${one.state.padEnd(10)} ${one.type.padEnd(22)} ${one.host.padEnd(28)} attempt ${one.attempt}  ${one.lastOutcome ?? '-'}  ${new Date(one.state === 'due' ? one.dueOn : (one.doneOn ?? one.createdOn)).toISOString()}  about ${one.subjectId}`,
        );
      say(`${found.length} shown${found.length === most ? `, the newest ${most}` : ''}`);
    });
  } else if (verb === 'resend' && (rest.length > 0 || flags.has('dead'))) {
    await withDatabase(async ({ stores, record }) => {
      const ids = flags.has('dead') ? (await stores.deliveries.list({ state: 'dead', limit: 10_000 })).map((one) => one.id) : rest;
      for (const id of ids) {
        await record('deliveries.resend', id);
        const due = await stores.deliveries.resend(id, Date.now());
        say(due ? `${id}  due now, under the same id` : `${id}  not sent again: there is no such webhook, it is already due, or a newer one has replaced it`);
        if (!due) process.exitCode = 1;
      }
    });
  } else throw new Refused(usage);
});
