/** The options and switches of the simulated DFX. Fiat amounts are integers in hundredths. */
import type { Fault as KitFault } from '../kit/faults.simulator.ts';

/** The endpoints, as faults, `says` and `requests` name them. */
export type Endpoint = 'GET /v1/asset' | 'GET /v1/fiat' | 'PUT /v1/buy/quote' | 'PUT /v1/sell/quote';
/** `country-403`: DFX refuses the country of the caller's IP address. `unknown-member`: the answer has a member that no document mentions. */
export type Fault = KitFault<'country-403' | 'unknown-member'>;

export type QuoteError =
  | 'AmountTooLow'
  | 'AmountTooHigh'
  | 'LimitExceeded'
  | 'AssetUnsupported'
  | 'CurrencyUnsupported'
  | 'PaymentMethodNotAllowed'
  | 'CountryNotAllowed'
  | 'NationalityNotAllowed'
  | 'EmailRequired'
  | 'RecommendationRequired'
  | 'KycRequired'
  | 'KycRequiredInstant'
  | 'KycDataRequired'
  | 'NameRequired'
  | 'PrimaryEmailRequired'
  | 'BankTransactionMissing'
  | 'BankTransactionOrVideoMissing'
  | 'VideoIdentRequired'
  | 'IbanCurrencyMismatch';

export type SimulatedCurrency = {
  id: number;
  name: string;
  /** Hundredths per bitcoin. */
  price: number;
  /** The least and most to pay or to receive, in hundredths. Without `max`: 1,000,000,000 CHF converted. */
  min: number;
  max?: number;
  /** The bank's view: `sellable` currencies buy bitcoin, `buyable` ones are received for it. */
  buyable: boolean;
  sellable: boolean;
  instantBuyable: boolean;
  instantSellable: boolean;
  allowedIbanCountries: string[];
};
export type SimulatedAsset = {
  id: number;
  name: string;
  blockchain: string;
  buyable: boolean;
  sellable: boolean;
  instantBuyable: boolean;
  instantSellable: boolean;
};
export type FeeOptions = { rateBps: number; fixed?: number; min?: number; network?: number; bankBps?: number };

export type SimulatorOptions = {
  id: string;
  port?: number;
  /** The simulator's clock, if not the machine's. */
  now?: () => number;
  currencies?: SimulatedCurrency[];
  assets?: SimulatedAsset[];
  fees?: { buy: FeeOptions; sell: FeeOptions };
  /** Partner wallets by name, with the fee that each adds (`platform`). A quote that names another wallet gets no such fee. */
  wallets?: { [name: string]: { platformBps: number } };
  /** Makes every quote invalid for these reasons, besides its own. */
  refuse?: QuoteError[];
  /** Quotes with one of these as `country` get CountryNotAllowed. */
  refusedCountries?: string[];
  card?: 'refused' | 'served';
  /** The age of the price, which may be any (`PriceValidity.ANY`). */
  priceAgeMs?: number;
  /** Whether quotes have minVolumeTarget and maxVolumeTarget, which "may be absent". */
  targetLimits?: boolean;
  /** What an unidentified customer may trade in 30 days, in hundredths of CHF: the limit of LimitExceeded. */
  monthlyLimit?: number;
  /** Returns a body to send under 200 instead of `truth`, or undefined to send `truth`. */
  says?: ((endpoint: Endpoint, truth: unknown) => unknown) | undefined;
};
export type Settled = Required<Omit<SimulatorOptions, 'port' | 'says'>> & Pick<SimulatorOptions, 'says'>;

/** UNKNOWN in the docs: the live minimum. `limits` says it; 10.00 is the sheet's sample. */
const min = 1000;

/** Returns the options with the defaults: the seed's catalogue and fees, and 80,000 EUR per bitcoin with CHF and AED in about the seed's proportions. */
export const settle = (given: SimulatorOptions): Settled => ({
  now: Date.now,
  currencies: [
    {
      id: 1,
      name: 'CHF',
      price: 7_430_010,
      min,
      buyable: true,
      sellable: true,
      instantBuyable: false,
      instantSellable: false,
      allowedIbanCountries: ['CH', 'LI'],
    },
    {
      id: 2,
      name: 'EUR',
      price: 8_000_000,
      min,
      buyable: true,
      sellable: true,
      instantBuyable: false,
      instantSellable: true,
      // UNKNOWN in the docs: the countries of each currency but CHF.
      allowedIbanCountries: ['AT', 'BE', 'CH', 'DE', 'ES', 'FR', 'IT', 'LI', 'NL'],
    },
    {
      id: 17,
      name: 'AED',
      price: 34_605_700,
      min,
      buyable: true,
      sellable: false,
      instantBuyable: false,
      instantSellable: false,
      allowedIbanCountries: ['AE'],
    },
  ],
  assets: [{ id: 236, name: 'BTC', blockchain: 'Lightning', buyable: true, sellable: true, instantBuyable: false, instantSellable: false }],
  // UNKNOWN in the docs: the live fees. These are the seed's for a private person.
  fees: { buy: { rateBps: 149 }, sell: { rateBps: 99 } },
  // UNKNOWN in the docs: the partner's fee.
  wallets: {},
  refuse: [],
  // UNKNOWN in the docs: the countries the API refuses. DFX's own Edge plugin blocks these.
  refusedCountries: ['IR', 'KP', 'MM', 'US', 'IL'],
  card: 'refused',
  priceAgeMs: 0,
  targetLimits: true,
  monthlyLimit: 100_000,
  ...given,
});
