/** The options and switches of the simulated DFX. Fiat amounts are integers in hundredths. */
import { randomBytes } from 'node:crypto';
import type { BitcoinNetwork } from '../../bitcoin/address.ts';
import type { Fault as KitFault } from '../kit/faults.simulator.ts';

/** The names of the endpoints. Faults and the members `says` and `requests` use these names. */
export type Endpoint =
  | 'GET /v1/asset'
  | 'GET /v1/fiat'
  | 'PUT /v1/buy/quote'
  | 'PUT /v1/sell/quote'
  | 'GET /v1/auth/signMessage'
  | 'POST /v1/auth'
  | 'POST /v1/auth/signUp'
  | 'POST /v1/auth/signIn'
  | 'GET /v2/user'
  | 'PUT /v2/user/mail'
  | 'POST /v2/user/mail/verify'
  | 'PUT /v1/buy/paymentInfos'
  | 'PUT /v1/buy/paymentInfos/{id}/confirm'
  | 'PUT /v1/sell/paymentInfos'
  | 'GET /v1/transaction/single'
  | 'GET /v1/transaction/detail'
  | 'GET /v1/transaction/detail/single'
  | 'GET /v1/lnurlp/{id}'
  | 'GET /v1/lnurlp/{id}/callback';
/**
 * `country-403`: DFX refuses the country of the caller's IP address. `address-linked`: a login answers that the address belongs to another account.
 * `unauthorized`: the token counts as expired. `unknown-member`: the answer has a member that no document mentions. `lost-answer`: the request is
 * carried out, and the answer is lost. `oversized`: the answer is correct, but padded with 4 MB. The others are lies in an order (`other-amount`,
 * `other-estimate`, `foreign-uid`: the uid of another customer's order; `no-details`; `bad-iban`; `invoice-amount`; `other-network`) or in a status
 * (`other-uid`, `other-input`, `other-currency`, `unknown-state`, `absurd-output`).
 */
export type Fault = KitFault<
  | 'country-403'
  | 'address-linked'
  | 'unauthorized'
  | 'unknown-member'
  | 'lost-answer'
  | 'oversized'
  | 'other-amount'
  | 'other-estimate'
  | 'foreign-uid'
  | 'no-details'
  | 'bad-iban'
  | 'invoice-amount'
  | 'other-network'
  | 'other-uid'
  | 'other-input'
  | 'other-currency'
  | 'unknown-state'
  | 'absurd-output'
>;

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
  /** The least and most that a customer may pay in or be paid out, in hundredths. Without `max`, the most is what 1,000,000,000 CHF are worth. */
  min: number;
  max?: number;
  /** These flags take the customer's view: the customer can pay `sellable` money in for bitcoin, and is paid out in `buyable` money. */
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

/**
 * A partner's wallet at DFX. `platformBps`: its own fee. `autoTradeApproval`: its customers need no recommendation. Its webhooks go to `apiUrl`, with
 * `apiKey`, once both are set.
 */
export type PartnerWallet = { platformBps: number; autoTradeApproval?: boolean; apiUrl?: string; apiKey?: string };

