/**
 * `@ramp-gateway/client/sell`: sells sats for fiat, to a bank account or a card. Also the customer's accounts, which some providers need for buying,
 * too.
 */
import { dateOf, mapped } from './mapped.ts';
import { defined } from '../../../src/domain/defined.ts';
import { contextOf, type Context } from './context.ts';
import { badInput, given, needs, oneOf, RampError, readAs, type Open } from './error.ts';
import { Money, toUnits, type Amount } from './money.ts';
import { offersOf, type Offer, type Offers } from './offer.ts';
import type { Order } from './order.ts';
import type { OpenOrders } from './ordering.ts';
import type { Ramp } from './ramp.ts';
import { watch, type Read } from './watch.ts';
import type { Answer, PayoutTo, Stage } from './words.ts';

export type SellQuery = {
  /** Fiat, by its ISO 4217 code. */
  currency: string;
  /** How the customer is paid: `SEPA`, `Card balance` … */
  by: string;
  network?: 'lightning' | 'onchain';
  /** Where the customer lives, ISO 3166. */
  country?: string;
  /** How long to wait for providers, in milliseconds. */
  maxWaitMs?: number;
} & ({ /** Sats that the customer pays. */ pay: Amount; get?: never } | { /** Fiat that arrives. */ get: Amount; pay?: never });

const connectionStatuses = ['initiating', 'code_required', 'active', 'failed', 'expired', 'inactive'] as const;
const accountStatuses = ['onboarding', 'pending', 'connected', 'rejected', 'needs_reconnect'] as const;
export type ConnectionStatus = (typeof connectionStatuses)[number];
export type AccountStatus = (typeof accountStatuses)[number];

export type ConnectionState = {
  id: string;
  accountId: string;
  name: string;
  direction: Open<'sell' | 'buy'>;
  network: Open<'lightning' | 'onchain'>;
  status: Open<ConnectionStatus>;
  /** Sats that are paid to this address go to the bank account, as fiat. */
  lightningAddress?: string;
  ibanMasked?: string;
  codeExpiresOn?: Date;
  attemptsLeft?: number;
  raw: Readonly<Record<string, unknown>>;
};
export type Connection = ConnectionState & {
  refresh: Read<ConnectionState>;
  /** Waits for one of these statuses. Throws RampError `ended` if the connection failed, expired or was cancelled instead. */
  until: (statuses: ConnectionStatus | readonly ConnectionStatus[], signal?: AbortSignal) => Promise<ConnectionState>;
  /** Confirms with the code from the text message. A wrong code throws RampError `code-wrong`: ask again. */
  confirm: (code: string, signal?: AbortSignal) => Promise<ConnectionState>;
  /** Asks for another text message. */
  resend: (signal?: AbortSignal) => Promise<ConnectionState>;
  cancel: (signal?: AbortSignal) => Promise<ConnectionState>;
};
/** The bank account that a sale pays into. */
export type Bank = { iban: string; bic: string; /** The holder of the account, as the bank knows them. */ beneficiaryName: string };
/**
 * A bank account and, unless `network` is `onchain`, the user name of the Lightning address that will pay into it: `alice` becomes an address like
 * `alice@bringin.xyz`. Or, with direction `buy`, a bitcoin address. `name` is the customer's own name for the connection.
 */
export type NewConnection = { name: string } & (
  | (Bank & { direction?: 'sell'; network?: 'lightning'; lightningUsername: string })
  | (Bank & { direction?: 'sell'; network: 'onchain' })
  | { direction: 'buy'; network?: 'lightning' | 'onchain'; destinationAddress: string }
);

