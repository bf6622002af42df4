/**
 * `npm run record [-- --days <n>] [--json]`: prints the orders, quoted and delivered sats, haircut, refusals, times and wins of every provider.
 * `npm run record -- <provider> --why`: prints the figures behind the provider's haircuts, and its fills, the largest shortfall first.
 * `npm run record -- <provider> --reset --reason "<why>"`: clears the provider's sums. Later news about earlier fills no longer changes the sums.
 */
import { explainFills, showRecord, type ShownRecord } from '../src/gateway/operator/show-record.ts';
import { called } from './ops/called.ts';
import type { Ops } from './ops/tools.ts';
import { command, readArguments, readConfig, Refused, say, withDatabase } from './ops/tools.ts';

const day = 86_400_000;

const reset = async ({ stores, record }: Ops, provider: string, reason: string): Promise<void> => {
  if (reason === '') throw new Refused('--reset needs --reason');
  await record('record.reset', provider, { reason });
  const rows = await stores.record.reset(provider, Date.now());
  if (rows === 0) throw new Refused(`${provider}: no figures are stored for a provider of this name, so nothing was cleared`);
  say(`${provider}: cleared ${rows} rows of figures. Within 30 seconds, every instance ranks without them`);
};

const line = (one: ShownRecord): string[] => {
  const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
  const times = one.time_to_fill_ms ? `, filled after ${seconds(one.time_to_fill_ms.p50)} (p95 ${seconds(one.time_to_fill_ms.p95)})` : '';
  return [
    `${one.provider}: ${one.orders} orders, quoted ${one.quoted_sats} sats, delivered ${one.delivered_sats}${times}; refused ${one.refused}, price changed ${one.price_changed}; won ${one.wins}, lost ${one.wins_lost_by_haircut} to haircuts or preferences`,
    ...one.promises.map((cut) => `  ${cut.ramp}, binding offers: ${cut.haircut_ppm} ppm`),
    ...one.options.map((cut) => `  ${cut.ramp} ${cut.currency} ${cut.option}, estimates: ${cut.estimate_haircut_ppm} ppm (${cut.haircut_from})`),
  ];
};

type Sums = { quoted_sats: number; delivered_sats: number };
const ofQuoted = ({ quoted_sats, delivered_sats }: Sums): string => `${delivered_sats} of ${quoted_sats} sats delivered`;
/** Describes the sums that the haircuts are made of. */
const why = (one: ShownRecord): string[] => [
  ...one.promises.map((cut) => `  ${cut.ramp}, promises that were broken: over weeks ${ofQuoted(cut.slow)}, over days ${ofQuoted(cut.fast)}${cleared(cut)}`),
  ...one.options.flatMap((cut) => [
    `  ${cut.ramp} ${cut.currency} ${cut.option}, estimates: over weeks ${ofQuoted(cut.slow)}, over days ${ofQuoted(cut.fast)}${cleared(cut)}`,
    `  ${cut.ramp} ${cut.currency} ${cut.option}, all ${cut.all.orders} orders since ${cut.all.since}: ${ofQuoted(cut.all)}`,
  ]),
];
const cleared = ({ reset_on: on }: { reset_on?: string }): string => (on === undefined ? '' : `, cleared ${on}`);

await command(async () => {
  const { words, flags } = readArguments(process.argv.slice(2), { plain: ['why', 'json', 'reset'], valued: ['days', 'reason'] });
  const [provider] = words;
  const days = Number(flags.get('days') ?? 1);
  if (words.length > 1 || !Number.isInteger(days) || days < 1)
    throw new Refused(`usage: ${called('record', '[<provider>] [--why] [--days <n>] [--json] | <provider> --reset --reason "<why>"')}`);
  const { config } = readConfig();
  await withDatabase(async (ops) => {
    if (flags.has('reset')) {
      if (provider === undefined) throw new Refused('--reset needs a provider');
      return await reset(ops, provider, flags.get('reason') ?? '');
    }
    await ops.record('record.read', provider ?? 'all');
    const view = { routing: config.routing, providers: config.providers.map(({ id, haircut_bps }) => ({ id, haircutBps: haircut_bps })), now: Date.now() };
    const shown = await showRecord(ops.stores.record, { ...view, since: view.now - days * day });
    const found = shown.providers.filter((one) => provider === undefined || one.provider === provider);
    if (found.length === 0) throw new Refused(provider === undefined ? 'no providers are configured' : `${provider}: there is no such provider`);
    if (flags.has('json')) return say(JSON.stringify({ ...shown, providers: found }, undefined, 2));
    for (const one of found) for (const text of line(one)) say(text);
    if (!flags.has('why') || provider === undefined) return;
    for (const text of found.flatMap(why)) say(text);
    const fills = await ops.stores.record.fills(provider, 20);
    say(fills.length === 0 ? 'no fills yet' : 'its fills, the largest shortfall first:');
    for (const text of explainFills(fills)) say(`  ${text}`);
  });
});
