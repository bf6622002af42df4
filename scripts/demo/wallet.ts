/**
 * The smallest possible wallet: a node key, the gateway's API, and LUD-03. Tests, benchmarks and `npm run wallet` (docs/sandbox.md) use it. The
 * demos use it for what they do on the Lightning network.
 */
import { randomBytes } from 'node:crypto';
import { encodeInvoice } from '../../src/bitcoin/bolt11.ts';
import { decodeLnurl } from '../../src/bitcoin/lnurl.ts';
import { signNodeMessage } from '../../src/bitcoin/node-signature.ts';
import { publicKeyOf } from '../../src/bitcoin/secp256k1.ts';

export type Reply = { status: number; body: Record<string, unknown> };
export type Wallet = {
  pubkey: string;
  call: (path: string, body?: object, headers?: Record<string, string>) => Promise<Reply>;
  /** GET /verify and POST /session, with a proof for every token that is safe to sign. */
  open: () => Promise<{ sessionId: string; recoverySecret: string | undefined; proven: string[] }>;
  /** LUD-03: reads the link, makes an invoice for the most that the link pays, and submits the invoice. */
  withdraw: (lnurl: string) => Promise<{ sats: number; answer: Record<string, unknown> }>;
};

/**
 * Returns whether a token may be signed. A signature is valid at every service that accepts the signed text. So the gateway's own token must name
 * this gateway, and no provider's token may look like a gateway's.
 */
const isFor = (gatewayUrl: string, token: string): boolean => {
  const { host, hostname } = new URL(gatewayUrl);
  // On loopback the port is not compared: a sandbox may be reached by another port than its `public_url` names.
  const isLoopback = hostname === '127.0.0.1' || hostname === 'localhost';
  return isLoopback ? /^ramp-gateway:(?:127\.0\.0\.1|localhost)(?::\d+)?:/.test(token) : token.startsWith(`ramp-gateway:${host}:`);
};
const isProviders = (token: string): boolean => /^[ -~]{1,200}$/.test(token) && !token.toLowerCase().includes('ramp-gateway:');

/** Creates a wallet. `always`: the headers to send with every call. */
export const createWallet = (gatewayUrl: string, privateKey = randomBytes(32).toString('hex'), always: Record<string, string> = {}): Wallet => {
  const pubkey = publicKeyOf(privateKey);
  const call: Wallet['call'] = async (path, body, more = {}) => {
    const headers = { ...always, ...more };
    const response = await fetch(
      `${gatewayUrl}${path}`,
      body === undefined ? { headers } : { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) },
    );
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return {
    pubkey,
    call,
    open: async () => {
      const { body: verify } = await call('/verify');
      const tokens = verify['tokens'] as Record<string, string>;
      if (!isFor(gatewayUrl, tokens['gateway'] ?? '')) throw new Error(`the token is for another gateway: ${tokens['gateway']}`);
      const safe = Object.entries(tokens).filter(([of, token]) => of === 'gateway' || isProviders(token));
      const signatures = Object.fromEntries(safe.map(([of, token]) => [of, signNodeMessage(token, privateKey)]));
      const { status, body } = await call('/session', { session_id: verify['session_id'], signatures, node_pubkey: pubkey });
      if (status !== 200) throw new Error(`POST /session returned ${status}: ${String(body['detail'])}`);
      return { sessionId: String(body['session_id']), recoverySecret: body['recovery_secret'] as string | undefined, proven: body['proven'] as string[] };
    },
    withdraw: async (lnurl) => {
      const url = decodeLnurl(lnurl, { loopbackHttp: true });
      if (url === undefined) throw new Error('the LNURL does not decode');
      const offer = (await (await fetch(url)).json()) as { callback: string; k1: string; maxWithdrawable: number };
      const invoice = encodeInvoice({
        network: 'regtest',
        amountMsat: BigInt(offer.maxWithdrawable),
        timestamp: Math.floor(Date.now() / 1000),
        expirySeconds: 3600,
        paymentHash: randomBytes(32).toString('hex'),
        paymentSecret: randomBytes(32).toString('hex'),
        description: 'ramp-gateway demo',
        payeePrivateKey: privateKey,
      });
      const callback = new URL(offer.callback);
      callback.searchParams.set('k1', offer.k1);
      callback.searchParams.set('pr', invoice);
      return { sats: offer.maxWithdrawable / 1000, answer: (await (await fetch(callback)).json()) as Record<string, unknown> };
    },
  };
};