export type AccountState = {
  id: string;
  provider: string;
  status: Open<AccountStatus>;
  /** The provider's own page, where the customer signs up. */
  signupUrl?: string;
  /** Whether the provider has sent the customer an e-mail. */
  mailSent: boolean;
  /** What is still missing: members for another call to `account`, or `code` (see `sendCode`). */
  needs: Open<'email' | 'phone' | 'payout_to' | 'terms_accepted' | 'code'>[];
  /** The provider's terms, while `needs` has `terms_accepted`. */
  termsUrl?: string;
  connections: ConnectionState[];
  nextCheckOn?: Date;
  raw: Readonly<Record<string, unknown>>;
};
export type Account = AccountState & {
  refresh: Read<AccountState>;
  /** Waits for one of these statuses, such as `connected`. Throws RampError `ended` if the provider rejected the customer instead. */
  until: (statuses: AccountStatus | readonly AccountStatus[], signal?: AbortSignal) => Promise<AccountState>;
  /** Asks the provider to send the customer a code, if the account `needs` one. */
  sendCode: (signal?: AbortSignal) => Promise<AccountState>;
  /** Submits the code. A wrong code throws RampError `code-wrong`: ask again. */
  confirm: (code: string, signal?: AbortSignal) => Promise<AccountState>;
  connect: (connection: NewConnection, signal?: AbortSignal) => Promise<Connection>;
  balance: (signal?: AbortSignal) => Promise<Money>;
  /** Returns the payments of the account, newest first, including those made straight to its addresses. */
  transactions: (options?: { since?: Date; limit?: number; signal?: AbortSignal }) => Promise<Transaction[]>;
  /** Removes the account from the gateway. The account at the provider stays. */
  remove: (signal?: AbortSignal) => Promise<void>;
};
/** What identifies the customer to the provider, and whatever `needs` names. The gateway passes on only what the provider asks for. */
export type AccountDetails = {
  email?: string;
  phone?: string;
  payoutTo?: PayoutTo;
  /** Set it once the customer has accepted the terms at `termsUrl`. */ termsAccepted?: true;
};
export type Transaction = {
  id: string;
  kind: string;
  /** The provider's own word. */
  status: string;
  stage?: Stage;
  sats?: bigint;
  /** In hundredths of the fiat unit. */
  fiatHundredths?: bigint;
  createdOn: Date;
};

export type SellBounds = {
  /** The connection to pay into, if the offer requires one. */
  connection?: Pick<ConnectionState, 'id'>;
  /** Do not order anything that pays out less. */
  atLeast?: Amount;
  signal?: AbortSignal;
};

export type Sell = ReturnType<typeof createSell>;
export const createSell = (ramp: Ramp) => {
  const context = contextOf(ramp);
  const { inSession, catalogue, ordering, runtime, webhook } = context;

  return {
    /** The ways to be paid. */
    options: async (signal?: AbortSignal) => await catalogue.list('sell', signal),
    /** Returns every provider's price, best first, even before there is any account: `requires` says what is missing. */
    offers: async (query: SellQuery, signal?: AbortSignal): Promise<Offers> => {
      const { by, pay, get, network, country, maxWaitMs, ...more } = needs(query, 'currency', 'by');
      const currency = more.currency.toUpperCase();
      if ((pay === undefined) === (get === undefined)) throw badInput('pay', 'give pay (sats) or get (fiat), not both');
      const amount = pay === undefined ? { amount_fiat: toUnits(get ?? '', currency, 'get') } : { amount_sats: toUnits(pay, 'sat', 'pay') };
      const { currency_id, payment_option_id } = await catalogue.idsOf('sell', currency, by, signal);
      const body = { ...amount, currency_id, payment_option_id, ...defined({ network, country, max_wait_ms: maxWaitMs }) };
      return offersOf('sell', await inSession('/sell/offers', body, { signal }), currency);
    },
    /**
     * Starts the customer's account at a provider, continues it with what the account `needs`, or recovers it. Most providers identify the customer
     * by e-mail; `apiKey` is a key from the provider's own dashboard. One account serves buying and selling.
     */
    account: async (provider: string, by: AccountDetails | { apiKey: string }, signal?: AbortSignal): Promise<Account> => {
      const { email, phone, payoutTo, termsAccepted, apiKey } = by as AccountDetails & { apiKey?: string };
      const who = defined({ email, phone, payout_to: payoutTo, terms_accepted: termsAccepted, api_key: apiKey });
      return accountOf(context, await inSession('/accounts', { provider, ...who, ...webhook }, { signal, key: runtime.id() }));
    },
    findAccount: async (id: string, signal?: AbortSignal): Promise<Account> =>
      accountOf(context, await inSession('/account-status', { account_id: id }, { signal })),
    findConnection: async (id: string, signal?: AbortSignal): Promise<Connection> => connectionOf(context, await readConnection(context, id, signal)),
    /**
     * Orders an offer. Ordering the same offer again returns the same order. Pay exactly what `order.pay` says: the payment may be recognised by its
     * amount.
     */
    order: async (offer: Pick<Offer, 'id'> & Partial<Pick<Offer, 'gets'>>, { connection, atLeast, signal }: SellBounds = {}): Promise<Order> => {
      const least = mapped(atLeast, (amount) => toUnits(amount, offer?.gets?.currency ?? 'fiat', 'atLeast'));
      return await ordering.place('sell', offer, { ...defined({ connection_id: connection?.id, min_amount_fiat: least }), ...webhook }, signal);
    },
    /** Returns the order with this id, for example the id in a webhook. */
    find: async (id: string, signal?: AbortSignal): Promise<Order> => await ordering.read('sell', id, signal),
    /**
     * Returns the orders that are not final, and the requests whose outcome is unknown. Call it after a restart. Another device of the customer, with
     * the same node, gets the orders but not the requests in this store.
     */
    open: async (signal?: AbortSignal): Promise<OpenOrders> => await ordering.open('sell', signal),
  };
};

