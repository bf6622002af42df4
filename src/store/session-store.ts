import { and, eq, gt, isNull, or, sql } from 'drizzle-orm';
import type { ProviderSession, Session, SessionStore } from '../gateway/ports.ts';
import { present, type Database } from './database.ts';
import { customers, intents, orders, providerSessions, sessions } from './schema.ts';

const unsettled = sql<boolean>`exists (select 1 from ${intents} where ${intents.providerSessionId} = ${providerSessions.id} and ${intents.state} in ('prepared', 'sending', 'unknown'))`;

const upstreamColumns = {
  id: providerSessions.id,
  providerId: providerSessions.providerId,
  blob: providerSessions.blob,
  ready: providerSessions.ready,
  claimedOn: providerSessions.claimedOn,
  expiresOn: providerSessions.expiresOn,
  unsettled,
};

export const createSessionStore = (db: Database): SessionStore => {
  // The hot path's one read: the session with its live upstream sessions.
  const findSession = db
    .select({ session: sessions, upstream: upstreamColumns })
    .from(sessions)
    .leftJoin(providerSessions, and(eq(providerSessions.owner, sessions.idHash), isNull(providerSessions.retiredOn)))
    .where(eq(sessions.idHash, sql.placeholder('idHash')))
    .prepare('find_session');

  const findLive = async (owner: string, providerId: string): Promise<ProviderSession | undefined> => {
    const rows = await db
      .select(upstreamColumns)
      .from(providerSessions)
      .where(and(eq(providerSessions.owner, owner), eq(providerSessions.providerId, providerId), isNull(providerSessions.retiredOn)));
    return rows[0] && present(rows[0]);
  };

  return {
    begin: async (row, upstream) => {
      await db.transaction(async (tx) => {
        await tx.insert(sessions).values({ ...row, lastUsedOn: row.createdOn });
        if (upstream.length > 0)
          await tx.insert(providerSessions).values(
            upstream.map((one) => ({
              id: one.id,
              owner: row.idHash,
              providerId: one.providerId,
              blob: one.blob,
              claimedOn: row.createdOn,
              expiresOn: one.expiresOn,
            })),
          );
      });
    },
    find: async (idHash) => {
      const rows = await findSession.execute({ idHash });
      const first = rows[0];
      if (!first) return undefined;
      const upstream = new Map<string, ProviderSession>();
      for (const row of rows) if (row.upstream) upstream.set(row.upstream.providerId, present(row.upstream));
      return { ...present(first.session), upstream } satisfies Session;
    },
    open: async ({ now, idHash, ...row }) => {
      const changed = await db
        .update(sessions)
        .set({ ...row, openedOn: now, lastUsedOn: now })
        .where(and(eq(sessions.idHash, idHash), isNull(sessions.openedBy)))
        .returning({ idHash: sessions.idHash });
      return changed.length === 1;
    },
    touch: async (idHash, now, expiresOn) => {
      await db.update(sessions).set({ lastUsedOn: now, expiresOn }).where(eq(sessions.idHash, idHash));
    },
    ownsOrders: async (customerId, since) => {
      const rows = await db
        .select({ id: orders.id })
        .from(orders)
        .where(and(eq(orders.customerId, customerId), gt(orders.changedOn, since)))
        .limit(1);
      return rows.length > 0;
    },
    findCustomer: async ({ keyHash, recoveryHash }) => {
      const conditions = [
        ...(keyHash === undefined ? [] : [eq(customers.keyHash, keyHash)]),
        ...(recoveryHash === undefined ? [] : [eq(customers.recoveryHash, recoveryHash)]),
      ];
      if (conditions.length === 0) return {};
      const rows = await db
        .select()
        .from(customers)
        .where(or(...conditions));
      const byKey = keyHash === undefined ? undefined : rows.find((row) => row.keyHash === keyHash)?.id;
      const byRecovery = recoveryHash === undefined ? undefined : rows.find((row) => row.recoveryHash === recoveryHash)?.id;
      return { ...(byKey === undefined ? {} : { byKey }), ...(byRecovery === undefined ? {} : { byRecovery }) };
    },
    createCustomer: async ({ id, keyHash, recoveryHash, now }) => {
      const made = await db
        .insert(customers)
        .values({ id, keyHash: keyHash ?? null, recoveryHash, createdOn: now })
        .onConflictDoNothing()
        .returning({ id: customers.id });
      if (made[0] || keyHash === undefined) return id;
      const rows = await db.select({ id: customers.id }).from(customers).where(eq(customers.keyHash, keyHash));
      return rows[0]?.id ?? id;
    },
    linkKey: async (customerId, keyHash) => {
      const linked = await db
        .update(customers)
        .set({ keyHash })
        .where(and(eq(customers.id, customerId), or(isNull(customers.keyHash), eq(customers.keyHash, keyHash))))
        .returning({ id: customers.id });
      return linked.length === 1;
    },
    claimUpstream: async ({ now, ...row }) => {
      const claimed = await db
        .insert(providerSessions)
        .values({ ...row, claimedOn: now })
        .onConflictDoNothing()
        .returning({ id: providerSessions.id });
      return claimed.length === 1;
    },
    findUpstream: findLive,
    findUpstreamById: async (id) => {
      const rows = await db
        .select({ id: providerSessions.id, owner: providerSessions.owner, providerId: providerSessions.providerId, blob: providerSessions.blob })
        .from(providerSessions)
        .where(eq(providerSessions.id, id));
      return rows[0] && present(rows[0]);
    },
    saveUpstream: async (id, change) => {
      await db.update(providerSessions).set(change).where(eq(providerSessions.id, id));
    },
    retireUpstream: async (id, now) => {
      await db
        .update(providerSessions)
        .set({ retiredOn: now })
        .where(and(eq(providerSessions.id, id), isNull(providerSessions.retiredOn)));
    },
  };
};
