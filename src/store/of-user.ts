import { and, eq, sql } from 'drizzle-orm';
import type { intents, orders } from './schema.ts';

/**
 * Matches the rows of a customer, and of others who are connected as the same user: a user's key can be pasted by several customers. An account that
 * was never connected proves nothing about its user. Of the customer's own accounts, those that were removed do not count, so that an index finds
 * the one that is left.
 */
export const ofUser = (table: typeof orders | typeof intents, providerId: string, customerId: string) =>
  and(
    eq(table.providerId, providerId),
    sql`${table.customerId} in (select ${customerId}::uuid union select same.customer_id from accounts own join accounts same on same.provider_id = own.provider_id and same.user_hash = own.user_hash where own.customer_id = ${customerId} and own.provider_id = ${providerId} and own.removed_on is null and own.connected_on is not null and same.connected_on is not null)`,
  );
