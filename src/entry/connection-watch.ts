import type { Log } from '../ports/runtime.ts';
import { sqlState } from '../store/database.ts';
import { answersForServer, type NodeDatabase } from './database-node.ts';

/** Error codes by which the server, the driver or a pooler reports that a connection has ended. None of them means that the server is down. */
const lost = new Set(['57P01', 'CONNECTION_CLOSED', 'ECONNRESET', 'EPIPE', '08P01']);
/** If this many rounds in a row found no read-only connection, none is left: a connection that was in use in one round was checked in another. */
const roundsAfter = 30;

/**
 * Watches the connections to a PostgreSQL server. `look` is called once per round, and checks the connections that are free. After a failover, or after
 * default_transaction_read_only was on, a connection stays read-only although the server accepts writes again. Such connections are ended, and the
 * driver opens new ones. Once one was found, more connections are checked in each round, until `roundsAfter` rounds in a row have found none.
 *
 * Also reports a pooler that was put between the gateway and the server after the start. While the pooler is there, `trusted` is false: this instance
 * prepares statements, and through a pooler the answer to one may belong to another query.
 */
export const watchConnections = (database: NodeDatabase, poolSize: number, log: Log) => {
  const { sql } = database;
  let suspicious = 0;
  let trusted = true;
  let seemedPooled = false;
  /**
   * Runs `statements` statements at the same time, each of which ends the connection that it runs on if that is read-only. Returns how many
   * connections were ended or found lost.
   */
  const endThose = async (statements: number): Promise<number> => {
    const ended = await Promise.allSettled(
      Array.from(
        { length: statements },
        async () => await sql`select pg_terminate_backend(pg_backend_pid()) where current_setting('transaction_read_only') = 'on'`,
      ),
    );
    return ended.filter((one) => one.status === 'rejected' && lost.has(sqlState(one.reason) ?? '')).length;
  };
  return {
    look: async (): Promise<void> => {
      if (database.kind === 'pglite') return;
      const found = await endThose(suspicious > 0 ? poolSize * 3 : poolSize);
      if (found > 0 && suspicious === 0) log('warn', 'database.reads_only', { reason: 'some connections are read-only or lost: they are being replaced' });
      suspicious = found > 0 ? roundsAfter : Math.max(0, suspicious - 1);
      const pooled = !database.pooled && (await answersForServer(sql));
      // A connection that was renewed meanwhile looks like a pooler's for one round. So only two such rounds in a row count.
      const isPooled = pooled && seemedPooled;
      seemedPooled = pooled;
      if (isPooled && trusted)
        log('error', 'database.pooled', {
          reason: 'a pooler was put in front of the database after the start, so this instance is not ready: restart it',
        });
      trusted = !isPooled;
    },
    trusted: (): boolean => trusted,
  };
};