export type SimulatorOptions = {
  id: string;
  port?: number;
  /** The simulator's clock, if not the machine's. */
  now?: () => number;
  randomBytes?: (length: number) => Uint8Array;
  /** The network of the invoices of sales. */
  network?: BitcoinNetwork;
  currencies?: SimulatedCurrency[];
  assets?: SimulatedAsset[];
  fees?: { buy: FeeOptions; sell: FeeOptions };
  /** Partner wallets by name. A quote or customer that names any other wallet counts as having none. */
  wallets?: { [name: string]: PartnerWallet };
  /** Reasons that make every quote and order invalid, besides those that apply anyway. */
  refuse?: QuoteError[];
  /**
   * How an order reports `refuse`: in an answer with status 200 (except the reasons that always get a 400), or with the first reason as the message
   * of a 400. The docs show both forms for the same reasons.
   */
  refuseOrdersBy?: '200' | '400';
  /** A quote with one of these as `country` gets CountryNotAllowed. Customers from these countries are refused, too. */
  refusedCountries?: string[];
  card?: 'refused' | 'served';
  /** How old the price in an answer is. DFX allows any age (`PriceValidity.ANY`). */
  priceAgeMs?: number;
  /** Whether quotes have minVolumeTarget and maxVolumeTarget, which "may be absent". */
  targetLimits?: boolean;
  /** What a customer below level 50 may trade in 30 days, in hundredths of CHF. More gets LimitExceeded. */
  monthlyLimit?: number;
  /** What a customer of level 50 or above may trade in 365 days, in hundredths of CHF. More gets LimitExceeded. */
  yearlyLimit?: number;

  /** The test system puts `[dev]_` before the sentence that a node signs. */
  stage?: 'live' | 'dev';
  jwtLifeMs?: number;
  /** How many new customers may sign up from one network (/24) in a day. */
  signUpLimit?: number;
  /** UNKNOWN in the docs: whether the limit also counts the customers that `POST /v1/auth` signs up. */
  signUpLimitOn?: 'signUp' | 'any';
  /** The recommendation codes of other customers. A login with one of them approves the account. */
  recommendationCodes?: string[];
  /** UNKNOWN in the docs: when a new e-mail address needs a code (202). `change`: only if the account already has an address. */
  mailCode?: 'change' | 'always' | 'never';
  /** The answer to an e-mail address of another account: 409, or 401 after the two accounts were merged. */
  mailOfAnother?: 'conflict' | 'merged';
  /** How long after a customer sets the e-mail address or opens the KYC page they are approved and identified, without a call to `control`. */
  autoApproveMs?: number;

  bank?: Bank;
  /** Whether the account number is the customer's own, so that a transfer needs no reference. */
  personalIban?: boolean;
  /** Whether an invalid buy order still says where to pay, as DFX's invalid orders do. */
  detailsIfInvalid?: boolean;
  /** Currencies for which no bank is found, and how a 400 says so. */
  noBank?: { currencies: string[]; message: 'NoBankAvailableForThisCurrency' | 'No Bank for the given amount/currency' };
  /** UNKNOWN in the docs: how long the invoice of a sale lives. */
  invoiceLifeS?: number;

  /** The time from the creation of an order until its money arrives, without a call to `control`. */
  autoPayMs?: number;
  /** How long each step from the money's arrival to `Completed` takes, without a call to `control`. There are three. */
  stepMs?: number;
  /** How many reads of a paid order say `Completed` with `id: null`, before its transaction is booked. */
  unbookedReads?: number;
  /** Whether DFX keeps the price of an order for 30 minutes, by the formula that takes the fee twice. UNKNOWN in the docs: whether this is on. */
  guaranteedPrice?: boolean;
  /**
   * How payouts end. `routing-error`: the first try of each transaction fails, the next one succeeds. `unclear`: `Stopped`. `below-minimum`
   * (purchases only): `Failed`.
   */
  payout?: 'succeeds' | 'routing-error' | 'below-minimum' | 'unclear';
  /** UNKNOWN in the docs: whether a status shows the exact output, or rounds it as prices do. In the contract's sample, it is rounded. */
  output?: 'rounded' | 'exact';
  webhooks?: 'sent' | 'duplicated' | 'missing' | 'wrong-key' | 'no-key';
  /** Returns a body to send instead of `truth`, with the same status (200 or 201), or undefined to send `truth`. */
  says?: ((endpoint: Endpoint, truth: unknown) => unknown) | undefined;
};
type Optional = 'says' | 'autoApproveMs' | 'autoPayMs' | 'stepMs';
export type Settled = Required<Omit<SimulatorOptions, 'port' | Optional>> & Pick<SimulatorOptions, Optional>;
/** The receiver of transfers, as orders show it. */
export type Bank = {
  name: string;
  bank: string;
  street: string;
  number: string;
  zip: string;
  city: string;
  country: string;
  countryCode: string;
  iban: string;
  bic: string;
  sepaInstant: boolean;
};

// UNKNOWN in the docs: the details, except the IBAN, which is from one of DFX's tests.
const bank: Bank = {
  name: 'DFX AG',
  bank: 'Bank Frick AG',
  street: 'Bahnhofstrasse',
  number: '7',
  zip: '6300',
  city: 'Zug',
  country: 'Switzerland',
  countryCode: 'CH',
  iban: 'LI75088110105923K000E',
  bic: 'BFRILI22XXX',
  sepaInstant: true,
};
const dayMs = 86_400_000;

/** UNKNOWN in the docs: the live minimum, which the listing's `limits` state. The example in DFX's contract is 10.00. */
const min = 1000;

/**
 * Returns the options with the defaults: the catalogue and fees of DFX's seed data, 80,000 EUR per bitcoin, and prices in CHF and AED in about the
 * proportions of the seed data.
 */
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
      // UNKNOWN in the docs: the countries of each currency except CHF.
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
  // UNKNOWN in the docs: the live fees. These are the fees of the seed data for a private person.
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
  // UNKNOWN in the docs: the yearly limit of an identified customer.
  yearlyLimit: 10_000_000,
  randomBytes,
  network: 'regtest',
  refuseOrdersBy: '200',
  stage: 'live',
  jwtLifeMs: 2 * dayMs,
  signUpLimit: 100,
  signUpLimitOn: 'signUp',
  recommendationCodes: [],
  mailCode: 'change',
  mailOfAnother: 'conflict',
  bank,
  personalIban: false,
  detailsIfInvalid: true,
  noBank: { currencies: [], message: 'NoBankAvailableForThisCurrency' },
  invoiceLifeS: 3600,
  unbookedReads: 0,
  guaranteedPrice: false,
  payout: 'succeeds',
  output: 'rounded',
  webhooks: 'sent',
  ...given,
});
