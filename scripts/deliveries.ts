/** `npm run deliveries -- list [due|dead|disabled|delivered|superseded] [--json]` and `npm run deliveries -- resend <id>…|--dead`. */
import type { Delivery, DeliveryState } from '../src/ports/deliveries.ts';
import { called } from './ops/called.ts';
import { command, readArguments, Refused, say, withDatabase } from './ops/tools.ts';

const states: readonly string[] = ['due', 'dead', 'disabled', 'delivered', 'superseded'];
const isState = (word: string): word is DeliveryState => states.includes(word);
const usage = `usage: ${called('deliveries', 'list [due|dead|disabled|delivered|superseded] [--json] | resend <id>… | resend --dead')}`;
const most = 200;

const time = (ms: number): string => new Date(ms).toISOString();
/** Says when a webhook is next tried or, if it is no longer tried, when that was decided. */
const timeOf = (one: Delivery): string => (one.state === 'due' ? `next try ${time(one.dueOn)}` : `at ${time(one.doneOn ?? one.createdOn)}`);
const line = (one: Delivery): string =>
  `${one.id}  ${one.state.padEnd(10)} ${one.type.padEnd(22)} ${one.host.padEnd(28)} tries ${one.attempt}  ${one.lastOutcome ?? '-'}  ${timeOf(one)}  about ${one.subjectId}`;
const shown = (one: Delivery) => ({
  id: one.id,
  state: one.state,
  type: one.type,
  host: one.host,
  subject_id: one.subjectId,
  sequence: one.sequence,
  attempts: one.attempt,
  last_outcome: one.lastOutcome,
  created_on: time(one.createdOn),
  due_on: one.state === 'due' ? time(one.dueOn) : undefined,
  done_on: one.doneOn === undefined ? undefined : time(one.doneOn),
});

await command(async () => {
  const { words, flags } = readArguments(process.argv.slice(2), { plain: ['dead', 'json'] });
  const [verb, ...rest] = words;
  if (verb === 'list') {
    const [state] = rest;
    if ((state !== undefined && !isState(state)) || rest.length > 1 || flags.has('dead')) throw new Refused(usage);
    await withDatabase(async ({ stores, record }) => {
      await record('deliveries.list', state ?? 'all');
      const found = await stores.deliveries.list({ ...(state === undefined ? {} : { state }), limit: most });
      if (flags.has('json')) return say(JSON.stringify(found.map(shown), undefined, 2));
      for (const one of found) say(line(one));
      say(`${found.length} shown${found.length === most ? `, the newest ${most}` : ''}`);
    });
    // Webhooks are named either by their ids or by --dead. If both were given, one of them would be ignored.
  } else if (verb === 'resend' && rest.length > 0 !== flags.has('dead') && !flags.has('json')) {
    await withDatabase(async ({ stores, record }) => {
      const ids = flags.has('dead') ? (await stores.deliveries.list({ state: 'dead', limit: 10_000 })).map((one) => one.id) : rest;
      if (ids.length === 0) say('nothing to send: no webhook is dead');
      for (const id of ids) {
        await record('deliveries.resend', id);
        const due = await stores.deliveries.resend(id, Date.now());
        say(due ? `${id}  due now, under the same id` : `${id}  not sent again: there is no such webhook, it is being sent, or a newer one has replaced it`);
        if (!due) process.exitCode = 1;
      }
    });
  } else throw new Refused(usage);
});