type RawAccount = Answer<'/accounts'>;
type RawConnection = RawAccount['connections'][number];

const connectionState = (raw: RawConnection): ConnectionState =>
  readAs('a connection', () => ({
    id: given(raw.connection_id, 'connection_id'),
    accountId: raw.account_id,
    name: raw.name,
    direction: raw.direction,
    network: raw.network,
    status: given(raw.connection_status, 'connection_status'),
    ...defined({
      lightningAddress: raw.lightning_address,
      ibanMasked: raw.iban_masked,
      codeExpiresOn: mapped(raw.code_expires_on, dateOf),
      attemptsLeft: raw.attempts_left,
    }),
    raw,
  }));

const accountState = (raw: RawAccount): AccountState =>
  readAs('an account', () => ({
    id: given(raw.account_id, 'account_id'),
    provider: raw.provider,
    status: given(raw.account_status, 'account_status'),
    mailSent: raw.mail_sent === true,
    needs: raw.needs ?? [],
    connections: raw.connections.map(connectionState),
    ...defined({ signupUrl: raw.signup_url, termsUrl: raw.terms_url, nextCheckOn: mapped(raw.next_check_on, dateOf) }),
    raw,
  }));

type Wanted = { statuses: readonly string[]; ends: readonly string[]; what: string; signal: AbortSignal | undefined };
/** Waits for one of `statuses`. Throws at one of `ends`: from there, the status hardly ever changes by itself. */
const waitFor = async <State extends { status: string; nextCheckOn?: Date }>({ runtime }: Context, read: Read<State>, wanted: Wanted): Promise<State> => {
  const { statuses, ends, what, signal } = wanted;
  const isWanted = ({ status }: State): boolean => statuses.includes(status);
  const isFinal = (state: State): boolean => isWanted(state) || ends.includes(state.status);
  let last: State | undefined;
  for await (const state of watch(runtime, { read, seen: ({ status }) => status, isFinal }, signal)) last = state;
  if (last && isWanted(last)) return last;
  throw new RampError({ code: 'ended', action: 'ask-user', detail: `The ${what} is ${last?.status}.`, problem: { code: 'ended', status: last?.status } });
};

const readConnection = async ({ inSession }: Context, id: string, signal?: AbortSignal): Promise<RawConnection> => {
  const answer = await inSession('/sell/connection-status', { connection_id: id }, { signal });
  return readAs('a connection', () => given('connections' in answer ? answer.connections[0] : answer, 'connection'));
};

