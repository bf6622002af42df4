/**
 * Runs PGlite in its own thread, because PGlite blocks its thread for the whole of a query. Its socket listens on a free loopback port.
 * embedded-database.ts starts this thread, and any message stops it.
 */
import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

if (!parentPort) throw new Error('pglite-worker.ts runs in a worker thread');
const port = parentPort;
const { folder } = workerData as { folder?: string };
const isNew = folder === undefined || !existsSync(folder);
// PGlite's own value is 160 MB of buffers, more than all rows of the sandbox and the tests need.
const startParams = [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB', '-c', 'wal_buffers=512kB'];
const db = await PGlite.create(folder, { startParams });
if (isNew) {
  // Making a database leaves 250 MB of garbage, which V8 is slow to collect.
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}
// PGlite has one session, so clients take turns. The second slot lets the next client connect while the socket of the last one closes.
const server = new PGLiteSocketServer({ db, host: '127.0.0.1', port: 0, maxConnections: 2 });
await server.start();
port.once('message', () => {
  void server
    .stop()
    .then(() => db.close())
    .finally(() => port.close());
});
port.postMessage(server.getServerConn());
