import type { ReceiptKind } from '../domain/receipt.ts';

/** A public Ed25519 key (RFC 8037). */
export type ReceiptKey = { kid: string; kty: 'OKP'; crv: 'Ed25519'; use: 'sig'; alg: 'EdDSA'; x: string };

export type ReceiptSigner = {
  /** A compact JWS over the RFC 8785 form of `what`. */
  sign(what: object, type: string): Promise<string>;
  key(): Promise<ReceiptKey>;
};

export type StoredReceipt = { subjectId: string; kind: ReceiptKind; day: string; number: number; leaf: string; jws: string; madeOn: number };
export type StoredDay = { day: string; size: number; root: string; jws: string };

export type ReceiptStore = {
  /** All receipts of these subjects, oldest first. */
  of(subjectIds: readonly string[]): Promise<StoredReceipt[]>;
  /** Numbers the receipt within the database's current day and stores it. If there already is one, returns that. */
  add(receipt: Pick<StoredReceipt, 'subjectId' | 'kind' | 'leaf' | 'jws' | 'madeOn'>, key: ReceiptKey): Promise<StoredReceipt>;
  /** At most `count` leaves of a day from number `from` on, in order. */
  leaves(day: string, from: number, count: number): Promise<string[]>;
  /** Days with receipts after the newest closed day that ended ten minutes ago or more, by the database's clock; oldest first. */
  openDays(limit: number): Promise<string[]>;
  /** Inserts a closed day. Returns false if another instance has closed it already. */
  close(day: StoredDay & { blockRoots: string[]; closedOn: number }, key: ReceiptKey): Promise<boolean>;
  /** The roots of a closed day's blocks of leaves (domain/merkle.ts). The previous release closes days without them. */
  blockRoots(day: string): Promise<string[] | undefined>;
  addBlockRoots(day: string, blockRoots: string[]): Promise<void>;
  day(day: string): Promise<StoredDay | undefined>;
  newestDay(): Promise<StoredDay | undefined>;
  keys(): Promise<ReceiptKey[]>;
};
