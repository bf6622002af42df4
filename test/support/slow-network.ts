/** A network between the gateway and its database, which a test can slow down or hold. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export type SlowNetwork = {
  port: number;
  /** How long each piece of data takes, in either direction. */
  delayMs: number;
  /** While held, nothing arrives on either side, and no connection is closed. */
  hold: () => void;
  release: () => void;
  close: () => void;
};

/** Opens a port on loopback that forwards to `port`. */
export const startSlowNetwork = async (port: number): Promise<SlowNetwork> => {
  let held = Promise.resolve();
  let free = (): void => undefined;
  const sockets = new Set<Socket>();
  const carry = (from: Socket, to: Socket): void => {
    // Each piece waits for the piece before it, so a shorter delay never changes their sequence.
    let last = Promise.resolve();
    const later = (work: () => void): void => {
      const arrived = new Promise<void>((done) => setTimeout(done, network.delayMs));
      last = Promise.all([last, arrived])
        .then(() => held)
        .then(work);
    };
    from.on('data', (piece) => later(() => to.writable && to.write(piece)));
    from.on('end', () => later(() => to.end()));
    from.on('error', () => undefined);
    from.on('close', () => {
      sockets.delete(from);
      later(() => to.destroy());
    });
    sockets.add(from);
  };
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    carry(near, far);
    carry(far, near);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const network: SlowNetwork = {
    port: (server.address() as AddressInfo).port,
    delayMs: 0,
    hold: () => {
      held = new Promise((done) => (free = done));
    },
    release: () => free(),
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  return network;
};
