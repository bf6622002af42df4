import { dateOf, mapped } from './mapped.ts';
import { defined } from '../../../src/domain/defined.ts';
import type { Open } from './error.ts';
import { Money, moneyOf } from './money.ts';
import type { Answer } from './words.ts';

type FiatPayment = Answer<'/order'>['payment_info'];
type SatsPayment = Answer<'/sell/order'>['payment_info'];

/** How the customer pays. `kind` says which members there are; `raw` also has members of later gateways. */
export type Pay = {
  /** The exact amount to pay. */
  amount: Money | undefined;
  /** The time by which the money must have arrived. */
  before?: Date;
  raw: Readonly<Record<string, unknown>>;
} & (
  | {
      kind: 'bank';
      iban?: string;
      bic?: string;
      /** The payee. */
      name?: string;
      /** Without it the provider may not be able to match the payment. */
      reference?: string;
      /** All payment details that the provider gave, under its own keys. */
      details: Readonly<Record<string, string>>;
      /** The text of an EPC069-12 QR code. Present only for euros to a valid IBAN. */
      epcQr?: string;
      /** The provider's own payment page, if there is one in addition to the bank details. */
      url?: string;
    }
  /** The provider's own payment page, on its own host. */
  | { kind: 'page'; url: string }
  | { kind: 'invoice'; invoice: string }
  | { kind: 'lightning_address'; address: string; min?: Money; max?: Money }
  | { kind: 'lnurl'; lnurl: string }
  | { kind: 'onchain'; address: string; bip21?: string }
  /** `altcoinAmount` in units of `altcoin`, as the provider writes it. */
  | { kind: 'altcoin'; address: string; altcoin: string; altcoinAmount: string }
  /** A way to pay that this version of the client does not know: show `raw`, or update the client. */
  | { kind: 'other'; word: Open<'unknown'> }
);

export const payOf = (raw: FiatPayment | SatsPayment, fiat: Money | undefined, expiresOn: string | undefined): Pay | undefined => {
  const common = { ...defined({ before: mapped(expiresOn, dateOf) }), raw };
  if ('kind' in raw) {
    if (raw.kind === 'none') return undefined;
    return { ...sats(raw), amount: moneyOf(raw.amount_sats, 'sat'), ...common };
  }
  const { payment_details: details, payment_url: url, epc_qr: epcQr } = raw;
  if (details) {
    const { provider_iban: iban, provider_bic: bic, provider_name: name, provider_reference: reference } = details;
    return { kind: 'bank', amount: fiat, ...defined({ iban, bic, name, reference, epcQr, url }), details, ...common };
  }
  return url === undefined ? undefined : { kind: 'page', amount: fiat, url, ...common };
};

const sats = (raw: Exclude<SatsPayment, { kind: 'none' }>) => {
  switch (raw.kind) {
    case 'invoice':
      return { kind: raw.kind, invoice: raw.lightning_invoice };
    case 'lightning_address': {
      const [min, max] = [moneyOf(raw.min_sats, 'sat'), moneyOf(raw.max_sats, 'sat')];
      return { kind: raw.kind, address: raw.lightning_address, ...defined({ min, max }) };
    }
    case 'lnurl':
      return { kind: raw.kind, lnurl: raw.lnurl };
    case 'onchain':
      return { kind: raw.kind, address: raw.address, bip21: raw.bip21 };
    case 'altcoin':
      return { kind: raw.kind, address: raw.address, altcoin: raw.altcoin_code, altcoinAmount: raw.altcoin_amount ?? '' };
    default:
      return { kind: 'other' as const, word: (raw satisfies never as { kind: string }).kind };
  }
};
