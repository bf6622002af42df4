/** Sums up the gateway's figures by provider: over the whole time for the table, and by hour or day for the charts. */
import type { Series } from './api.ts';

/** Which of the figures count. A filter without a value matches everything. */
export type Filter = { ramp?: string | undefined; currency?: string | undefined; option?: string | undefined };
type Of = { ramp: string; currency: string; option: string };
export const isIn =
  (filter: Filter) =>
  (one: Of): boolean =>
    (filter.ramp === undefined || one.ramp === filter.ramp) &&
    (filter.currency === undefined || one.currency === filter.currency) &&
    (filter.option === undefined || one.option === filter.option);

export type Sums = {
  provider: string;
  offers: number;
  won: number;
  /** How often the provider was asked but had no offer in the ranking. */
  without: number;
  /** The provider's share of the decisions that had a winner, in ppm. */
  winPpm: number | null;
  /** How far the provider's offers were behind the best offer, on average. null if the provider had no offers. */
  behindBps: number | null;
  fills: number;
  quotedSats: number;
  deliveredSats: number;
  /** Delivered minus quoted, in basis points of what was quoted. */
  deliveredBps: number | null;
};

const ratio = (part: number, whole: number, scale: number): number | null => (whole === 0 ? null : (part * scale) / whole);
const total = <T>(rows: readonly T[], of: (row: T) => number): number => rows.reduce((sum, row) => sum + of(row), 0);
const deliveredBps = (fills: Series['fills']): number | null => {
  const quoted = total(fills, (one) => one.quoted_sats);
  return ratio(total(fills, (one) => one.delivered_sats) - quoted, quoted, 10_000);
};
/** Returns the mean of the given means, each weighted by its number of offers. null if there is none. */
const behindBps = (offers: Series['offers']): number | null => {
  const known = offers.filter((one) => one.behind_best_bps !== null);
  return ratio(
    total(known, (one) => (one.behind_best_bps ?? 0) * one.offers),
    total(known, (one) => one.offers),
    1,
  );
};

/** Returns a row for each provider, the one with the most wins first. */
export const sumsOf = ({ offers: all, fills: allFills }: Series, filter: Filter): Sums[] => {
  const [offers, fills] = [all.filter(isIn(filter)), allFills.filter(isIn(filter))];
  const decided = total(offers, (one) => one.won);
  const providers = [...new Set([...offers, ...fills].map(({ provider }) => provider))];
  return providers
    .map((provider): Sums => {
      const [its, itsFills] = [offers.filter((one) => one.provider === provider), fills.filter((one) => one.provider === provider)];
      const won = total(its, (one) => one.won);
      return {
        provider,
        offers: total(its, (one) => one.offers),
        won,
        without: total(its, (one) => one.excluded + one.refused + one.failed),
        winPpm: ratio(won, decided, 1_000_000),
        behindBps: behindBps(its),
        fills: total(itsFills, (one) => one.fills),
        quotedSats: total(itsFills, (one) => one.quoted_sats),
        deliveredSats: total(itsFills, (one) => one.delivered_sats),
        deliveredBps: deliveredBps(itsFills),
      };
    })
    .toSorted((a, b) => b.won - a.won || b.offers - a.offers || (a.provider < b.provider ? -1 : 1));
};

/** The points of a chart. `x`: Unix seconds. `values`: for each `x`, the value of one provider, or null if there is none. */
export type Lines = { x: number[]; lines: { provider: string; values: (number | null)[] }[] };
export const kinds = ['share', 'behind', 'delivered'] as const;
export type Kind = (typeof kinds)[number];

/** Returns a line for each of the providers, in the order given. Hours or days without any figure have no point. */
export const linesOf = (series: Series, filter: Filter, kind: Kind, providers: readonly string[]): Lines => {
  const [offers, fills] = [series.offers.filter(isIn(filter)), series.fills.filter(isIn(filter))];
  const times = [...new Set((kind === 'delivered' ? fills : offers).map(({ on }) => on))].toSorted();
  const offersAt = Map.groupBy(offers, ({ on }) => on);
  const fillsAt = Map.groupBy(fills, ({ on }) => on);
  const valueOf = (provider: string, on: string): number | null => {
    const its = (offersAt.get(on) ?? []).filter((one) => one.provider === provider);
    if (kind === 'behind') return behindBps(its);
    if (kind === 'delivered') return deliveredBps((fillsAt.get(on) ?? []).filter((one) => one.provider === provider));
    return its.length === 0
      ? null
      : ratio(
          total(its, (one) => one.won),
          total(offersAt.get(on) ?? [], (one) => one.won),
          100,
        );
  };
  return {
    x: times.map((on) => Date.parse(on) / 1000),
    lines: providers.map((provider) => ({ provider, values: times.map((on) => valueOf(provider, on)) })),
  };
};
