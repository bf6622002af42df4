/** What the use cases need from outside. Implemented by store, seal, outbound, log, metrics and resilience; wired in entry/compose.ts. */
import type { FaultKind } from '../domain/fault-kind.ts';
import type { Sender, Signer } from './deliveries.ts';
import type { SwitchState } from './operator.ts';
import type { ReceiptSigner } from './receipts.ts';
import type { RecordState } from './record.ts';
import type { Count, Observe } from './metric-list.ts';
import type { Clock, Ids, Log, Seal, Json } from './runtime.ts';
import type { Settings } from './settings.ts';
import type { Provider } from './providers.ts';
import type { Order } from './orders.ts';
import type { OptionNumber } from './catalogue.ts';
import type { Stores } from './stores.ts';

// ---- the gateway -----------------------------------------------------------------------------------------------------------------------

/** State of one instance that outlives requests: caches, never truth. */
export type InstanceState = {
  /** Being stopped: it serves what comes and says that it is not ready. */
  leaving?: boolean;
  instance: string;
  listings: Map<string, { listing: Json | null; readOn: number; failed?: { reason: FaultKind; on: number } }>;
  numbers: OptionNumber[] | undefined;
  openBudget: Map<string, { windowStart: number; used: number }>;
  switches: SwitchState;
  /** By provider, outcome and network: since when it is counted. */
  judged: Map<string, number>;
  record: RecordState;
  /** By currency, hundredths of the fiat unit per bitcoin; since when they were noted. */
  lastPrices: Map<string, { lowest: bigint; highest: bigint; since: number }>;
};

/** What is under way and may be shared by whoever wants the same: of the process on Node, of one request on Workers (no promise may cross requests there). */
export type Flights = {
  refreshing: Map<string, Promise<void>>;
  opening: Map<string, Promise<unknown>>;
  /** By order: the last look that a customer's question led to, also one that failed. */
  reading: Map<string, { on: number; order: Promise<Order> }>;
};

export type Gateway = {
  settings: Settings;
  providers: readonly Provider[];
  stores: Stores;
  seal: Seal;
  now: Clock;
  /** In [0, 1): jitter, never secrets. */
  random: () => number;
  ids: Ids;
  /** SHA-256, hex. */
  hash: (text: string) => string;
  log: Log;
  count: Count;
  observe: Observe;
  /** Keeps running after the answer: a set awaited at SIGTERM on Node, ctx.waitUntil on Workers. */
  background: (work: Promise<unknown>) => void;
  /** Whether calls may outlive the answer (Node) or are cut (Workers). */
  outlivesRequest: boolean;
  sleep: (ms: number) => Promise<void>;
  /** Waits for work, but no longer than `ms`. The work itself goes on. */
  waitAtMost: (work: Promise<unknown>, ms: number) => Promise<void>;
  notices: { token(purpose: string, id: string): string; check(purpose: string, id: string, token: string): boolean };
  checkWebhookUrl: (url: string) => { ok: true; host: string } | { ok: false; reason: string };
  sender: Sender;
  signer: Signer;
  receiptSigner: ReceiptSigner;
  state: InstanceState;
  flights: Flights;
};
