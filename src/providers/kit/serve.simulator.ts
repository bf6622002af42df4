/** A simulated provider on its own socket, only on loopback. */
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import type { Hono } from 'hono';

export type Serving = { url: string; port: number; close: () => Promise<void> };

/** Serves a simulator. `port` 0 picks a free port. `make` may call `origin` for the URL, which is known once the server listens. */
export const serveSimulator = async <T extends { app: Hono }>(port: number, make: (origin: () => string) => T): Promise<T & Serving> => {
  let url = '';
  const made = make(() => url);
  return await new Promise((running) => {
    const server = serve({ fetch: made.app.fetch, port, hostname: '127.0.0.1' }, (address: AddressInfo) => {
      url = `http://127.0.0.1:${address.port}`;
      const close = async (): Promise<void> =>
        await new Promise((done) => {
          server.close(() => done());
          if ('closeAllConnections' in server) server.closeAllConnections();
        });
      running({ ...made, url, port: address.port, close });
    });
  });
};
