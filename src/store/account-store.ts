import { and, desc, eq, gt, inArray, isNotNull, isNull, ne, notInArray, or, sql } from 'drizzle-orm';
import type { Account, AccountStore, Connection } from '../ports/accounts.ts';
import { constraintOf, present, sqlState, uniqueViolation, type Database, type Transaction } from './database.ts';
import { insertDeliveries } from './delivery-store.ts';
import { free, hasDue, leaseOf, released, takeDue, unlessWoken } from './lease.ts';
import { accounts, connections, providerSessions, settlements } from './schema.ts';

const toAccount = (row: typeof accounts.$inferSelect): Account => {
  const { leaseOwner: _owner, leaseUntil: _until, ...account } = row;
  return present(account);
};
const toConnection = (row: typeof connections.$inferSelect): Connection => {
  const { leaseOwner: _owner, leaseUntil: _until, ...connection } = row;
  return present(connection);
};

/**
 * True for a customer who has connected at this provider before. Such a customer was not made only to block an e-mail, so the next e-mail that they
 * name is reserved for them for a day.
 */
const hasStanding = sql`exists (select 1 from accounts before where before.customer_id = accounts.customer_id and before.provider_id = accounts.provider_id and (before.connected_on is not null or before.status in ('connected', 'needs_reconnect')))`;
const holdMs = 86_400_000;

/** Matches accounts that were connected at any time. The previous release does not write `connected_on`. */
const wasConnected = or(isNotNull(accounts.connectedOn), inArray(accounts.status, ['connected', 'needs_reconnect']));

/**
 * Returns whether the e-mail belongs to another customer. Once that customer's account has been connected, the e-mail is theirs for good, even if the
 * account has to be reconnected or was removed, because its owner may come back. Before that, the e-mail is theirs for a day if they have connected
 * at this provider before (`hasStanding`) and keep the account.
 */
const isOfAnother = async (tx: Transaction, { emailHash, customerId, providerId, createdOn }: Account): Promise<boolean> => {
  if (emailHash === undefined) return false;
  const rows = await tx
    .select({ id: accounts.id })
    .from(accounts)
    .where(
      and(
        eq(accounts.providerId, providerId),
        eq(accounts.emailHash, emailHash),
        ne(accounts.customerId, customerId),
        or(wasConnected, and(isNull(accounts.removedOn), gt(accounts.createdOn, createdOn - holdMs), hasStanding)),
      ),
    )
    .limit(1);
  return rows.length > 0;
};

const over = ['failed', 'expired', 'inactive'] as const;

/**
 * Matches accounts of other customers that were started with this e-mail after `since`, or were ever connected by it. Includes removed accounts,
 * because removing an account does not free its e-mail for others.
 */
const namedByOthers = ({ emailHash = '', customerId, providerId }: Account, since: number) =>
  and(
    eq(accounts.providerId, providerId),
    eq(accounts.emailHash, emailHash),
    ne(accounts.customerId, customerId),
    or(wasConnected, gt(accounts.createdOn, since)),
  );

/**
 * Matches accounts of other customers that have one of these names. A name is free again once its account was removed before `since`, but never if
 * the account was connected or the provider has made a user for the name: the next customer who named it would be that user.
 */
const heldByOthers = ({ customerId, providerId }: Account, nameHashes: string[], since: number) =>
  and(
    eq(accounts.providerId, providerId),
    inArray(accounts.emailHash, nameHashes),
    ne(accounts.customerId, customerId),
    or(wasConnected, isNotNull(accounts.userHash), isNull(accounts.removedOn), gt(accounts.removedOn, since)),
  );

