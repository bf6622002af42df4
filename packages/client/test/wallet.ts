/** A wallet that uses @ramp-gateway/client at a test's gateway. When the client pauses, the gateway's clock moves instead. */
import { randomBytes } from 'node:crypto';
import { createRamp, type Node, type Ramp, type RampOptions, type Runtime } from '../src/index.ts';
import { signNodeMessage } from '../../../src/bitcoin/node-signature.ts';
import { publicKeyOf } from '../../../src/bitcoin/secp256k1.ts';
import type { TestGateway } from '../../../test/support/gateway.ts';

export const testNode = (privateKey = randomBytes(32).toString('hex')): Node & { privateKey: string } => ({
  privateKey,
  pubkey: publicKeyOf(privateKey),
  sign: (text) => signNodeMessage(text, privateKey),
});

const runtimeOf = (gateway: TestGateway): Partial<Runtime> => ({
  now: gateway.clock.now,
  sleep: async (ms, signal) => {
    signal?.throwIfAborted();
    await gateway.pass(ms);
  },
});

export const rampOf = (gateway: TestGateway, options: Partial<RampOptions> = {}): Ramp =>
  createRamp({ url: gateway.url, store: new Map<string, string>(), ...options, runtime: { ...runtimeOf(gateway), ...options.runtime } });
