/**
 * Shows an operator what providers delivered compared with their quotes, and how much lower their offers rank because of that. Used by the command
 * and over HTTP.
 */
import { decayed, haircutOf, utcDay, type Standing, type Windows } from '../../domain/record.ts';
import type { BrokenRow, EstimatesRow, ProviderFigures, RecordStore, ShownFill } from '../../ports/record.ts';
import type { Settings } from '../../ports/settings.ts';
import { int, isoTime } from '../outward.ts';
import { defaultHaircutBps } from '../pricing/haircut.ts';

export type ShownRecord = Awaited<ReturnType<typeof showRecord>>['providers'][number];
export type RecordView = {
  routing: Settings['routing'];
  providers: readonly { id: string; haircutBps?: number | undefined }[];
  now: number;
  /** The time from which orders, refusals, wins and times to fill are shown, in Unix milliseconds. Routes are stored for a few days only. */
  since: number;
};

/** The offer size for which the haircut is shown. The haircut is the same for all sizes up to a third of `priorSats` (domain/record.ts). */
const usualSats = 100_000n;

export const showRecord = async (store: RecordStore, view: RecordView) => {
  const [{ estimates, broken }, figures] = await Promise.all([store.read(), store.figures(view.since)]);
  const ids = [...new Set([...view.providers.map(({ id }) => id), ...estimates.map((row) => row.providerId), ...broken.map((row) => row.providerId)])];
  return {
    learning: view.routing.learning,
    since: isoTime(view.since),
    providers: ids.map((id) => ({
      provider: id,
      ...showFigures(figures.find((one) => one.providerId === id)),
      promises: broken.filter((row) => row.providerId === id).map((row) => showPromises(row, view)),
      options: estimates
        .filter((row) => row.providerId === id)
        .map((row) => {
          const promises = broken.find((one) => one.providerId === id && one.ramp === row.ramp);
          return showOption(row, promises, view);
        }),
    })),
  };
};

const showFigures = (figures: ProviderFigures | undefined) => ({
  orders: figures?.orders ?? 0,
  quoted_sats: int(figures?.quotedSats ?? 0n),
  delivered_sats: int(figures?.deliveredSats ?? 0n),
  refused: figures?.refused ?? 0,
  price_changed: figures?.priceChanged ?? 0,
  time_to_fill_ms: figures?.fillP50Ms === undefined ? null : { p50: figures.fillP50Ms, p95: figures.fillP95Ms ?? figures.fillP50Ms },
  wins: figures?.wins ?? 0,
  wins_lost_by_haircut: figures?.winsLostByHaircut ?? 0,
});

const today = (row: EstimatesRow | BrokenRow, { now }: RecordView): Windows => decayed(row.windows, utcDay(now) - row.day);
const showWindows = ({ slow, fast }: Windows) => ({
  slow: { quoted_sats: int(slow.quotedSats), delivered_sats: int(slow.deliveredSats) },
  fast: { quoted_sats: int(fast.quotedSats), delivered_sats: int(fast.deliveredSats) },
});
const resetOf = ({ resetOn }: EstimatesRow | BrokenRow) => (resetOn === undefined ? {} : { reset_on: isoTime(resetOn) });

const showPromises = (row: BrokenRow, view: RecordView) => {
  const broken = today(row, view);
  return { ramp: row.ramp, haircut_ppm: haircutOf({ broken }, true, 0, usualSats).ppm, ...showWindows(broken), ...resetOf(row) };
};

const showOption = (row: EstimatesRow, promises: BrokenRow | undefined, view: RecordView) => {
  const pinned = view.providers.find(({ id }) => id === row.providerId)?.haircutBps;
  const estimates = today(row, view);
  const standing: Standing = { estimates, ...(promises ? { broken: today(promises, view) } : {}), ...(pinned === undefined ? {} : { operator: 'pinned' }) };
  const h0Ppm = (pinned ?? defaultHaircutBps(view.routing)) * 100;
  const { ppm, from } = haircutOf(standing, false, h0Ppm, usualSats);
  return {
    ramp: row.ramp,
    currency: row.currency,
    option: row.option,
    estimate_haircut_ppm: ppm,
    haircut_from: from,
    ...showWindows(estimates),
    all: { orders: row.all.orders, quoted_sats: int(row.all.quotedSats), delivered_sats: int(row.all.deliveredSats), since: isoTime(row.all.since) },
    ...resetOf(row),
  };
};

/** Describes fills, one line each. Amounts are in the ramp's units. */
export const explainFills = (fills: readonly ShownFill[]): string[] =>
  fills.map((fill) => {
    const told = fill.toldReceive === undefined ? 'paid and never filled' : `reported ${fill.toldReceive}`;
    const link = fill.linkReceive === undefined ? '' : `, its link pays ${fill.linkReceive}`;
    const sats = `${fill.countedDelivered} of ${fill.countedQuoted} sats`;
    const counted = { estimates: `counts among estimates: ${sats}`, broken: `a broken promise: ${sats}`, none: 'changes no haircut' }[fill.countedIn];
    const lead = fill.leadBps === undefined ? '' : `, ${fill.leadBps} bps ahead of the next`;
    return `${isoTime(fill.filledOn)} ${fill.orderId} ${fill.ramp} ${fill.currency} ${fill.option}: quoted ${fill.quotedReceive}, ${told}${link}; ${counted}${lead}`;
  });
