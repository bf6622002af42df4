import type { ReceiptKind } from '../domain/receipt.ts';

/** A public Ed25519 key (RFC 8037). */
export type ReceiptKey = { kid: string; kty: 'OKP'; crv: 'Ed25519'; use: 'sig'; alg: 'EdDSA'; x: string };

export type ReceiptSigner = {
  /** Returns a compact JWS over the RFC 8785 form of `what`. */
  sign(what: object, type: string): Promise<string>;
  key(): Promise<ReceiptKey>;
};

export type StoredReceipt = { subjectId: string; kind: ReceiptKind; day: string; number: number; leaf: string; jws: string; madeOn: number };
export type StoredDay = { day: string; size: number; root: string; jws: string };

export type ReceiptStore = {
  /** Returns all receipts of these subjects, oldest first. */
  of(subjectIds: readonly string[]): Promise<StoredReceipt[]>;
  /**
   * Numbers the receipt within the current day (by the database's clock) and stores it. If the subject already has a receipt of this kind, returns
   * the stored one.
   */
  add(receipt: Pick<StoredReceipt, 'subjectId' | 'kind' | 'leaf' | 'jws' | 'madeOn'>, key: ReceiptKey): Promise<StoredReceipt>;
  /** Returns at most `count` leaves of a day, in the order of their numbers, beginning with number `from`. */
  leaves(day: string, from: number, count: number): Promise<string[]>;
  /**
   * Returns the days that have receipts and can be closed now, oldest first. Such a day is later than the newest closed day and the newest restore,
   * and ended at least ten minutes ago by the database's clock.
   */
  openDays(limit: number): Promise<string[]>;
  /** Stores a closed day. Returns false if another instance has closed it already. */
  close(day: StoredDay & { blockRoots: string[]; closedOn: number }, key: ReceiptKey): Promise<boolean>;
  /**
   * Returns the roots of a closed day's blocks of leaves (domain/merkle.ts). Returns undefined if the previous release closed the day, because it
   * stored no such roots.
   */
  blockRoots(day: string): Promise<string[] | undefined>;
  addBlockRoots(day: string, blockRoots: string[]): Promise<void>;
  day(day: string): Promise<StoredDay | undefined>;
  newestDay(): Promise<StoredDay | undefined>;
  keys(): Promise<ReceiptKey[]>;
};
