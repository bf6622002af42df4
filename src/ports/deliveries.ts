/** Webhooks to wallets: what the use cases write and what the sender needs. */

/**
 * A webhook to send. `url` is sealed, and can be opened only for this row (deliveryUrlPlace). `body` holds exactly the bytes that are sent. Times are
 * in Unix milliseconds.
 */
export type NewDelivery = {
  id: string;
  subjectId: string;
  type: string;
  sequence: number;
  body: string;
  url: string;
  host: string;
  appId?: string;
  createdOn: number;
  dueOn: number;
};
export type DeliveryState = 'due' | 'delivered' | 'dead' | 'superseded' | 'disabled';
export type Delivery = NewDelivery & { state: DeliveryState; attempt: number; lastOutcome?: string; doneOn?: number };

type Ending = { state: 'due'; dueOn: number } | { state: Exclude<DeliveryState, 'due'>; dueOn?: never };

export type DeliveryStore = {
  /**
   * Claims due webhooks under a lease (by the database's clock), and counts an attempt for each. Claims at most `limit` in all, at most `perHost` for
   * one host, at most one for each subject, and none for the hosts in `paused`.
   */
  claimDue(now: number, lease: { owner: string; seconds: number }, limit: number, perHost: number, paused?: readonly string[]): Promise<Delivery[]>;
  /**
   * Stores the outcome of an attempt; `on` is its time. A webhook that would be tried again becomes superseded instead if a newer one with its
   * subject and type exists.
   */
  finish(id: string, owner: string, outcome: { lastOutcome: string; on: number } & Ending): Promise<void>;
  /**
   * Brings a host's waiting webhooks forward, spread over the next `spreadMs`, and returns how many. Leaves out those that are due by then anyway,
   * and those that have been tried more than five times.
   */
  kickHost(host: string, now: number, spreadMs: number): Promise<number>;
  list(filter: { state?: DeliveryState; limit: number }): Promise<Delivery[]>;
  /**
   * Makes a webhook due now. A webhook that was delivered, dead or disabled gets all its tries again; a waiting one keeps its count. Returns false if
   * there is no such webhook, if it is being sent, or if a newer one with its subject and type exists. In the last case, a dead webhook becomes
   * superseded.
   */
  resend(id: string, now: number): Promise<boolean>;
};

/**
 * `isTest`: a webhook that a wallet requested with POST /webhook-test. Anybody can cause many of these, so they use a few connections of their own,
 * and real webhooks keep theirs.
 */
export type Sending = { url: string; headers: Record<string, string>; body: string; timeoutMs: number; isTest?: boolean };
/** What we keep of a sent webhook: never the body of the response, nor the address that the response came from. */
export type SendOutcome = { outcome: 'delivered' | 'failed' | 'blocked'; statusClass: string; status?: number; retryAfterMs?: number };
export type Sender = (sending: Sending) => Promise<SendOutcome>;

export type Jwk = { kid: string; kty: 'OKP'; crv: 'Ed25519'; use: 'sig'; x: string; whpk: string };
export type Signer = {
  /**
   * Returns the value of the header `webhook-signature`: a `v1a` signature for each signing key, and a `v1` signature for each of the app's secrets.
   * `timestamp` is in Unix seconds.
   */
  sign(message: { id: string; timestamp: number; body: string; appId?: string }): Promise<string>;
  jwks(): Promise<{ keys: Jwk[] }>;
};
