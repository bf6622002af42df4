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
 * Amounts leave as JSON integers. One that no integer holds (in a row from before we checked this at the door) becomes null, so that it never
 * fails the whole answer or list.
 */
export type Amount = number | null;
export const int = (amount: bigint): Amount => (isSafe(amount) ? Number(amount) : null);

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

/** The one value to pay to. `kind` says whether an address is on bitcoin's chain or an altcoin's. */
export type PayTo = { lightning_invoice?: string; lightning_address?: string; lnurl?: string; address?: string };
export const paymentKinds = ['invoice', 'lightning_address', 'lnurl', 'onchain', 'altcoin'] as const;
/** `payment_info`: how to pay, by one value that a wallet understands or by a fiat provider's own keys. */
export type ShownPayment = {
  payment_option_id?: number;
  kind?: (typeof paymentKinds)[number];
  amount_sats?: Amount;
  min_sats?: Amount;
  max_sats?: Amount;
  bip21?: string;
  altcoin_amount?: string;
  altcoin_code?: string;
  payment_url?: string;
  payment_details?: { [providersKey: string]: string };
  epc_qr?: string;
} & PayTo;
