import { isSafe } from '../domain/money.ts';
import type { Facts } from '../domain/offer.ts';
import type { Gateway } from '../ports/gateway.ts';

/** RFC 3339 UTC. A moment beyond the last date becomes the last date. */
export const isoTime = (ms: number): string => new Date(Math.min(Math.max(ms, -lastMoment), lastMoment)).toISOString();
const lastMoment = 8_640_000_000_000_000;

/** The API shows a provider's name beside its id everywhere. */
export const providerRef = (gateway: Gateway, id: string): { id: string; name: string } => ({
  id,
  name: gateway.providers.find((provider) => provider.id === id)?.name ?? id,
});

/**
 * Amounts leave as JSON integers. They are checked at the door; should an old row hold one that no integer holds, the largest stands for it, so
 * that it never fails the whole answer or list.
 */
export const int = (amount: bigint): number => (isSafe(amount) ? Number(amount) : (amount < 0n ? -1 : 1) * Number.MAX_SAFE_INTEGER);

/** A limit that no JSON integer holds limits nothing, so it is left out. */
export const limit = (name: string, amount: bigint | undefined): { [name: string]: number } =>
  amount === undefined || !isSafe(amount) ? {} : { [name]: Number(amount) };

/** What liquidity sellers say about what they deliver. */
export type LiquidityFacts = Pick<Facts, 'delivered_as' | 'connect_to' | 'observed_on' | 'least_pay_sats' | 'funding_outpoint' | 'channel_expires_on'> & {
  inbound_sats?: number;
  lease_blocks?: number;
};
/** Facts whose names start with `provider_` are the provider's own figures, for checks only. The others come from liquidity adapters. */
export const shownFacts = (facts: Facts): LiquidityFacts => Object.fromEntries(Object.entries(facts).filter(([name]) => !name.startsWith('provider_')));

/** Members that are always present when requested. */
export const required = <T>(value: T | undefined, what: string): T => {
  if (value === undefined) throw new RangeError(`${what} is missing`);
  return value;
};

type Option = { payment_option_id?: number };
/** `payment_info` of a purchase: a page, or a bank's details under the provider's own keys. */
export type FiatPayment = Option & { payment_url?: string; payment_details?: { [providersKey: string]: string }; epc_qr?: string };
/** `payment_info` of a sale or of liquidity: the one value to pay to. `kind` says whether an address is on bitcoin's chain or an altcoin's. */
export type SatsPayment = Option &
  (
    | { kind: 'invoice'; amount_sats: number; lightning_invoice: string }
    | { kind: 'lightning_address'; amount_sats: number; min_sats?: number; max_sats?: number; lightning_address: string }
    | { kind: 'lnurl'; amount_sats: number; min_sats?: number; max_sats?: number; lnurl: string }
    | { kind: 'onchain'; amount_sats: number; address: string; bip21: string }
    | { kind: 'altcoin'; amount_sats: number; address: string; altcoin_amount?: string; altcoin_code: string }
    | { kind: 'none' }
  );
export type ShownPayment = FiatPayment | SatsPayment;
