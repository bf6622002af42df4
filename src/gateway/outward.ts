import { isSafe } from '../domain/money.ts';
import type { Facts } from '../domain/offer.ts';
import type { Gateway } from '../ports/gateway.ts';

/** RFC 3339 UTC. A moment beyond what a date holds is the last one that it holds. */
export const isoTime = (ms: number): string => new Date(Math.min(Math.max(ms, -lastMoment), lastMoment)).toISOString();
const lastMoment = 8_640_000_000_000_000;

/** A provider's outward name stands beside its id everywhere. */
export const providerRef = (gateway: Gateway, id: string): { id: string; name: string } => ({
  id,
  name: gateway.providers.find((provider) => provider.id === id)?.name ?? id,
});

/**
 * Amounts leave as JSON integers. One that no integer holds (a row of before this was checked at the door) is null: it never fails the answer or
 * the list that it stands in.
 */
export type Amount = number | null;
export const int = (amount: bigint): Amount => (isSafe(amount) ? Number(amount) : null);

/** A limit that no JSON integer holds bounds nothing: it is left away. */
export const limit = (name: string, amount: bigint | undefined): { [name: string]: number } =>
  amount === undefined || !isSafe(amount) ? {} : { [name]: Number(amount) };

/** What sellers of liquidity say of what they deliver. */
export type LiquidityFacts = Pick<Facts, 'delivered_as' | 'connect_to' | 'observed_on' | 'least_pay_sats' | 'funding_outpoint' | 'channel_expires_on'> & {
  inbound_sats?: number;
  lease_blocks?: number;
};
/** Facts whose names start with `provider_` are the provider's own figures, for checks only; the others are what adapters of liquidity say. */
export const shownFacts = (facts: Facts): LiquidityFacts => Object.fromEntries(Object.entries(facts).filter(([name]) => !name.startsWith('provider_')));

/** What is always there where it is asked for. */
export const required = <T>(value: T | undefined, what: string): T => {
  if (value === undefined) throw new RangeError(`${what} is missing`);
  return value;
};

/** The one value that is paid to: an address is of bitcoin's chain or of an altcoin's, as `kind` says. */
export type PayTo = { lightning_invoice?: string; lightning_address?: string; lnurl?: string; address?: string };
export const paymentKinds = ['invoice', 'lightning_address', 'lnurl', 'onchain', 'altcoin'] as const;
/** `payment_info`: how to pay. By one value that a wallet understands, or by what a fiat provider says under its own keys. */
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
