import type { Declined } from '../domain/offer.ts';

// ---- stores ----------------------------------------------------------------------------------------------------------------------------

export type ProviderSession = { id: string; providerId: string; blob?: string; ready: boolean; claimedOn: number; expiresOn?: number; unsettled: boolean };
export type Session = {
  idHash: string;
  customerId?: string;
  appId?: string;
  createdOn: number;
  openedOn?: number;
  lastUsedOn: number;
  expiresOn: number;
  revokedOn?: number;
  challenge: string;
  openedBy?: string;
  openedReply?: string;
  nodePubkey?: string;
  /** Providers that went back on an offer to this customer, and the time until which each is excluded. */
  declined?: Declined;
  /** The live upstream sessions of this session, by provider id. Their blobs are sealed. */
  upstream: Map<string, ProviderSession>;
};

export type SessionStore = {
  begin(
    row: { idHash: string; createdOn: number; expiresOn: number; challenge: string },
    upstream: { id: string; providerId: string; blob: string; expiresOn: number }[],
  ): Promise<void>;
  find(idHash: string): Promise<Session | undefined>;
  /** Opens the session for a customer. Returns false if another call has opened it first. */
  open(row: {
    idHash: string;
    customerId: string;
    appId?: string;
    openedBy: string;
    openedReply: string;
    nodePubkey?: string;
    now: number;
    expiresOn: number;
  }): Promise<boolean>;
  touch(idHash: string, now: number, expiresOn: number): Promise<void>;
  /** Returns whether the customer has an order that changed after `since`. Then even a session that has ended still gives access to their orders. */
  ownsOrders(customerId: string, since: number): Promise<boolean>;
  findCustomer(by: { keyHash?: string; recoveryHash?: string }): Promise<{ byKey?: string; byRecovery?: string }>;
  createCustomer(row: { id: string; keyHash?: string; recoveryHash: string; now: number }): Promise<string>;
  linkKey(customerId: string, keyHash: string): Promise<boolean>;

  /** Takes the right to open an upstream session, by inserting its row. Returns false if the owner already has a live row at this provider. */
  claimUpstream(row: { id: string; owner: string; providerId: string; now: number }): Promise<boolean>;
  findUpstream(owner: string, providerId: string): Promise<ProviderSession | undefined>;
  findUpstreamById(id: string): Promise<{ id: string; owner: string; providerId: string; blob?: string } | undefined>;
  saveUpstream(id: string, change: { blob: string; ready: boolean; expiresOn?: number }): Promise<void>;
  /** Replaces the sealed blob `known`. Returns false, and changes nothing, if the session has a different blob by now. */
  replaceUpstream(id: string, known: string | undefined, blob: string): Promise<boolean>;
  retireUpstream(id: string, now: number): Promise<void>;
};
