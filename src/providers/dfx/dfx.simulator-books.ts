/** The accounts, payout addresses, routes, orders and transactions of the simulated DFX. Amounts are exact fractions, in the units of its API. */
import { createFaults, type Faults } from '../kit/faults.simulator.ts';
import { createLater, type Later } from '../kit/later.simulator.ts';
import type { Fraction } from './dfx.simulator-amounts.ts';
import type { Ramp } from './dfx.simulator-price.ts';
import type { Endpoint, Fault, Settled, SimulatedCurrency } from './dfx.simulator-state.ts';

export type Account = {
  id: number;
  kycHash: string;
  mail: string | undefined;
  /** An e-mail address that was given and not yet verified. */
  pending: { mail: string; code: string } | undefined;
  /** Whether the customer may trade, because another customer invited them or DFX approved them. */
  approved: boolean;
  /** DFX's KYC level: −20 rejected, −10 terminated, 0, 10 mail, 20 personal data, 30 identified, 40 financial, 50 approved. */
  level: number;
  /** Whether name, address, phone and account type are known. */
  dataComplete: boolean;
  instantAllowed: boolean;
  /** Whether a bank transfer of the customer was seen before. */
  transferSeen: boolean;
  blocked: boolean;
  name: string | undefined;
  country: string | undefined;
  nationality: string | undefined;
};
/** A DFX user is one payout address. */
export type User = { id: number; address: string; secret: string; wallet: string | undefined; account: Account };

/** Where money comes in. Buy: one per user and asset, with a reference. Sell: one per user, IBAN and currency, with an LNURL. */
export type Route = { id: number; ramp: Ramp; user: User; key: string; reference: string; lnurlId: string };
export type Order = {
  id: number;
  uid: string;
  route: Route;
  currency: SimulatedCurrency;
  /** What the customer pays (fiat for a purchase, bitcoin for a sale), rounded down, as the order shows it. */
  amount: Fraction;
  rate: Fraction;
  isValid: boolean;
  isConfirmed: boolean;
  isExactPrice: boolean;
  externalId: string | undefined;
  createdOn: number;
  transaction: Transaction | undefined;
  /** How many more reads say `Completed` before the transaction is booked. */
  unbookedReads: number;
};
export type Transaction = {
  id: number;
  uid: string;
  ramp: Ramp;
  /** Undefined: nobody knows whose money it is (`Unassigned`). */
  route: Route | undefined;
  order: Order | undefined;
  currency: SimulatedCurrency;
  input: Fraction;
  inputTxId: string | undefined;
  state: string;
  reason: string | undefined;
  /** The state before a hold. */
  heldIn: string | undefined;
  /** How often the state was set. */
  changes: number;
  createdOn: number;
  fee: Fraction | undefined;
  output: Fraction | undefined;
  outputTxId: string | undefined;
  outputOn: number | undefined;
  payoutTries: number;
  chargeback: { on: number; txId: string } | undefined;
};
/** An invoice of a sale. */
export type Invoice = { route: Route; sats: number; hash: string; expiresOn: number; isPaid: boolean };

export type Books = Later & {
  options: Settled;
  faults: Faults<Fault>;
  origin: () => string;
  users: User[];
  accounts: Account[];
  routes: Route[];
  orders: Order[];
  transactions: Transaction[];
  /** Keyed by the text of the invoice. */
  invoices: Map<string, Invoice>;
  /** Codes that were sent by e-mail. */
  mails: { to: string; code: string }[];
  /** What was paid out over Lightning. `invoice` is undefined if the address is not on loopback, because no invoice was requested then. */
  payouts: { address: string; sats: number; invoice: string | undefined; txId: string }[];
  webhooks: { at: number; url: string; body: unknown; status: number | undefined }[];
  /** The bodies of the webhooks that were sent. A body that equals one of them is not sent again. */
  told: Set<string>;
  signUps: { at: number; network: string }[];
  mailChanges: { at: number; network: string }[];
  requests: { endpoint: Endpoint; path: string; body: unknown; headers: Record<string, string> }[];
  nextId: (kind: 'user' | 'account' | 'route' | 'order' | 'transaction') => number;
};

export const createBooks = (options: Settled, origin: () => string): Books => {
  const ids = { user: 70_311, account: 30_118, route: 5120, order: 481_206, transaction: 90_210 };
  return {
    ...createLater(() => options.now()),
    options,
    faults: createFaults<Fault>(),
    origin,
    users: [],
    accounts: [],
    routes: [],
    orders: [],
    transactions: [],
    invoices: new Map(),
    mails: [],
    payouts: [],
    webhooks: [],
    told: new Set(),
    signUps: [],
    mailChanges: [],
    requests: [],
    nextId: (kind) => (ids[kind] += 1),
  };
};

const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const letterDigits = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';
/** Returns random letters and digits. */
export const randomText = ({ options }: Books, length: number, alphabet: 'reference' | 'uid'): string => {
  const from = alphabet === 'uid' ? letterDigits : letters;
  return Array.from(options.randomBytes(length), (byte) => from.charAt(byte % from.length)).join('');
};
export const randomHex = ({ options }: Books, bytes: number): string => Buffer.from(options.randomBytes(bytes)).toString('hex');
export const iso = (ms: number): string => new Date(ms).toISOString();

export const walletOf = ({ options }: Books, user: User | undefined) =>
  user?.wallet !== undefined && Object.hasOwn(options.wallets, user.wallet) ? options.wallets[user.wallet] : undefined;

/** The stock NestJS error body. `message` is a list for a bad request body, and a string otherwise. */
export const refuse = (status: number, message: string | string[]): Response => {
  const words: { [status: number]: string } = { 400: 'Bad Request', 403: 'Forbidden', 404: 'Not Found', 409: 'Conflict' };
  const error = status === 401 && message !== 'Unauthorized' ? 'Unauthorized' : words[status];
  return Response.json({ statusCode: status, message, ...(error === undefined ? {} : { error }) }, { status });
};
