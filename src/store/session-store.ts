import type { Sql } from 'postgres';
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

type Moment = Date | string;
type SessionRow = {
  id_hash: string;
  customer_id: string | null;
  app_id: string | null;
  created_on: Moment;
  opened_on: Moment | null;
  last_used_on: Moment;
  expires_on: Moment;
  revoked_on: Moment | null;
  challenge: string;
  opened_by: string | null;
  opened_reply: string | null;
  node_pubkey: string | null;
  up_id: string | null;
  up_provider: string | null;
  up_blob: string | null;
  up_ready: boolean | null;
  up_claimed: Moment | null;
  up_expires: Moment | null;
  up_unsettled: boolean;
};
const ms = (moment: Moment): number => (typeof moment === 'string' ? Date.parse(moment) : moment.getTime());
const some = <T, K extends string>(name: K, value: T | null): { [key in K]?: T } => (value === null ? {} : ({ [name]: value } as { [key in K]?: T }));
const someMs = <K extends string>(name: K, value: Moment | null): { [key in K]?: number } => some(name, value === null ? null : ms(value));

const toSession = (row: SessionRow, rows: SessionRow[]): Session => ({
  idHash: row.id_hash,
  createdOn: ms(row.created_on),
  lastUsedOn: ms(row.last_used_on),
  expiresOn: ms(row.expires_on),
  challenge: row.challenge,
  ...some('customerId', row.customer_id),
  ...some('appId', row.app_id),
  ...someMs('openedOn', row.opened_on),
  ...someMs('revokedOn', row.revoked_on),
  ...some('openedBy', row.opened_by),
  ...some('openedReply', row.opened_reply),
  ...some('nodePubkey', row.node_pubkey),
  upstream: new Map(
    rows.flatMap((one) =>
      one.up_id === null || one.up_provider === null || one.up_claimed === null
        ? []
        : [[one.up_provider, toUpstream(one, one.up_id, one.up_provider, one.up_claimed)] as const],
    ),
  ),
});
const toUpstream = (row: SessionRow, id: string, providerId: string, claimed: Moment): ProviderSession => ({
  id,
  providerId,
  ready: row.up_ready === true,
  claimedOn: ms(claimed),
  unsettled: row.up_unsettled,
  ...some('blob', row.up_blob),
  ...someMs('expiresOn', row.up_expires),
});

export const createSessionStore = (db: Database, client: Sql): SessionStore => {
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
      // The hot path's one read, through the driver itself: it keeps the statement prepared, which Drizzle's way to it does not.
      const rows = await client<SessionRow[]>`
        select s.id_hash, s.customer_id, s.app_id, s.created_on, s.opened_on, s.last_used_on, s.expires_on, s.revoked_on, s.challenge, s.opened_by, s.opened_reply, s.node_pubkey,
          p.id as up_id, p.provider_id as up_provider, p.blob as up_blob, p.ready as up_ready, p.claimed_on as up_claimed, p.expires_on as up_expires,
          exists (select 1 from intents i where i.provider_session_id = p.id and i.state in ('prepared', 'sending', 'unknown')) as up_unsettled
        from sessions s left join provider_sessions p on p.owner = s.id_hash and p.retired_on is null
        where s.id_hash = ${idHash}`;
      return rows[0] && toSession(rows[0], rows);
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
