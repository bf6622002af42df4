import { isSafe } from '../domain/money.ts';
import type { Facts } from '../domain/offer.ts';
import type { Gateway } from '../ports/gateway.ts';

/** Writes a time as an ISO 8601 string in UTC. A time that Date cannot hold becomes the nearest one that it can. */
export const isoTime = (ms: number): string => new Date(Math.min(Math.max(ms, -lastMoment), lastMoment)).toISOString();
const lastMoment = 8_640_000_000_000_000;

export const providerRef = (gateway: Gateway, id: string): { id: string; name: string } => ({
  id,
  name: gateway.providers.find((provider) => provider.id === id)?.name ?? id,
});

/**
 * Returns an amount as a JSON integer. Amounts are checked when they come in. If an old row still holds an amount that is too large, the largest safe
 * integer is shown instead, so that one row never makes the whole answer fail.
 */
export const int = (amount: bigint): number => (isSafe(amount) ? Number(amount) : (amount < 0n ? -1 : 1) * Number.MAX_SAFE_INTEGER);

/** Returns a limit under its name. A limit that is too large for a JSON integer limits nothing, so it is left out. */
export const limit = (name: string, amount: bigint | undefined): { [name: string]: number } =>
  amount === undefined || !isSafe(amount) ? {} : { [name]: Number(amount) };

/** The facts of a liquidity offer or order that wallets see. Some come from the seller, others from its adapter. */
export type LiquidityFacts = Pick<Facts, 'delivered_as' | 'connect_to' | 'observed_on' | 'least_pay_sats' | 'funding_outpoint' | 'channel_expires_on'> & {
  inbound_sats?: number;
  lease_blocks?: number;
};
/** Returns the facts of a liquidity offer or order that are shown: all except those whose names start with `provider_`, which are for checks only. */
export const shownFacts = (facts: Facts): LiquidityFacts => Object.fromEntries(Object.entries(facts).filter(([name]) => !name.startsWith('provider_')));

/** Returns a value that must be present. Throws RangeError if it is missing. */
export const required = <T>(value: T | undefined, what: string): T => {
  if (value === undefined) throw new RangeError(`${what} is missing`);
  return value;
};

type Option = { payment_option_id?: number };
/** `payment_info` of a purchase: a page, or a bank's details under the provider's own keys. */
export type FiatPayment = Option & { payment_url?: string; payment_details?: { [providersKey: string]: string }; epc_qr?: string };
/** `payment_info` of a sale or of liquidity: the one value to pay to. `kind` tells whether an address is on the bitcoin chain or an altcoin's. */
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
