import type { RuleVersion } from '../domain/policy.ts';
import type { Ramp } from '../domain/ramp.ts';
import type { Fill, Windows } from '../domain/record.ts';

/** One row of sums: which it is, the UTC day that they stand for, and when the operator cleared them. */
type Row = { providerId: string; ramp: Ramp; day: number; windows: Windows; resetOn?: number };
export type EstimatesRow = Row & {
  currency: string;
  option: string;
  /** All fills of the option without decay, for the eye. */
  all: { orders: number; quotedSats: bigint; deliveredSats: bigint; since: number };
};
export type BrokenRow = Row;
export type RecordRows = { estimates: EstimatesRow[]; broken: BrokenRow[] };
/** As one instance read it last: sums as they count today, and the version of a route that every instance reads. */
export type RecordState = { readOn: number; hash: string; version: RuleVersion; options: Map<string, EstimatesRow>; broken: Map<string, BrokenRow> };

/** What an operator reads of one provider. Counts and times since a moment; routes live for days only. */
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
/** A fill for `--why`, and how it was counted. */
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
  /** Adds fills that the release before made, and orders that were paid `unfilledBefore` and never filled, each exactly once. How many it looked at. */
  addMissing(now: number, unfilledBefore: number, limit: number): Promise<number>;
  /** What the withdrawal link of an order pays: kept with the order, and what is missing is taken off the record. */
  linkRead(orderId: string, receive: bigint, now: number): Promise<void>;
  /** The operator holds the proof of payment of an order that was never filled. False where it was filled, or is no order. */
  paidNotFilled(orderId: string, now: number): Promise<boolean>;
  /**
   * Sats that customers paid this provider, or may pay it, and that it has not filled. What nobody paid counts for as long as the money needs to
   * arrive, and of one network up to `networkSats` only: orders cost nothing, and must not keep a provider from others.
   */
  inFlight(providerId: string, networkSats: bigint, now: number): Promise<bigint>;
  /** The number of rows that were cleared. */
  reset(providerId: string, now: number): Promise<number>;
  figures(since: number): Promise<ProviderFigures[]>;
  /** Of one provider, those that missed most first. */
  fills(providerId: string, limit: number): Promise<ShownFill[]>;
  /** Whether an instance of the release before stored a route since then: it reads version 1 alone. */
  oldReaders(since: number): Promise<boolean>;
};
