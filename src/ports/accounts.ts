/** Accounts at sell providers and their connections, as the use cases need them stored. Implemented in store/account-store.ts. */
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
  /** Sealed JSON: the e-mail until the provider has answered, then the signup link. */
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
  /** The hash of the provider's id of the user. Absent until the provider has stated it. */
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
  /** Stores a new account, and the provider_sessions row of the same id, which holds its blob (the sealed credentials), if there is one. */
  create(account: Account, blob: string | undefined): Promise<'created' | 'customer-has-one' | 'email-taken'>;
  /** Returns whether another customer has started an account with the same e-mail at this provider after `since`, or was ever connected by it. */
  isNamedByOthers(account: Account, since: number): Promise<boolean>;
  /**
   * Returns whether a name of the account, given by its hashes, belongs to another customer at a provider whose users belong to whoever names them
   * first: while that customer's account is here or was removed after `since`, and for good once it was connected or the provider has made a user for
   * it.
   */
  isHeldByAnother(account: Account, nameHashes: string[], since: number): Promise<boolean>;
  /** Returns whether another customer has connected an account of the same user at this provider, even if that account was removed since. */
  isUserOfAnother(account: Account, userHash: string): Promise<boolean>;
  /**
   * Finds the accounts of the provider's user with this hash, first those that were ever connected. There are several if customers have named the same
   * user, or pasted keys of the same user.
   */
  ofUser(providerId: string, userHash: string, limit: number): Promise<Account[]>;
  /** Deletes an account that was not made at the provider. */
  discard(id: string): Promise<void>;
  find(id: string, customerId: string): Promise<Account | undefined>;
  findAny(id: string): Promise<Account | undefined>;
  list(customerId: string): Promise<Account[]>;
  /**
   * Writes the change and its webhooks in one transaction. Returns false if `sequence` has changed since the account was read, or if it was removed. If
   * the account was woken (`wake`) since then, the change does not postpone that check. A change that sets the next check ends the lease, and no other does.
   */
  change(account: Pick<Account, 'id' | 'sequence' | 'nextCheckOn'>, change: AccountChange, deliveries: NewDelivery[]): Promise<boolean>;
  /**
   * Removes an account. `signup` is what is still kept sealed of it. Returns false if `sequence` has changed since the account was read, because
   * codes that were counted meanwhile must be kept, or if the account is already removed.
   */
  remove(account: Pick<Account, 'id' | 'sequence'>, now: number, signup?: string): Promise<boolean>;
  /** Finds the account that this customer removed last at this provider. */
  lastRemoved(customerId: string, providerId: string): Promise<Account | undefined>;
  claimDue(now: number, lease: Lease, limit: number, share?: Share): Promise<Account[]>;
  wake(id: string, now: number): Promise<void>;

  /** Stores a new connection. If the account already has a live connection of that name, stores nothing and returns the live one. */
  createConnection(connection: Connection): Promise<{ created: true } | { existing: Connection }>;
  /**
   * Reserves the right to ask the provider for the connection. Returns false if somebody else is asking at this moment, or if the provider has already
   * answered.
   */
  leaseConnection(id: string, lease: Lease): Promise<boolean>;
  releaseConnection(id: string, lease: Lease): Promise<void>;
  discardConnection(id: string): Promise<void>;
  findConnection(id: string, customerId: string): Promise<Connection | undefined>;
  connections(accountId: string): Promise<Connection[]>;
  changeConnection(connection: Pick<Connection, 'id' | 'sequence'>, change: ConnectionChange, deliveries: NewDelivery[]): Promise<boolean>;

  /** Returns those of the payments that are already stored. */
  knownSettlements(accountId: string, transactionIds: string[]): Promise<string[]>;
  /** Stores a payment and its webhooks. Returns false, and stores nothing, if the payment was already stored. */
  settle(accountId: string, transactionId: string, now: number, deliveries: NewDelivery[]): Promise<boolean>;
};

export type { AccountNeed, ConnectionRequest } from '../providers/spec.ts';
