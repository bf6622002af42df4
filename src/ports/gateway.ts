/** What the use cases need from outside. Store, seal, outbound, log, metrics and resilience implement it; entry/compose.ts wires it. */
import type { FaultKind } from '../domain/fault-kind.ts';
import type { Refusal } from '../domain/refusal.ts';
import type { Http } from '../providers/spec.ts';
import type { Sender, Signer } from './deliveries.ts';
import type { SwitchState } from './operator.ts';
import type { ReceiptSigner } from './receipts.ts';
import type { RecordState } from './record.ts';
import type { FeedReader, ReferenceState } from './reference.ts';
import type { Count, Observe } from './metric-list.ts';
import type { Clock, Ids, Log, Seal, Json } from './runtime.ts';
import type { Settings } from './settings.ts';
import type { Provider } from './providers.ts';
import type { Order } from './orders.ts';
import type { OptionNumber } from './catalogue.ts';
import type { Stores } from './stores.ts';

// ---- the gateway -----------------------------------------------------------------------------------------------------------------------

/** State of one instance that outlives requests. Only caches: the truth is in the database. */
export type InstanceState = {
  /** The instance is stopping: it still serves requests, and reports that it is not ready. */
  leaving?: boolean;
  instance: string;
  listings: Map<string, { listing: Json | null; readOn: number; failed?: ({ fault: FaultKind } | { refusal: Refusal }) & { on: number } }>;
  numbers: OptionNumber[] | undefined;
  openBudget: Map<string, { windowStart: number; used: number }>;
  switches: SwitchState;
  /** By provider, outcome and network: when it was last counted. */
  judged: Map<string, number>;
  record: RecordState;
  reference: ReferenceState;
  /** By currency, hundredths of the fiat unit per bitcoin, and when they were noted. */
  lastPrices: Map<string, { lowest: bigint; highest: bigint; since: number }>;
};

/** Work in progress that callers can share. Per process on Node; per request on Workers, where no promise may cross requests. */
export type Flights = {
  refreshing: Map<string, Promise<void>>;
  opening: Map<string, Promise<unknown>>;
  /** By order: the last read that a customer's question caused, also if it failed. */
  reading: Map<string, { on: number; order: Promise<Order> }>;
};

export type Gateway = {
  settings: Settings;
  providers: readonly Provider[];
  stores: Stores;
  seal: Seal;
  now: Clock;
  /** In [0, 1). For jitter, never for secrets. */
  random: () => number;
  ids: Ids;
  /** SHA-256, hex. */
  hash: (text: string) => string;
  log: Log;
  count: Count;
  observe: Observe;
  /** Lets work continue after the answer: a set awaited at SIGTERM on Node, ctx.waitUntil on Workers. */
  background: (work: Promise<unknown>) => void;
  /** Whether calls may outlive the answer (Node) or are aborted (Workers). */
  outlivesRequest: boolean;
  sleep: (ms: number) => Promise<void>;
  /** Waits for work, but no longer than `ms`. The work itself continues. */
  waitAtMost: (work: Promise<unknown>, ms: number) => Promise<void>;
  notices: { token(purpose: string, id: string): string; check(purpose: string, id: string, token: string): boolean };
  checkWebhookUrl: (url: string) => { ok: true; host: string } | { ok: false; reason: string };
  sender: Sender;
  /** To hosts that a provider named: public addresses only. */
  guardedHttp: Http;
  signer: Signer;
  receiptSigner: ReceiptSigner;
  readFeed: FeedReader;
  state: InstanceState;
  flights: Flights;
};
