/** The options and state of a simulated Bringin. Where Bringin documents nothing, we chose the behaviour: README, "Choices". */
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { Fault as KitFault } from '../kit/faults.simulator.ts';
import { createLater, type Later } from '../kit/later.simulator.ts';

export type ErrorDialect =
  | 'docs'
  | 'status-as-text'
  | 'old'
  | 'details-as-list'
  | 'no-body'
  | 'message-and-error'
  | 'nested'
  | 'problem'
  | 'plain-text'
  | 'html'
  | 'under-200';
/** The ways in which answers may differ from the documentation. Source: the behaviour of similar servers, and what Bringin's clients met. */
export type Deviation =
  | 'enveloped'
  | 'snake-case'
  | 'numbers'
  | 'numeric-ids'
  | 'small-letters'
  | 'flat-links'
  | 'older-order'
  | 'date-expiry'
  | 'no-expiry'
  | 'bitcoin-links'
  | 'bare-lists'
  | 'odd-rows'
  | 'pages-of-two'
  | 'pages-repeat'
  | 'count-of-page'
  | 'nothing-but-done'
  | 'create-says-nothing';
export type WebhookStyle = { duplicates?: number; verbatim?: boolean; hold?: boolean };

export type SimulatorOptions = {
  id: string;
  /** The simulator's clock, if not the machine's. */
  now?: () => number;
  port?: number;
  masterKey: string;
  apiSecret: string;
  network?: 'main' | 'test' | 'signet' | 'regtest';
  lightningDomain?: string;
  /** E-mail addresses of people who already use Bringin, but did not sign up through this gateway. */
  knownUsers?: string[];
  keyPrefix?: string;
  price?: string;
  bringinPrice?: string;
  code?: string;
  codeAttempts?: number;
  /** How long it takes to make a standing order. */
  linkMs?: number;
  /** How many milliseconds after `connect` the user signs up, is verified and consents, without a call to `control`. */
  autoConnectMs?: number;
  /** How long the conversion of sats to euros takes after they arrive. */
  convertMs?: number;
  /** How many milliseconds after its creation an invoice is paid, without a call to `control`. */
  autoPayMs?: number;
  /** Whether some amounts decide what happens: bringin.simulator-magic.ts. */
  magic?: boolean;
  /** `sw-1`: `connect` answers as in the older contract: without `status`, and with 409 unless the user is pending. */
  connectDialect?: 'docs' | 'sw-1';
  /** `older`: confirm and resend answer as on the older pages of the documentation. */
  linkDialect?: 'newer' | 'older';
  /** Set if unpaid transactions are listed, too (INITIATED, then EXPIRED): before the others (`first`) or after them (`last`). */
  listsUnpaid?: 'first' | 'last';
  depositForm?: 'lightning_address' | 'lnurl' | 'invoice';
  expiryUnit?: 'ms' | 's';
  errorDialect?: ErrorDialect;
  deviations?: Deviation[];
  /** What one endpoint returns, whatever the request is. A string is sent as text. */
  refuses?: { endpoint: string; status: number; body: unknown };
  webhooks?: WebhookStyle;
  webhookRetryMs?: number[];
};

export type Step = 'signed-up' | 'email-verified' | 'documents-sent' | 'approved' | 'rejected';
export const steps: Step[] = ['signed-up', 'email-verified', 'documents-sent', 'approved'];

export type StandingOrder = {
  id: string;
  status: 'PENDING_CONFIRMATION' | 'ACTIVE' | 'CANCELLED';
  /** How many links of other applications use the standing order. If there are any, our link is cancelled at once, without a code. */
  foreignLinks: number;
  createdAt: number;
  updatedAt: number;
};
export type LinkStatus = 'INITIATING' | 'PENDING' | 'ACTIVE' | 'FAILED' | 'EXPIRED' | 'INACTIVE';
export type Link = {
  id: string;
  name: string;
  type: 'FIAT_TO_CRYPTO' | 'CRYPTO_TO_FIAT';
  subtype: 'LN' | 'ONCHAIN';
  status: string;
  createdAt: number;
  updatedAt: number;
  readyOn: number;
  iban: string | undefined;
  lnAddress: string | undefined;
  depositAddress: string | undefined;
  depositIban: string | undefined;
  destinationAddress: string | undefined;
  standingOrder: StandingOrder | undefined;
};
export type Challenge = { id: string; link: Link; for: 'create' | 'cancel'; wrong: number; expiresOn: number };
export type Transaction = {
  orderId: string;
  type: string;
  subType: string;
  sourceAmount: string;
  sourceCurrency: string;
  destinationAmount: string;
  destinationCurrency: string;
  destinationAddress: string;
  status: string;
  createdAt: string;
  sourceId: string | undefined;
};
export type User = {
  email: string;
  id: string;
  key: string;
  connected: boolean;
  /** Undefined: nobody has signed up yet. */
  step: Step | undefined;
  consent: boolean;
  inviteId: string;
  callback: string | undefined;
  ref: string | undefined;
  links: Link[];
  transactions: Transaction[];
  balance: bigint;
};
/** An invoice or address that sats can be paid to. */
export type Payable = {
  user: User;
  to: 'card' | 'connection';
  subType: string;
  orderId: string;
  sourceId: string | undefined;
  sats: bigint | undefined;
  /** When the invoice or address was made, if it is for one payment only. */
  createdOn?: number;
  expiresOn: number;
  paid: boolean;
};

