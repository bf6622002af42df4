/** What a DATABASE_URL does on the wire: which certificates are accepted, and which of its hosts is used. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needsPostgres, testDatabase } from '../../test/support/postgres.ts';
import { connect } from './database-node.ts';

const folder = mkdtempSync(join(tmpdir(), 'ramp-tls-'));
const servers: Server[] = [];
const sockets = new Set<Socket>();
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});
const listening = async (serve: (socket: Socket) => void): Promise<number> => {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket);
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
};

/** An ErrorResponse of PostgreSQL: a client that reads it has connected. */
const refusal = (code: string): Buffer => {
  const body = Buffer.from(`SFATAL\0VFATAL\0C${code}\0Mno such user\0\0`);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from('E'), length, body]);
};

const errorOf = async (url: string): Promise<string> => {
  const sql = connect(url, 1);
  try {
    await sql`select 1`;
    return 'connected';
  } catch (error) {
    return error instanceof Error ? `${'code' in error ? String(error.code) : ''} ${error.message}` : 'unknown';
  } finally {
    await sql.end({ timeout: 0 });
  }
};

const openssl = (...words: string[]): Buffer => execFileSync('openssl', words, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
const hasOpenssl = (() => {
  try {
    return openssl('version').length > 0;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasOpenssl)('over TLS (needs the openssl command)', () => {
  let port = 0;
  beforeAll(async () => {
    for (const name of ['ca', 'other'])
      openssl(
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.pem`,
        '-days',
        '2',
        '-subj',
        `/CN=${name}`,
      );
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost');
    writeFileSync(join(folder, 'san'), 'subjectAltName=DNS:localhost\n');
    openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-out', 'server.pem', '-days', '2', '-extfile', 'san');
    const [key, cert] = ['server.key', 'server.pem'].map((file) => readFileSync(join(folder, file)));
    port = await listening((socket) => {
      // SSLRequest, then the handshake, then the start-up message, which is refused.
      socket.once('data', () => {
        socket.write('S');
        const secured = new TLSSocket(socket, { isServer: true, key, cert });
        secured.on('error', () => undefined);
        secured.once('data', () => secured.end(refusal('28P01')));
      });
    });
  });

  it.each([
    ['localhost', 'sslmode=verify-full&sslrootcert=CA', /^28P01 /],
    ['127.0.0.1', 'sslmode=verify-full&sslrootcert=CA', /altname|does not match/i],
    ['127.0.0.1', 'sslmode=verify-ca&sslrootcert=CA', /^28P01 /],
    ['127.0.0.1', 'sslmode=require&sslrootcert=CA', /^28P01 /],
    ['localhost', 'sslmode=verify-full&sslrootcert=OTHER', /certificate|signature|verify/i],
    ['localhost', 'sslmode=verify-ca&sslrootcert=OTHER', /certificate|signature|verify/i],
    ['localhost', 'sslrootcert=system', /certificate|verify/i],
    ['localhost', 'sslmode=require', /^28P01 /],
    ['localhost', 'sslmode=verify-full&sslrootcert=MISSING', /names a certificate file that cannot be read: ENOENT/],
  ])('%s with %s', async (host, parameters, says) => {
    const query = parameters.replace('CA', join(folder, 'ca.pem')).replace('OTHER', join(folder, 'other.pem')).replace('MISSING', join(folder, 'missing.pem'));
    const error = await errorOf(`postgres://ramp:secret@${host}:${port}/ramp?${query}`).catch((thrown: Error) => thrown.message);
    expect(error).toMatch(says);
    expect(error).not.toContain('secret');
  });
});

needsPostgres('of several hosts the first that answers is taken, and one that refuses to be asked is passed', async () => {
  const database = await testDatabase();
  const { port, hostname, username, password, pathname } = new URL(database.url);
  const login = `${username}${password === '' ? '' : `:${password}`}`;
  const dead = await listening((socket) => socket.destroy());
  for (const hosts of [`127.0.0.1:9,${hostname}:${port}`, `127.0.0.1:${dead},${hostname}:${port}`, `${hostname}:${port},127.0.0.1:9`])
    expect(await errorOf(`postgres://${login}@${hosts}${pathname}?target_session_attrs=read-write`)).toBe('connected');
  await database.close();
});