const connectionOf = (context: Context, raw: RawConnection): Connection => {
  const { inSession } = context;
  const first = connectionState(raw);
  const one = { connection_id: first.id };
  const read: Read<ConnectionState> = async (signal) => connectionState(await readConnection(context, first.id, signal));
  return {
    ...first,
    refresh: read,
    until: async (statuses, signal) => {
      const wanted = { statuses: oneOf('status', connectionStatuses, statuses), ends: ['failed', 'expired', 'inactive'], what: 'connection', signal };
      return await waitFor(context, read, wanted);
    },
    confirm: async (code, signal) => connectionState(await inSession('/sell/connection-confirm', { ...one, code }, { signal })),
    // Each request sends the customer another message.
    resend: async (signal) => connectionState(await inSession('/sell/connection-resend', one, { signal, once: true })),
    cancel: async (signal) => connectionState(await inSession('/sell/connection-cancel', one, { signal })),
  };
};

/** The members of a `NewConnection`. A caller in JavaScript may leave out any of them. */
type ConnectionMembers = {
  name: string;
  direction?: 'sell' | 'buy';
  network?: 'lightning' | 'onchain';
  iban?: string;
  bic?: string;
  beneficiaryName?: string;
  lightningUsername?: string;
  destinationAddress?: string;
};
/** Returns the connection. Throws before anything is sent if members are missing; the error names all of them. */
const completeConnection = (connection: NewConnection) => {
  const { direction, network } = (connection ?? {}) as ConnectionMembers;
  const forBank = ['iban', 'bic', 'beneficiaryName', ...(network === 'onchain' ? [] : (['lightningUsername'] as const))] as const;
  return needs(connection as ConnectionMembers, 'name', ...(direction === 'buy' ? (['destinationAddress'] as const) : forBank));
};

const accountOf = (context: Context, raw: RawAccount): Account => {
  const { inSession, runtime } = context;
  const first = accountState(raw);
  const one = { account_id: first.id };
  const read: Read<AccountState> = async (signal) => accountState(await inSession('/account-status', one, { signal }));
  return {
    ...first,
    refresh: read,
    until: async (statuses, signal) =>
      await waitFor(context, read, { statuses: oneOf('status', accountStatuses, statuses), ends: ['rejected'], what: 'account', signal }),
    // Each request sends the customer another message.
    sendCode: async (signal) => accountState(await inSession('/account-code', one, { signal, once: true })),
    confirm: async (code, signal) => accountState(await inSession('/account-confirm', { ...one, code }, { signal })),
    connect: async (connection, signal) => {
      const { name, direction, network, iban, bic, beneficiaryName, lightningUsername, destinationAddress } = completeConnection(connection);
      const body = {
        ...one,
        name,
        ...defined({
          direction,
          network,
          iban,
          bic,
          beneficiary_name: beneficiaryName,
          lightning_username: lightningUsername,
          destination_address: destinationAddress,
        }),
      };
      return connectionOf(context, await inSession('/sell/connections', body, { signal, key: runtime.id() }));
    },
    balance: async (signal) => {
      const { amount_fiat: units, currency_code: currency } = await inSession('/sell/balance', one, { signal });
      return readAs('a balance', () => new Money(BigInt(units), given(currency, 'currency_code')));
    },
    transactions: async ({ since, limit, signal } = {}) => {
      const body = { ...one, ...(since ? { since: since.toISOString() } : {}), ...defined({ limit }) };
      const { transactions } = await inSession('/sell/transactions', body, { signal });
      return readAs('a list of payments', () =>
        transactions.map(({ transaction_id: id, kind, status, stage, amount_sats: sats, amount_fiat: fiat, created_on: createdOn }) => ({
          id,
          kind,
          status,
          createdOn: new Date(createdOn),
          ...defined({ stage, sats: mapped(sats, BigInt), fiatHundredths: mapped(fiat, BigInt) }),
        })),
      );
    },
    remove: async (signal) => {
      await inSession('/account-remove', one, { signal });
    },
  };
};
