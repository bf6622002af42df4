import type { Log } from '../ports/runtime.ts';
import { sqlState } from '../store/database.ts';
import { answersForServer, type NodeDatabase } from './database-node.ts';

/** How the end of a connection is told, by the server, the driver or a pooler; not that the server is away. */
const lost = new Set(['57P01', 'CONNECTION_CLOSED', 'ECONNRESET', 'EPIPE', '08P01']);
/** Rounds without such a connection, after which there is none. Those in use are met in a later round. */
const roundsAfter = 30;

/**
 * Looks at the connections, each round at those that are free. After a failover, or a time of default_transaction_read_only, a
 * connection goes on reading only although the server takes writes again: once one is found, all that only read are ended, in each round until
 * none was met for a while, and the driver opens new ones. And a pooler that came between after the start is told: answers through it cannot be
 * trusted while statements are prepared.
 */
export const watchConnections = (database: NodeDatabase, poolSize: number, log: Log) => {
  const { sql } = database;
  let suspicious = 0;
  let trusted = true;
  let seemedPooled = false;
  /** Ends the connections that only read among those that the driver lends for so many statements at once; how many it were. */
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
      if (found > 0 && suspicious === 0) log('warn', 'database.reads_only', { reason: 'renewing connections that are read-only or lost' });
      suspicious = found > 0 ? roundsAfter : Math.max(0, suspicious - 1);
      const pooled = !database.pooled && (await answersForServer(sql));
      // A connection that was renewed meanwhile looks the same for one round.
      const isPooled = pooled && seemedPooled;
      seemedPooled = pooled;
      if (isPooled && trusted)
        log('error', 'database.pooled', { reason: 'a pooler was put in between after the start: this instance is not ready until it is restarted' });
      trusted = !isPooled;
    },
    trusted: (): boolean => trusted,
  };
};
