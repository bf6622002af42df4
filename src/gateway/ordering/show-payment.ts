import { epcQr } from '../../banking/epc-qr.ts';
import { likelyReferences } from '../../banking/payment-reference.ts';
import type { PaymentInfo } from '../../providers/spec.ts';
import { int, type PayTo, type ShownPayment } from '../outward.ts';

export type PaymentTerms = { paymentOptionId?: number; currency?: string; pay: bigint };

/**
 * `payment_info` as the wallet gets it, or undefined when it names no way to pay. A fiat provider's keys pass through. The gateway adds
 * `provider_reference` when one of them is the payment's reference, and `epc_qr` (EPC069-12) for euros to a valid IBAN.
 */
export const showPayment = (info: PaymentInfo, terms: PaymentTerms): ShownPayment | undefined => {
  const option = terms.paymentOptionId === undefined ? {} : { payment_option_id: terms.paymentOptionId };
  if (info.kind === 'none') return undefined;
  if (info.kind !== 'fiat') {
    const { bip21, altcoinAmount, altcoinCode, amountSats, minSats, maxSats } = info;
    return {
      ...option,
      kind: info.kind,
      ...(amountSats === undefined ? {} : { amount_sats: int(amountSats) }),
      ...payTo(info),
      ...(minSats === undefined ? {} : { min_sats: int(minSats) }),
      ...(maxSats === undefined ? {} : { max_sats: int(maxSats) }),
      ...(bip21 === undefined ? {} : { bip21 }),
      ...(altcoinAmount === undefined ? {} : { altcoin_amount: altcoinAmount }),
      ...(altcoinCode === undefined ? {} : { altcoin_code: altcoinCode }),
    };
  }
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

const payTo = ({ kind, value }: Extract<PaymentInfo, { value: string }>): PayTo => {
  switch (kind) {
    case 'invoice':
      return { lightning_invoice: value };
    case 'lightning_address':
      return { lightning_address: value };
    case 'lnurl':
      return { lnurl: value };
    case 'onchain':
    case 'altcoin':
      return { address: value };
  }
};

const withReference = (details: Record<string, string>): Record<string, string> => {
  const [reference, ...others] = likelyReferences(details);
  return reference === undefined || others.length > 0 ? details : { ...details, provider_reference: reference };
};

const epcOf = (details: Record<string, string>, amountCents: bigint): string | undefined => {
  const { provider_iban: iban, provider_bic: bic, provider_name: name } = details;
  const [reference, ...others] = likelyReferences(details);
  // With a wrong or missing reference, the code would send money that nobody can match.
  if (iban === undefined || name === undefined || others.length > 0) return undefined;
  return epcQr({ iban, name, amountCents, ...(bic === undefined ? {} : { bic }), ...(reference === undefined ? {} : { reference }) });
};
