/**
 * Lets one TCP connection at a time through to a PGlite socket; the others wait. PGlite has a single session, and a Worker opens a client per
 * request: without the queue, the statements of different clients would mix.
 */
import { connect, createServer, type Socket } from 'node:net';

export type PgliteQueue = { port: number; close: () => Promise<void> };

/** Listens on loopback; port 0 picks a free one. `target` is the URL of the embedded database, `postgres://…@host:port/…`. */
export const startPgliteQueue = async (target: string, port = 0): Promise<PgliteQueue> => {
  const { hostname, port: targetPort } = new URL(target);
  const waiting: Socket[] = [];
  const open = new Set<Socket>();
  let busy = false;

  const next = (): void => {
    if (busy) return;
    const client = waiting.shift();
    if (client === undefined) return;
    if (client.destroyed) return next();
    busy = true;
    const upstream = connect({ host: hostname, port: Number(targetPort), noDelay: true });
    // Ends only our side of the connection to PGlite. PGlite ends the other side once its session is released, and then the next client is let
    // through.
    client.once('close', () => upstream.end());
    upstream.on('error', () => upstream.destroy());
    upstream.once('close', (failed) => {
      // A reset, not a plain end: after a plain end before the first answer, postgres.js would retry for ever.
      if (failed) client.resetAndDestroy();
      else client.destroy();
      busy = false;
      next();
    });
    client.pipe(upstream).pipe(client);
  };

  const server = createServer({ noDelay: true, pauseOnConnect: true }, (client) => {
    open.add(client);
    client.on('error', () => client.destroy()).once('close', () => open.delete(client));
    waiting.push(client);
    next();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the queue has no port');
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const client of open) client.destroy();
    });
  return { port: address.port, close };
};
