import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Asked = { path: string; headers: IncomingHttpHeaders; body: string };
export type Said = { status: number; headers?: Record<string, string>; body: string };

/**
 * Starts a server, such as a firewall, in front of a simulator. `instead` returns the server's own answers. `url` leads to the simulator through it.
 */
export const startFront = async (target: string, instead: (asked: Asked) => Said | undefined) => {
  const { origin } = new URL(target);
  const server = createServer((request, response) => {
    const pass = async (): Promise<void> => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString();
      const { url: path = '/', method = 'GET', headers } = request;
      const said = instead({ path, headers, body });
      if (said) {
        response.writeHead(said.status, said.headers ?? {}).end(said.body);
        return;
      }
      const { host: _host, connection: _connection, 'content-length': _length, ...sent } = headers;
      const answer = await fetch(`${origin}${path}`, { method, headers: sent as Record<string, string>, ...(body === '' ? {} : { body }) });
      const kept = [...answer.headers].filter(([name]) => !/encoding|length|connection/.test(name));
      response.writeHead(answer.status, Object.fromEntries(kept)).end(Buffer.from(await answer.arrayBuffer()));
    };
    pass().catch(() => response.destroy());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: target.replace(origin, `http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    close: async (): Promise<void> =>
      await new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
};
