import type { RuleVersion } from '../domain/policy.ts';
import type { Ramp } from '../domain/ramp.ts';
import type { Fill, Windows } from '../domain/record.ts';
import type { Order } from './orders.ts';

/** One row of sums: its key, the UTC day to which the sums are decayed, and when the operator cleared them. */
type Row = { providerId: string; ramp: Ramp; day: number; windows: Windows; resetOn?: number };
export type EstimatesRow = Row & {
  currency: string;
  option: string;
  /** All fills with this option that say anything about the provider, without decay. They are only shown. */
  all: { orders: number; quotedSats: bigint; deliveredSats: bigint; since: number };
};
export type BrokenRow = Row;
export type RecordRows = { estimates: EstimatesRow[]; broken: BrokenRow[] };
/** The record as one instance last read it: the sums as they count on the day of the read, and the version of the rules for new routes. */
export type RecordState = {
  readOn: number;
  /** Set if this instance has added to the sums since it read them. */
  hasNews?: boolean;
  hash: string;
  version: RuleVersion;
  options: Map<string, EstimatesRow>;
  broken: Map<string, BrokenRow>;
};

/** What an operator sees about one provider since a given time. Wins are counted from routes, which are kept only for days. */
export type ProviderFigures = {
  providerId: string;
  orders: number;
  quotedSats: bigint;
  deliveredSats: bigint;
  refused: number;
  priceChanged: number;
  fillP50Ms?: number;
  fillP95Ms?: number;
  wins: number;
  winsLostByHaircut: number;
};
/** A fill, and how it counted, as the operator's command shows it with `--why`. */
export type ShownFill = Omit<Fill, 'quotedOn' | 'referenceQuoted' | 'referenceFilled'> & {
  orderId: string;
  currency: string;
  option: string;
  leadBps?: number;
  countedIn: 'estimates' | 'broken' | 'none';
  countedQuoted: bigint;
  countedDelivered: bigint;
};

/** The most sats that count for one network (one IPv4 address or /64), and for the /48 around it (domain/network.ts). */
export type NetworkSats = { own: bigint; wide: bigint };

export type RecordStore = {
  read(): Promise<RecordRows>;
  /**
   * Adds orders that the record lacks, each exactly once: fills that were not counted when they happened, and orders that their providers reported as
   * paid before `unfilledBefore` and that are not, or no longer, filled. Checks at most `limit` orders, but not those in `without`, and returns how
   * many it checked. An order that cannot be counted is passed to `failed`, and stops no other. Without `failed`, the error is thrown.
   */
  addMissing(
    now: number,
    unfilledBefore: number,
    limit: number,
    without?: readonly string[],
    failed?: (orderId: string, error: unknown) => void,
  ): Promise<number>;
  /**
   * Stores what an order's withdrawal link pays, or, without `receive`, that the link was not read. If the order's fill counts in the provider's
   * record, counts it again with that amount. Call it before any link is given out: afterwards, the customer may have withdrawn a part, so the amount
   * would say nothing. Returns true for the first call for an order. Later calls do nothing and return false.
   */
  linkRead(orderId: string, receive: bigint | undefined, now: number): Promise<boolean>;
  /**
   * Records an order as paid and never filled, because the operator has proof of payment. That includes an order whose provider reports a refund that
   * never arrived. Returns false if there is nothing to record: for example, the order was delivered, already counts as never filled, does not exist,
   * or has changed since the operator saw it (`seen`).
   */
  paidNotFilled(orderId: string, now: number, seen?: Order): Promise<boolean>;
  /**
   * Returns the sats that customers have paid to this provider, or may still pay, for orders that it has not filled. An unpaid order counts only for
   * as long as its money may take to arrive, or while its payment may be on its way. Orders that are not known to be paid in full count for at most
   * `most` for each network: they cost a customer next to nothing, and must not block a provider for others.
   */
  inFlight(providerId: string, most: NetworkSats, now: number): Promise<bigint>;
  /** Clears a provider's sums. Returns how many rows were cleared. */
  reset(providerId: string, now: number): Promise<number>;
  figures(since: number): Promise<ProviderFigures[]>;
  /** Returns at most `limit` fills of one provider, the largest shortfall first. */
  fills(providerId: string, limit: number): Promise<ShownFill[]>;
  /** Returns whether an instance of the previous release has stored a route after `since`. Such an instance can read only routes of version 1. */
  oldReaders(since: number): Promise<boolean>;
};
