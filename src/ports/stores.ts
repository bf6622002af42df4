import type { AccountStore } from './accounts.ts';
import type { LiquidityStore } from './liquidity.ts';
import type { FigureStore } from './figures.ts';
import type { DeliveryStore } from './deliveries.ts';
import type { OperatorStore } from './operator.ts';
import type { SessionStore } from './sessions.ts';
import type { ReceiptStore } from './receipts.ts';
import type { RecordStore } from './record.ts';
import type { ReferenceStore } from './reference.ts';
import type { RouteStore } from './routes.ts';
import type { IntentStore } from './intents.ts';
import type { OrderStore } from './orders.ts';
import type { ClaimStore } from './claims.ts';
import type { CatalogueStore } from './catalogue.ts';
import type { NoticeStore } from './notices.ts';
import type { IdempotencyStore } from './idempotency.ts';

export type Retention = {
  quotesBefore: number;
  sessionsBefore: number;
  /** The customer can still read an order that changed after this time, and withdraw its sats, even if their session has ended. */
  ownedBefore: number;
  noticesBefore: number;
  deliveriesBefore: number;
  idempotencyBefore: number;
  peopleBefore: number;
  operatorBefore: number;
  fillsBefore: number;
  figuresBefore: number;
};
/** How many rows of each kind were deleted or cleared, and the errors of the kinds that failed. */
export type Pruned = { counts: Record<string, number>; failed: Record<string, unknown> };
export type Stores = {
  sessions: SessionStore;
  routes: RouteStore;
  record: RecordStore;
  figures: FigureStore;
  receipts: ReceiptStore;
  reference: ReferenceStore;
  intents: IntentStore;
  orders: OrderStore;
  claims: ClaimStore;
  accounts: AccountStore;
  liquidity: LiquidityStore;
  catalogue: CatalogueStore;
  notices: NoticeStore;
  deliveries: DeliveryStore;
  operator: OperatorStore;
  idempotency: IdempotencyStore;
  /** See store/prune.ts. */
  prune(before: Retention, limit: number, kinds?: readonly string[]): Promise<Pruned>;
  /** Checks whether the database takes writes, and whether every migration has been applied. */
  check(): Promise<{ database: boolean; migrations: boolean }>;
};