/** `endpoint`: method and path without /api/v0, ids as `{id}`; `*` for all. */
export type Fault = KitFault<
  | 'lost-answer'
  | 'refuse'
  | 'unknown-member'
  | 'other-amount'
  | 'other-network'
  | 'other-expiry'
  | 'other-host'
  | 'better-than-market'
  | 'other-ticker'
  | 'unknown-status'
  | 'no-key'
> & { /** The HTTP status for `refuse`. */ status?: number };
export type FaultName = Fault['fault'];

export type State = Later & {
  options: SimulatorOptions;
  users: Map<string, User>;
  challenges: Map<string, Challenge>;
  /** The payables by invoice or address. */
  payables: Map<string, Payable>;
  /** What the next created link becomes instead of PENDING. */
  nextLink: LinkStatus | undefined;
  mails: { to: string; about: 'signup' | 'consent' }[];
  texts: { to: string; challengeId: string }[];
  requests: { at: number; endpoint: string; key: string; body: unknown; ip: string | undefined }[];
  webhooks: { at: number; url: string; body: unknown; status: number | undefined }[];
  held: (() => Promise<void>)[];
  /** Moved by tests, to let codes and orders expire. */
  clockOffsetMs: number;
};

export const createState = (options: SimulatorOptions): State => {
  const state: State = {
    ...createLater(() => clock(state)),
    options,
    users: new Map(),
    challenges: new Map(),
    payables: new Map(),
    nextLink: undefined,
    mails: [],
    texts: [],
    requests: [],
    webhooks: [],
    held: [],
    clockOffsetMs: 0,
  };
  for (const email of options.knownUsers ?? []) state.users.set(email, { ...newUser(email, options), step: 'approved' });
  return state;
};
export const clock = (state: State): number => (state.options.now ?? Date.now)() + state.clockOffsetMs;
export const iso = (ms: number): string => new Date(ms).toISOString();

/** Returns a new key like those in the documentation: the base64 of 32 hex characters. */
export const newKey = (options: SimulatorOptions): string => `${options.keyPrefix ?? ''}${Buffer.from(randomBytes(16).toString('hex')).toString('base64')}`;
/** Returns a new id: a UUID, or a number of nine digits. */
export const newId = ({ deviations }: Pick<SimulatorOptions, 'deviations'>): string =>
  deviations?.includes('numeric-ids') === true ? String(100_000_000 + randomInt(900_000_000)) : randomUUID();
export const newUser = (email: string, options: SimulatorOptions): User => ({
  email,
  id: newId(options),
  key: newKey(options),
  connected: false,
  step: undefined,
  consent: false,
  inviteId: randomUUID(),
  callback: undefined,
  ref: undefined,
  links: [],
  transactions: [],
  balance: 0n,
});

/** Bringin's documentation: "Keys may carry a prefix such as pk_live_ or sk_test_; Bringin strips it." */
export const bareKey = (key: string): string => key.replace(/^[a-z]{2}_(live|test)_/, '');

/** Returns an error in the form that the option `errorDialect` chooses: Bringin's own forms, or those of similar servers. */
export const errorReply = (state: State, status: number, message: string, errorCode = '10112'): Response => {
  switch (state.options.errorDialect ?? 'docs') {
    case 'docs':
      return Response.json({ message, statusCode: status, errorCode, errorDetails: {} }, { status });
    case 'status-as-text':
      return Response.json({ errorMessage: message, statusCode: String(status), errorCode: Number(errorCode) || errorCode, errorDetails: 'none' }, { status });
    case 'old':
      return Response.json({ error: message, code: errorCode }, { status });
    case 'details-as-list':
      return Response.json({ message, statusCode: status, errorCode, errorDetails: [{ path: 'body', message }] }, { status });
    case 'no-body':
      return new Response(null, { status });
    case 'message-and-error':
      return Response.json({ statusCode: status, error: 'Bad Request', message: [message] }, { status });
    case 'nested':
      return Response.json({ success: false, error: { code: errorCode, message } }, { status });
    case 'problem':
      return Response.json(
        { type: 'about:blank', title: 'Refused', status, detail: message },
        { status, headers: { 'content-type': 'application/problem+json' } },
      );
    case 'plain-text':
      return new Response(message, { status, headers: { 'content-type': 'text/plain' } });
    case 'html':
      return new Response(`<html><head><title>${status}</title></head><body><h1>${message}</h1></body></html>`, {
        status,
        headers: { 'content-type': 'text/html' },
      });
    case 'under-200':
      return Response.json({ success: false, statusCode: status, message, errorCode });
  }
};
