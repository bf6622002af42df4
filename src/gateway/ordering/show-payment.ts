import { epcQr } from '../../banking/epc-qr.ts';
import { likelyReferences } from '../../banking/payment-reference.ts';
import type { PaymentInfo } from '../../providers/spec.ts';
import { int, type SatsPayment, type ShownPayment } from '../outward.ts';

export type PaymentTerms = { paymentOptionId?: number; currency?: string; pay: bigint };

/**
 * Returns `payment_info` as the wallet gets it, or undefined if it contains no way to pay. The members that a fiat provider sends pass through
 * unchanged. The gateway adds `provider_reference` if exactly one of them looks like the payment's reference, and `epc_qr` (EPC069-12) for euros to a
 * valid IBAN.
 */
export const showPayment = (info: PaymentInfo, terms: PaymentTerms): ShownPayment | undefined => {
  const option = terms.paymentOptionId === undefined ? {} : { payment_option_id: terms.paymentOptionId };
  if (info.kind === 'none') return undefined;
  if (info.kind !== 'fiat') return { ...option, ...satsPayment(info) };
  const details = info.paymentDetails && Object.keys(info.paymentDetails).length > 0 ? withReference(info.paymentDetails) : undefined;
  if (info.paymentUrl === undefined && details === undefined) return undefined;
  const code = details && terms.currency === 'EUR' ? epcOf(details, terms.pay) : undefined;
  return {
    ...option,
    ...(info.paymentUrl === undefined ? {} : { payment_url: info.paymentUrl }),
    ...(details ? { payment_details: details } : {}),
    ...(code === undefined ? {} : { epc_qr: code }),
  };
};

const satsPayment = (info: Extract<PaymentInfo, { value: string }>): SatsPayment => {
  const { value } = info;
  const amount_sats = int(info.amountSats);
  switch (info.kind) {
    case 'invoice':
      return { kind: info.kind, amount_sats, lightning_invoice: value };
    case 'lightning_address':
      return { kind: info.kind, amount_sats, lightning_address: value, ...bounds(info) };
    case 'lnurl':
      return { kind: info.kind, amount_sats, lnurl: value, ...bounds(info) };
    case 'onchain':
      return { kind: info.kind, amount_sats, address: value, bip21: info.bip21 };
    case 'altcoin': {
      const { altcoinAmount, altcoinCode } = info;
      return {
        kind: info.kind,
        amount_sats,
        address: value,
        ...(altcoinAmount === undefined ? {} : { altcoin_amount: altcoinAmount }),
        altcoin_code: altcoinCode,
      };
    }
  }
};

const bounds = ({ minSats, maxSats }: { minSats?: bigint; maxSats?: bigint }) => ({
  ...(minSats === undefined ? {} : { min_sats: int(minSats) }),
  ...(maxSats === undefined ? {} : { max_sats: int(maxSats) }),
});

const withReference = (details: Record<string, string>): Record<string, string> => {
  const [reference, ...others] = likelyReferences(details);
  return reference === undefined || others.length > 0 ? details : { ...details, provider_reference: reference };
};

const epcOf = (details: Record<string, string>, amountCents: bigint): string | undefined => {
  const { provider_iban: iban, provider_bic: bic, provider_name: name } = details;
  const [reference, ...others] = likelyReferences(details);
  // With a wrong reference, the code would send money that the provider cannot match to the order.
  if (iban === undefined || name === undefined || others.length > 0) return undefined;
  return epcQr({ iban, name, amountCents, ...(bic === undefined ? {} : { bic }), ...(reference === undefined ? {} : { reference }) });
};
