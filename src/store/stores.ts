import { drizzle } from 'drizzle-orm/postgres-js';
import type { Sql } from 'postgres';
import type { Stores } from '../ports/stores.ts';
import { createAccountStore } from './account-store.ts';
import { createCatalogueStore } from './catalogue-store.ts';
import { createClaimStore } from './claim-store.ts';
import type { Database } from './database.ts';
import { createDeliveryStore } from './delivery-store.ts';
import { createFigureStore } from './figure-store.ts';
import { createIdempotencyStore } from './idempotency-store.ts';
import { createIntentStore } from './intent-store.ts';
import { createLiquidityStore } from './liquidity-store.ts';
import { createNoticeStore } from './notice-store.ts';
import { createOperatorStore } from './operator-store.ts';
import { createOrderStore } from './order-store.ts';
import { preparing } from './prepared.ts';
import { prune } from './prune.ts';
import { createReceiptStore } from './receipt-store.ts';
import { createRecordStore } from './record-store.ts';
import { createReferenceStore } from './reference-store.ts';
import { createRouteStore } from './route-store.ts';
import * as schema from './schema.ts';
import { createSessionStore } from './session-store.ts';

export type StoreOptions = {
  /**
   * Whether one client serves the whole process (Node). Concurrent requests then share statements for reads and inserts, and statements that repeat
   * are prepared.
   */
  grouped: boolean;
  /** Returns whether the database has every migration that this code knows. */
  migrated: () => Promise<boolean>;
};

export const createStores = (client: Sql, options: StoreOptions): Stores => {
  const db: Database = drizzle(options.grouped ? preparing(client) : client, { schema });
  return {
    sessions: createSessionStore(db, client, { grouped: options.grouped }),
    routes: createRouteStore(db, client, { grouped: options.grouped }),
    record: createRecordStore(db),
    figures: createFigureStore(db),
    receipts: createReceiptStore(db),
    reference: createReferenceStore(db),
    intents: createIntentStore(db),
    orders: createOrderStore(db),
    claims: createClaimStore(db),
    accounts: createAccountStore(db),
    liquidity: createLiquidityStore(db),
    catalogue: createCatalogueStore(db),
    notices: createNoticeStore(db),
    deliveries: createDeliveryStore(db),
    operator: createOperatorStore(db),
    idempotency: createIdempotencyStore(db),
    prune: (...given) => prune(db, ...given),
    check: async () => {
      try {
        const [row] = await client<{ reads_only: boolean }[]>`
          select pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as reads_only`;
        return { database: row?.reads_only === false, migrations: await options.migrated() };
      } catch {
        return { database: false, migrations: false };
      }
    },
  };
};
