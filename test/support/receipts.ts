import { CompactSign, exportJWK, generateKeyPair } from 'jose';
import { receiptRoute, type PublicKeys, type ReceiptPayload } from '../../src/domain/receipt.ts';
import type { Route } from '../../src/domain/route.ts';
import { decidedOn } from './offers.ts';

/** Returns what a gateway signs about this decision. The order went to the first rank, alpine. */
export const decisionOf = (route: Route): ReceiptPayload => ({
  version: 1,
  kind: 'decision',
  issuer: 'ramp.wallet.example',
  made_on: decidedOn,
  salt: 'ab'.repeat(32),
  route: receiptRoute(route),
  chosen: { rank: 1, provider: 'alpine' },
});

/** Makes a gateway's key `r1`: its public half, and what signs bytes with it. */
export const aReceiptKey = async (): Promise<{ keys: PublicKeys; signBytes: (bytes: Uint8Array, typ?: string) => Promise<string> }> => {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  return {
    keys: { keys: [{ ...(await exportJWK(publicKey)), kid: 'r1' }] },
    signBytes: async (bytes, typ = 'receipt+jws') => await new CompactSign(bytes).setProtectedHeader({ alg: 'EdDSA', kid: 'r1', typ }).sign(privateKey),
  };
};
