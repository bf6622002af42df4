import { dateOf, mapped } from './mapped.ts';
import { defined } from '../../../src/domain/defined.ts';
import type { Open } from './error.ts';
import { Money, moneyOf } from './money.ts';
import type { Answer } from './words.ts';

type PaymentInfo = Answer<'/order'>['payment_info'];

/** How the customer pays. `kind` says which members there are; `raw` has what a later gateway adds. */
export type Pay = {
  /** Exactly this much. */
  amount: Money | undefined;
  /** The money must have arrived by then. */
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
      /** All that the provider says, under its own keys. */
      details: Readonly<Record<string, string>>;
      /** The text of an EPC069-12 QR code: euros to a valid IBAN. */
      epcQr?: string;
      /** The provider's own page, when it has one as well. */
      url?: string;
    }
  /** The provider's own page, on its own host. */
  | { kind: 'page'; url: string }
  | { kind: 'invoice'; invoice: string }
  | { kind: 'lightning_address'; address: string; min?: Money; max?: Money }
  | { kind: 'lnurl'; lnurl: string }
  | { kind: 'onchain'; address: string; bip21?: string }
  /** `altcoinAmount` in units of `altcoin`, as the provider writes it. */
  | { kind: 'altcoin'; address: string; altcoin: string; altcoinAmount: string }
  /** A way that this version does not know: show `raw`, or update. */
  | { kind: 'other'; word: Open<'unknown'> }
);

export const payOf = (raw: PaymentInfo, fiat: Money | undefined, expiresOn: string | undefined): Pay | undefined => {
  const common = {
    amount: raw.kind === undefined ? fiat : moneyOf(raw.amount_sats, 'sat'),
    ...defined({ before: mapped(expiresOn, dateOf) }),
    raw,
  };
  if (raw.kind !== undefined) return { ...common, ...lightning(raw) };
  const { payment_details: details, payment_url: url, epc_qr: epcQr } = raw;
  if (details) {
    const { provider_iban: iban, provider_bic: bic, provider_name: name, provider_reference: reference } = details;
    const named = Object.fromEntries(Object.entries({ iban, bic, name, reference, epcQr, url }).filter(([, value]) => value !== undefined));
    return { ...common, kind: 'bank', details, ...named };
  }
  return url === undefined ? undefined : { ...common, kind: 'page', url };
};

const lightning = (raw: PaymentInfo) => {
  const { kind, lightning_invoice: invoice, lightning_address: toAddress, lnurl, address, bip21, altcoin_amount: altcoinAmount, altcoin_code: altcoin } = raw;
  const [min, max] = [moneyOf(raw.min_sats, 'sat'), moneyOf(raw.max_sats, 'sat')];
  if (kind === 'invoice' && invoice !== undefined) return { kind, invoice };
  if (kind === 'lightning_address' && toAddress !== undefined) return { kind, address: toAddress, ...defined({ min, max }) };
  if (kind === 'lnurl' && lnurl !== undefined) return { kind, lnurl };
  if (kind === 'onchain' && address !== undefined) return { kind, address, ...defined({ bip21 }) };
  if (kind === 'altcoin' && address !== undefined) return { kind, address, altcoin: altcoin ?? '', altcoinAmount: altcoinAmount ?? '' };
  return { kind: 'other' as const, word: kind ?? 'unknown' };
};
