/**
 * `@ramp-gateway/client/receipt`: checks a gateway's signed decisions offline, with the gateway's own ranking (docs/receipts.md). The keys are the
 * answer of GET /.well-known/receipt-keys.
 */
export {
  verifyReceipt,
  verifyRoot,
  type DayRoot,
  type Inclusion,
  type PublicKeys,
  type ReceiptKind,
  type ReceiptPayload,
  type Verified,
} from '../../../src/domain/receipt.ts';
