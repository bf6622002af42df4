/** A wallet in an open session, and its own invoices. Most tests of sell and liquidity start with these. */
import { randomBytes } from 'node:crypto';
import { createWallet, type Reply, type Wallet } from '../../scripts/demo/wallet.ts';
import { encodeInvoice, type NewInvoice } from '../../src/bitcoin/bolt11.ts';

export type Body = Record<string, unknown>;
/** Sends a request in the wallet's session. */
export type Call = (path: string, body?: object, headers?: Record<string, string>) => Promise<Reply>;

export const opened = async (url: string): Promise<{ wallet: Wallet; call: Call }> => {
  const wallet = createWallet(url);
  const { sessionId } = await wallet.open();
  return { wallet, call: async (path, body, headers) => await wallet.call(path, { session_id: sessionId, ...body }, headers) };
};

/** Makes an invoice. Without `sats`, it has no amount. */
export const invoiceOver = (sats: number | undefined, more: Partial<NewInvoice> = {}): string =>
  encodeInvoice({
    network: 'regtest',
    ...(sats === undefined ? {} : { amountMsat: BigInt(sats) * 1000n }),
    timestamp: Math.floor(Date.now() / 1000),
    expirySeconds: 7200,
    paymentHash: randomBytes(32).toString('hex'),
    paymentSecret: randomBytes(32).toString('hex'),
    description: 'an invoice of a test',
    payeePrivateKey: randomBytes(32).toString('hex'),
    ...more,
  });