export const createAccountStore = (db: Database): AccountStore => ({
  create: async (account, blob) => {
    try {
      return await db.transaction(async (tx) => {
        if (await isOfAnother(tx, account)) return 'email-taken';
        await tx.insert(accounts).values(account);
        const { id, providerId, createdOn } = account;
        await tx
          .insert(providerSessions)
          .values({ id, owner: `account:${id}`, providerId, claimedOn: createdOn, ready: blob !== undefined, ...(blob === undefined ? {} : { blob }) });
        return 'created';
      });
    } catch (error) {
      if (sqlState(error) !== uniqueViolation) throw error;
      return constraintOf(error) === 'accounts_email' ? 'email-taken' : 'customer-has-one';
    }
  },
  isNamedByOthers: async (account, since) => {
    const rows = await db.select({ id: accounts.id }).from(accounts).where(namedByOthers(account, since)).limit(1);
    return rows.length > 0;
  },
  isHeldByAnother: async (account, nameHashes, since) => {
    const rows = await db
      .select({ id: accounts.id })
      .from(accounts)
      .where(heldByOthers(account, nameHashes, since))
      .limit(1);
    return rows.length > 0;
  },
  isUserOfAnother: async ({ providerId, customerId }, userHash) => {
    const rows = await db
      .select({ id: accounts.id })
      .from(accounts)
      .where(and(eq(accounts.providerId, providerId), eq(accounts.userHash, userHash), ne(accounts.customerId, customerId), wasConnected))
      .limit(1);
    return rows.length > 0;
  },
  ofUser: async (providerId, userHash, limit) => {
    const rows = await db
      .select()
      .from(accounts)
      .where(and(eq(accounts.providerId, providerId), eq(accounts.userHash, userHash), isNull(accounts.removedOn)))
      .orderBy(desc(sql`${wasConnected}`), desc(accounts.createdOn))
      .limit(limit);
    return rows.map(toAccount);
  },
  discard: async (id) =>
    await db.transaction(async (tx) => {
      await tx.delete(accounts).where(eq(accounts.id, id));
      await tx.delete(providerSessions).where(eq(providerSessions.id, id));
    }),
  find: async (id, customerId) => {
    const rows = await db
      .select()
      .from(accounts)
      .where(and(eq(accounts.id, id), eq(accounts.customerId, customerId), isNull(accounts.removedOn)));
    return rows[0] && toAccount(rows[0]);
  },
  findAny: async (id) => {
    const rows = await db
      .select()
      .from(accounts)
      .where(and(eq(accounts.id, id), isNull(accounts.removedOn)));
    return rows[0] && toAccount(rows[0]);
  },
  list: async (customerId) => {
    const rows = await db
      .select()
      .from(accounts)
      .where(and(eq(accounts.customerId, customerId), isNull(accounts.removedOn)))
      .orderBy(accounts.createdOn);
    return rows.map(toAccount);
  },
  change: async ({ id, sequence, nextCheckOn: known }, { nextCheckOn, forgetEmail, ...change }, deliveries) =>
    await db.transaction(async (tx) => {
      const rows = await tx
        .update(accounts)
        .set({
          ...change,
          ...(forgetEmail === true ? { emailHash: null } : {}),
          ...(nextCheckOn === undefined ? {} : { nextCheckOn: unlessWoken(accounts.nextCheckOn, known, nextCheckOn), ...released }),
        })
        .where(and(eq(accounts.id, id), eq(accounts.sequence, sequence), isNull(accounts.removedOn)))
        .returning({ id: accounts.id });
      if (rows.length !== 1) return false;
      await insertDeliveries(tx, deliveries);
      return true;
    }),
  remove: async ({ id, sequence }, now, signup) =>
    await db.transaction(async (tx) => {
      const rows = await tx
        .update(accounts)
        .set({ removedOn: now, nextCheckOn: null, signup: signup ?? null, webhookUrl: null, sequence: sequence + 1 })
        .where(and(eq(accounts.id, id), eq(accounts.sequence, sequence), isNull(accounts.removedOn)))
        .returning({ id: accounts.id });
      if (rows.length !== 1) return false;
      await tx.update(providerSessions).set({ retiredOn: now }).where(eq(providerSessions.id, id));
      return true;
    }),
  lastRemoved: async (customerId, providerId) => {
    const rows = await db
      .select()
      .from(accounts)
      .where(and(eq(accounts.customerId, customerId), eq(accounts.providerId, providerId), isNotNull(accounts.removedOn)))
      .orderBy(desc(accounts.removedOn))
      .limit(1);
    return rows[0] && toAccount(rows[0]);
  },
  claimDue: async (now, lease, limit, share) => {
    const due = { table: accounts, id: accounts.id, dueOn: accounts.nextCheckOn, waiting: isNull(accounts.removedOn), provider: accounts.providerId };
    // Accounts that were connected come first, because anybody can start any number of others by naming e-mails.
    const queue = { ...due, isUrgent: sql`${wasConnected}` };
    if (!(await hasDue(db, queue, now))) return [];
    const rows = await db
      .update(accounts)
      .set(leaseOf(lease))
      .where(takeDue(db, queue, now, limit, share))
      .returning();
    return rows.map(toAccount);
  },
  wake: async (id, now) => {
    await db
      .update(accounts)
      .set({ nextCheckOn: now })
      .where(and(eq(accounts.id, id), isNull(accounts.removedOn)));
  },

  createConnection: async (connection, lease) => {
    const row = { ...connection, ...(lease && leaseOf(lease)) };
    const made = await db.insert(connections).values(row).onConflictDoNothing().returning({ id: connections.id });
    if (made.length === 1) return { created: true };
    const hasItsName = and(eq(connections.nameHash, connection.nameHash), notInArray(connections.status, [...over]));
    const isTheSame = connection.upstreamId === undefined ? undefined : eq(connections.upstreamId, connection.upstreamId);
    const rows = await db
      .select()
      .from(connections)
      .where(and(eq(connections.accountId, connection.accountId), or(isTheSame, hasItsName)));
    const existing = rows.find(({ upstreamId }) => upstreamId !== null && upstreamId === connection.upstreamId) ?? rows[0];
    // The existing connection ended between the two statements. If the caller tries again, the new one is created.
    if (!existing) throw new Error('a connection of this name has just ended');
    return { existing: toConnection(existing) };
  },
  leaseConnection: async (id, lease) => {
    const rows = await db
      .update(connections)
      .set(leaseOf(lease))
      .where(and(eq(connections.id, id), isNull(connections.state), free(connections, lease.owner)))
      .returning({ id: connections.id });
    return rows.length === 1;
  },
  releaseConnection: async (id, { owner }) => {
    await db
      .update(connections)
      .set(released)
      .where(and(eq(connections.id, id), eq(connections.leaseOwner, owner)));
  },
  discardConnection: async (id) => {
    await db.delete(connections).where(eq(connections.id, id));
  },
  findConnection: async (id, customerId) => {
    const rows = await db
      .select({ connection: connections })
      .from(connections)
      .innerJoin(accounts, eq(accounts.id, connections.accountId))
      .where(and(eq(connections.id, id), eq(accounts.customerId, customerId), isNull(accounts.removedOn)));
    return rows[0] && toConnection(rows[0].connection);
  },
  connections: async (accountId) => {
    const rows = await db.select().from(connections).where(eq(connections.accountId, accountId)).orderBy(desc(connections.createdOn)).limit(50);
    return rows.map(toConnection);
  },
  lastStored: async (accountId, upstreamId) => {
    const ofUser = sql`${connections.accountId} in (select ${accountId}::uuid union select same.id from accounts own join accounts same on same.provider_id = own.provider_id and same.user_hash = own.user_hash where own.id = ${accountId} union select now.id from accounts own join accounts now on now.provider_id = own.provider_id and now.customer_id = own.customer_id and now.removed_on is null where own.id = ${accountId})`;
    const isOwn = sql`${accounts.customerId} = (select own.customer_id from accounts own where own.id = ${accountId})`;
    const rows = await db
      .select({ connection: connections })
      .from(connections)
      .innerJoin(accounts, eq(accounts.id, connections.accountId))
      .where(and(eq(connections.upstreamId, upstreamId), ofUser))
      .orderBy(sql`${accounts.removedOn} is null desc, ${isOwn} desc`, desc(connections.createdOn))
      .limit(1);
    return rows[0] && toConnection(rows[0].connection);
  },
  changeConnection: async ({ id, sequence, state }, change, deliveries, isNewer = false) =>
    await db.transaction(async (tx) => {
      const asRead = state === undefined ? isNull(connections.state) : eq(connections.state, state);
      const rows = await tx
        .update(connections)
        .set(change)
        .where(and(eq(connections.id, id), eq(connections.sequence, sequence), isNewer ? undefined : asRead))
        .returning({ id: connections.id });
      if (rows.length !== 1) return false;
      await insertDeliveries(tx, deliveries);
      return true;
    }),

  knownSettlements: async (accountId, transactionIds) => {
    if (transactionIds.length === 0) return [];
    const rows = await db
      .select({ id: settlements.transactionId })
      .from(settlements)
      .where(and(eq(settlements.accountId, accountId), inArray(settlements.transactionId, transactionIds)));
    return rows.map((row) => row.id);
  },
  settle: async (accountId, transactionId, now, deliveries) =>
    await db.transaction(async (tx) => {
      const made = await tx
        .insert(settlements)
        .values({ accountId, transactionId, seenOn: now })
        .onConflictDoNothing()
        .returning({ id: settlements.accountId });
      if (made.length !== 1) return false;
      await insertDeliveries(tx, deliveries);
      return true;
    }),
});
