import type { RuleVersion } from '../domain/policy.ts';
import type { Ramp } from '../domain/ramp.ts';
import type { Fill, Windows } from '../domain/record.ts';

/** One row of sums: its key, the UTC day of the sums, and when the operator cleared them. */
type Row = { providerId: string; ramp: Ramp; day: number; windows: Windows; resetOn?: number };
export type EstimatesRow = Row & {
  currency: string;
  option: string;
  /** All fills of the option without decay, for display. */
  all: { orders: number; quotedSats: bigint; deliveredSats: bigint; since: number };
};
export type BrokenRow = Row;
export type RecordRows = { estimates: EstimatesRow[]; broken: BrokenRow[] };
/** As one instance last read it: the sums as they count today, and the route version that every instance can read. */
export type RecordState = {
  readOn: number;
  /** This instance has added to the sums since it read them. */
  hasNews?: boolean;
  hash: string;
  version: RuleVersion;
  options: Map<string, EstimatesRow>;
  broken: Map<string, BrokenRow>;
};

/** What an operator reads about one provider. Counts and times since a given time; routes live for only days. */
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
/** A fill for `--why`, and how it counted. */
export type ShownFill = Omit<Fill, 'quotedOn' | 'referenceQuoted' | 'referenceFilled'> & {
  orderId: string;
  currency: string;
  option: string;
  leadBps?: number;
  countedIn: 'estimates' | 'broken' | 'none';
  countedQuoted: bigint;
  countedDelivered: bigint;
};

export type RecordStore = {
  read(): Promise<RecordRows>;
  /**
   * Adds the previous release's fills, and orders that their providers said were paid before `unfilledBefore` and are not filled, or no longer, each
   * exactly once. Returns how many it checked.
   */
  addMissing(now: number, unfilledBefore: number, limit: number): Promise<number>;
  /**
   * Call before a withdrawal link is given out. Stores what it pays, and takes what is missing off the record. Only the first call for an order does
   * anything, with or without an amount, and returns true: afterwards the customer may have taken a part of the link.
   */
  linkRead(orderId: string, receive: bigint | undefined, now: number): Promise<boolean>;
  /** The operator has proof of payment for an order that was never filled. False if it was filled, or is no order. */
  paidNotFilled(orderId: string, now: number): Promise<boolean>;
  /**
   * The sats that customers have paid this provider, or may pay it, and that it has not filled. An unpaid order counts as long as its money may take
   * to arrive. One network's unpaid orders count only up to `networkSats`: orders are free, and must not block a provider for others.
   */
  inFlight(providerId: string, networkSats: bigint, now: number): Promise<bigint>;
  /** Returns how many rows were cleared. */
  reset(providerId: string, now: number): Promise<number>;
  figures(since: number): Promise<ProviderFigures[]>;
  /** The fills of one provider, those that fell short most first. */
  fills(providerId: string, limit: number): Promise<ShownFill[]>;
  /** Returns whether an instance of the previous release has stored a route since then. It can read only version 1. */
  oldReaders(since: number): Promise<boolean>;
};
