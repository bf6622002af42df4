/** What the use cases need from outside. The folders store, seal, outbound and others implement it; entry/compose.ts wires it. */
import type { FaultKind } from '../domain/fault-kind.ts';
import type { Refusal } from '../domain/refusal.ts';
import type { Http } from '../providers/spec.ts';
import type { Sender, Signer } from './deliveries.ts';
import type { RecentCalls } from './figures.ts';
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

/** `until`: the polls up to this time are already taken. `notedOn`: when that was noted. */
export type PollSlot = { until: number; notedOn: number };

/** What one instance remembers between requests. It may be lost at any time: whatever must survive is in the database. */
export type InstanceState = {
  /** Set while the instance is stopping: it still serves requests, but reports that it is not ready. */
  leaving?: boolean;
  instance: string;
  version: string;
  startedOn: number;
  /** The kinds of keys whose old versions are still in use, with the ids of all keys, the current one first. */
  keysInRotation: { purpose: string; keys: string[] }[];
  /** When this instance last noted that it is running (gateway/figures/count-hours.ts). */
  seenOn: number;
  /** When this instance last found no hour whose figures had to be counted (gateway/figures/count-hours.ts). */
  figuresIdleOn: number;
  /** The calls to providers for the decisions of the last minutes. Read only when an operator asks for them (gateway/operator/show-overview.ts). */
  recentCalls: RecentCalls;
  listings: Map<string, { listing: Json | null; readOn: number; failed?: ({ fault: FaultKind } | { refusal: Refusal }) & { on: number } }>;
  numbers: OptionNumber[] | undefined;
  openBudget: Map<string, { windowStart: number; used: number }>;
  switches: SwitchState;
  /** For each network, and for each app whose customers have none, the polls that its unpaid orders have already taken (poll-share.ts). */
  pollSlots: Map<string, PollSlot>;
  /** When each combination of provider, outcome and network was last counted (count-judged.ts). */
  judged: Map<string, number>;
  record: RecordState;
  reference: ReferenceState;
  /** Orders that could not be counted in the record, and when to try them again. */
  notRecorded: Map<string, number>;
  /**
   * For each provider and currency: the lowest and highest price of ranked offers since the time `since`, in hundredths of the fiat unit per bitcoin.
   */
  lastPrices: Map<string, { lowest: bigint; highest: bigint; since: number }>;
};

/**
 * Work in progress, and the reads and answers of the last seconds, which several callers can share. Kept per process on Node, and per request on
 * Workers, where requests must not share promises.
 */
export type Flights = {
  refreshing: Map<string, Promise<void>>;
  opening: Map<string, Promise<unknown>>;
  /** For each order, the last read that a wallet's request caused, even if the provider did not answer. */
  reading: Map<string, { on: number; order: Promise<Order> }>;
  /** The last answers that callers share for a moment (gateway/shared-answer.ts). */
  answers: Map<string, { on: number; answer: Promise<unknown> }>;
  /** How many rows background work is working on, by queue and provider (work-on-due.ts). */
  working: Map<string, Map<string, number>>;
};

export type Gateway = {
  settings: Settings;
  providers: readonly Provider[];
  stores: Stores;
  seal: Seal;
  /**
   * Returns why our keys must not be used (they do not open what the database holds), or undefined if they may. Absent if this was checked at the
   * start, as on Node.
   */
  lostKey?: () => Promise<string | undefined>;
  now: Clock;
  /** Returns a number in [0, 1). Used for jitter, never for secrets. */
  random: () => number;
  ids: Ids;
  /** Returns the SHA-256 of the text in hex. */
  hash: (text: string) => string;
  log: Log;
  count: Count;
  observe: Observe;
  /** Lets work continue after the response: on Node, by a set of promises that is awaited at SIGTERM; on Workers, by ctx.waitUntil. */
  background: (work: Promise<unknown>) => void;
  /** Whether calls to providers may continue after the response (Node), or are aborted then (Workers). */
  outlivesRequest: boolean;
  sleep: (ms: number) => Promise<void>;
  /** Waits for work, but no longer than `ms`. The work itself continues. */
  waitAtMost: (work: Promise<unknown>, ms: number) => Promise<void>;
  notices: {
    token(purpose: string, id: string): string;
    check(purpose: string, id: string, token: string): boolean;
    /** Compares a key that a provider sent with the agreed one, in a time that depends only on their lengths. */
    isKey(agreed: string, sent: string): boolean;
  };
  checkWebhookUrl: (url: string) => { ok: true; host: string } | { ok: false; reason: string };
  sender: Sender;
  /** Calls hosts that a provider named. On Node it connects only to public addresses (in sandbox mode, also to loopback). */
  guardedHttp: Http;
  signer: Signer;
  receiptSigner: ReceiptSigner;
  readFeed: FeedReader;
  state: InstanceState;
  flights: Flights;
};
