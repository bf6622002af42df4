import { serve, type ServerType } from '@hono/node-server';
import type { Env } from '../config/env.ts';
import { StartRefused } from './start-refused.ts';

/** Why the gateway cannot listen, by errno. */
const meanings: Record<string, (env: Env) => string> = {
  EADDRINUSE: ({ PORT, HOST }) => `port ${PORT} on ${HOST} is in use: stop the process that listens there, or set PORT to another port`,
  EACCES: ({ PORT }) => `port ${PORT} needs permissions that this process does not have: set PORT to 1024 or more`,
  EADDRNOTAVAIL: () =>
    'HOST is not an address of this machine: set 127.0.0.1 to accept connections from this machine only, or 0.0.0.0 to accept them on all its IPv4 addresses',
  ENOTFOUND: () =>
    'HOST is neither an address nor a known name: set 127.0.0.1 to accept connections from this machine only, or 0.0.0.0 to accept them on all its IPv4 addresses',
  EAI_AGAIN: () =>
    'HOST is neither an address nor a known name: set 127.0.0.1 to accept connections from this machine only, or 0.0.0.0 to accept them on all its IPv4 addresses',
};

export const listen = async (fetch: (request: Request) => Response | Promise<Response>, env: Env): Promise<ServerType> =>
  await new Promise((listening, failed) => {
    const server = serve(
      {
        fetch,
        port: env.PORT,
        hostname: env.HOST,
        serverOptions: { headersTimeout: 10_000, requestTimeout: 13_000, keepAliveTimeout: 5_000, connectionsCheckingInterval: 1_000, maxHeaderSize: 16_384 },
      },
      () => listening(server),
    );
    if ('maxConnections' in server) server.maxConnections = 10_000;
    server.once('error', (error: NodeJS.ErrnoException) => {
      const meaning = meanings[error.code ?? ''];
      failed(meaning === undefined ? error : new StartRefused(meaning(env)));
    });
  });
