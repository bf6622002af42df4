/** Accounts at providers, and their connections, as the use cases need them stored. Implemented in store/account-store.ts. */
import type { AccountState, ConnectionState } from '../providers/spec.ts';
import type { NewDelivery } from './deliveries.ts';
import type { Lease, Share } from './runtime.ts';

export type Account = {
  id: string;
  customerId: string;
  providerId: string;
  emailHash?: string;
  status: AccountState['status'];
  statusOn: number;
  /**
   * Sealed JSON of a Signup (gateway/accounts/show-account.ts): at first what the customer told us, later what the provider said about signing up,
   * and always how many codes were sent and tried.
   */
  signup?: string;
  sequence: number;
  webhookUrl?: string;
  webhookEvents?: string[];
  appId?: string;
  createdOn: number;
  checkedOn?: number;
  nextCheckOn?: number;
  removedOn?: number;
  /** When the account was first connected. Absent if it never was. */
  connectedOn?: number;
  /** The hash of the id by which the provider knows the user. Absent until the provider has stated that id. */
  userHash?: string;
};
export type Connection = {
  id: string;
  accountId: string;
  nameHash: string;
  status: ConnectionState['status'];
  statusOn: number;
  direction: 'sell' | 'buy';
  network: 'lightning' | 'onchain';
  /** Sealed JSON of the ConnectionRequest. */
  request: string;
  /** Sealed JSON of the ConnectionState; absent until the provider has answered. */
  state?: string;
  upstreamId?: string;
  sequence: number;
  createdOn: number;
};
export type AccountChange = Partial<
  Pick<Account, 'status' | 'statusOn' | 'signup' | 'webhookUrl' | 'webhookEvents' | 'checkedOn' | 'nextCheckOn' | 'sequence' | 'connectedOn' | 'userHash'>
> & { /** Deletes the e-mail's hash: the account was not connected by that e-mail. */ forgetEmail?: boolean };
export type ConnectionChange = Partial<Pick<Connection, 'status' | 'statusOn' | 'state' | 'upstreamId' | 'sequence'>>;

export type AccountStore = {
  /** Stores a new account and a row of provider_sessions with the same id. That row holds the blob (the sealed credentials), if there is one. */
  create(account: Account, blob: string | undefined): Promise<'created' | 'customer-has-one' | 'email-taken'>;
  /**
   * Returns whether another customer started an account with the same e-mail at this provider after `since`, or has ever connected an account with
   * that e-mail.
   */
  isNamedByOthers(account: Account, since: number): Promise<boolean>;
  /**
   * For a provider whose users belong to the first customer who names them: returns whether another customer holds one of these names. A customer
   * holds a name while they have the account, or if they removed it after `since`. Once the account was connected, or the provider has made a user
   * for it, they hold the name for good.
   */
  isHeldByAnother(account: Account, nameHashes: string[], since: number): Promise<boolean>;
  /** Returns whether another customer has ever connected an account of the same user at this provider. Removed accounts count, too. */
  isUserOfAnother(account: Account, userHash: string): Promise<boolean>;
  /**
   * Finds the accounts of the provider's user with this hash that are not removed. Accounts that were ever connected come first. There are several if
   * customers have named the same user, or pasted keys of the same user.
   */
  ofUser(providerId: string, userHash: string, limit: number): Promise<Account[]>;
  /** Deletes an account that the provider has not made. */
  discard(id: string): Promise<void>;
  find(id: string, customerId: string): Promise<Account | undefined>;
  findAny(id: string): Promise<Account | undefined>;
  list(customerId: string): Promise<Account[]>;
  /**
   * Writes the change and its webhooks in one transaction. Returns false if `sequence` has changed since the account was read, or if the account was
   * removed. If `wake` was called since then, the change does not postpone the check that `wake` made due. A change that sets the next check also
   * ends the lease of `claimDue`.
   */
  change(account: Pick<Account, 'id' | 'sequence' | 'nextCheckOn'>, change: AccountChange, deliveries: NewDelivery[]): Promise<boolean>;
  /**
   * Removes an account. `signup`: the sealed counts of its codes, which are kept. Returns false if the account is already removed, or if `sequence`
   * has changed since it was read, because codes may have been counted in the meantime, and those counts must be kept.
   */
  remove(account: Pick<Account, 'id' | 'sequence'>, now: number, signup?: string): Promise<boolean>;
  /** Finds the account that this customer removed last at this provider. */
  lastRemoved(customerId: string, providerId: string): Promise<Account | undefined>;
  claimDue(now: number, lease: Lease, limit: number, share?: Share): Promise<Account[]>;
  wake(id: string, now: number): Promise<void>;

  /**
   * Stores a new connection. If the account already has a connection with this `upstreamId`, even one that has ended, or a live one with this name,
   * stores nothing and returns that connection. With `lease`, the caller has the right to request it from the provider, as after leaseConnection.
   */
  createConnection(connection: Connection, lease?: Lease): Promise<{ created: true } | { existing: Connection }>;
  /**
   * Reserves the right to request the connection from the provider. Returns false if another call is requesting it at this moment, or if the provider
   * has already answered.
   */
  leaseConnection(id: string, lease: Lease): Promise<boolean>;
  releaseConnection(id: string, lease: Lease): Promise<void>;
  discardConnection(id: string): Promise<void>;
  findConnection(id: string, customerId: string): Promise<Connection | undefined>;
  connections(accountId: string): Promise<Connection[]>;
  /**
   * Finds the newest stored connection with this id at the provider: of this account, of the account that its customer has now, or of any account of
   * the same user. Prefers connections of accounts that are not removed, because the others are no longer read. Within each of
   * these two groups, prefers the customer's own connections.
   */
  lastStored(accountId: string, upstreamId: string): Promise<Connection | undefined>;
  /**
   * Writes the change and its webhooks in one transaction. Returns false if `sequence` or `state` has changed since the connection was read. With
   * `isNewer`, a changed `state` does not matter: the change is newer than whatever was stored meanwhile.
   */
  changeConnection(
    connection: Pick<Connection, 'id' | 'sequence' | 'state'>,
    change: ConnectionChange,
    deliveries: NewDelivery[],
    isNewer?: boolean,
  ): Promise<boolean>;

  /** Returns the ids of those payments that are already stored. */
  knownSettlements(accountId: string, transactionIds: string[]): Promise<string[]>;
  /** Stores a payment and its webhooks. Returns false, and stores nothing, if the payment was already stored. */
  settle(accountId: string, transactionId: string, now: number, deliveries: NewDelivery[]): Promise<boolean>;
};

export type { AccountNeed, ConnectionRequest } from '../providers/spec.ts';
