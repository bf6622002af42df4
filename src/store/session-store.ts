import type { Sql } from 'postgres';
import { and, eq, gt, isNull, or, sql } from 'drizzle-orm';
import type { Declined } from '../domain/offer.ts';
import type { ProviderSession, Session, SessionStore } from '../ports/sessions.ts';
import { present, type Database } from './database.ts';
import { grouped } from './grouped.ts';
import { customers, orders, providerSessions, sessions } from './schema.ts';

// Written as plain SQL: in a select from one table Drizzle omits the table name, and `id` would be the intent's.
const unsettled = sql<boolean>`exists (
  select 1 from intents i where i.provider_session_id = provider_sessions.id and i.state in ('prepared', 'sending', 'unknown')
)`;

const upstreamColumns = {
  id: providerSessions.id,
  providerId: providerSessions.providerId,
  blob: providerSessions.blob,
  ready: providerSessions.ready,
  claimedOn: providerSessions.claimedOn,
  expiresOn: providerSessions.expiresOn,
  unsettled,
};

/** The row of the hot path's statement: times in milliseconds, the upstream sessions as one JSON value. */
type SessionRow = {
  id_hash: string;
  customer_id: string | null;
  app_id: string | null;
  created_on: number;
  opened_on: number | null;
  last_used_on: number;
  expires_on: number;
  revoked_on: number | null;
  challenge: string;
  opened_by: string | null;
  opened_reply: string | null;
  node_pubkey: string | null;
  declined: Declined | null;
  upstream: UpstreamRow[] | null;
};
type UpstreamRow = { id: string; provider: string; blob: string | null; ready: boolean; claimed: number; expires: number | null; unsettled: boolean };

const toSession = (row: SessionRow): Session => ({
  idHash: row.id_hash,
  createdOn: row.created_on,
  lastUsedOn: row.last_used_on,
  expiresOn: row.expires_on,
  challenge: row.challenge,
  ...(row.customer_id === null ? {} : { customerId: row.customer_id }),
  ...(row.app_id === null ? {} : { appId: row.app_id }),
  ...(row.opened_on === null ? {} : { openedOn: row.opened_on }),
  ...(row.revoked_on === null ? {} : { revokedOn: row.revoked_on }),
  ...(row.opened_by === null ? {} : { openedBy: row.opened_by }),
  ...(row.opened_reply === null ? {} : { openedReply: row.opened_reply }),
  ...(row.node_pubkey === null ? {} : { nodePubkey: row.node_pubkey }),
  ...(row.declined === null ? {} : { declined: row.declined }),
  upstream: new Map((row.upstream ?? []).map((one) => [one.provider, toUpstream(one)])),
});
const toUpstream = ({ id, provider, blob, ready, claimed, expires, unsettled: waits }: UpstreamRow): ProviderSession => ({
  id,
  providerId: provider,
  ready,
  claimedOn: claimed,
  unsettled: waits,
  ...(blob === null ? {} : { blob }),
  ...(expires === null ? {} : { expiresOn: expires }),
});

export const createSessionStore = (db: Database, client: Sql, options: { grouped: boolean }): SessionStore => {
  const findLive = async (owner: string, providerId: string): Promise<ProviderSession | undefined> => {
    const rows = await db
      .select(upstreamColumns)
      .from(providerSessions)
      .where(and(eq(providerSessions.owner, owner), eq(providerSessions.providerId, providerId), isNull(providerSessions.retiredOn)));
    return rows[0] && present(rows[0]);
  };

  /**
   * Reads sessions: the hot path's only read. It goes straight to the driver, which prepares the statement if it prepares any. The result has one row
   * per session: with one row per provider, the session's long texts would be repeated.
   *
   * The hashes are hex, so joining them with commas is safe. The inner select hides the number of hashes from the planner. Otherwise a plan for
   * exactly that number seems cheaper each time, and making it takes many times as long as the read.
   */
  const readSessions = async (idHashes: string[]): Promise<(Session | undefined)[]> => {
    const rows = await client<SessionRow[]>`
      select s.id_hash, s.customer_id, s.app_id, s.challenge, s.opened_by, s.opened_reply, s.node_pubkey,
        (extract(epoch from s.created_on) * 1000)::float8 as created_on, (extract(epoch from s.opened_on) * 1000)::float8 as opened_on,
        (extract(epoch from s.last_used_on) * 1000)::float8 as last_used_on, (extract(epoch from s.expires_on) * 1000)::float8 as expires_on,
        (extract(epoch from s.revoked_on) * 1000)::float8 as revoked_on,
        (select c.declined from customers c where c.id = s.customer_id) as declined,
        (select json_agg(json_build_object('id', p.id, 'provider', p.provider_id, 'blob', p.blob, 'ready', p.ready,
          'claimed', extract(epoch from p.claimed_on) * 1000, 'expires', extract(epoch from p.expires_on) * 1000,
          'unsettled', exists (select 1 from intents i where i.provider_session_id = p.id and i.state in ('prepared', 'sending', 'unknown'))))
          from provider_sessions p where p.owner = s.id_hash and p.retired_on is null) as upstream
      from sessions s where s.id_hash = any((select string_to_array(${idHashes.join(',')}, ','))::text[])`;
    const found = new Map(rows.map((row) => [row.id_hash, row]));
    // Each caller gets its own object, even if two ask for the same session.
    return idHashes.map((idHash) => {
      const row = found.get(idHash);
      return row && toSession(row);
    });
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
    find: options.grouped ? grouped(readSessions, { largest: 64, inFlight: 2, repeats: () => false }) : async (idHash) => (await readSessions([idHash]))[0],
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
    replaceUpstream: async (id, known, blob) => {
      const { blob: stored } = providerSessions;
      const replaced = await db
        .update(providerSessions)
        .set({ blob, ready: true })
        .where(and(eq(providerSessions.id, id), known === undefined ? isNull(stored) : eq(stored, known)))
        .returning({ id: providerSessions.id });
      return replaced.length === 1;
    },
    retireUpstream: async (id, now) => {
      await db
        .update(providerSessions)
        .set({ retiredOn: now })
        .where(and(eq(providerSessions.id, id), isNull(providerSessions.retiredOn)));
    },
  };
};
