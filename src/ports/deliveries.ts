/** Webhooks to wallets: what the use cases write and what the sender needs. */

/**
 * A webhook as it will be sent. `url` is sealed for the place (deliveries, id, url); `body` is the exact text that is sent. Times are in Unix
 * milliseconds.
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
   * Takes due webhooks under a lease (by the database's clock) and counts the attempt. Takes at most `limit` in all, at most `perHost` for one host,
   * one for each subject, and none for the hosts in `paused`.
   */
  claimDue(now: number, lease: { owner: string; seconds: number }, limit: number, perHost: number, paused?: readonly string[]): Promise<Delivery[]>;
  /**
   * Stores the outcome of an attempt; `on` is its time. A webhook that would be tried again becomes superseded if a newer one of its subject and type
   * exists.
   */
  finish(id: string, owner: string, outcome: { lastOutcome: string; on: number } & Ending): Promise<void>;
  /**
   * Brings a host's waiting webhooks forward, spread over the next `spreadMs`. Leaves those that are due by then. Returns how many it brought
   * forward.
   */
  kickHost(host: string, now: number, spreadMs: number): Promise<number>;
  list(filter: { state?: DeliveryState; limit: number }): Promise<Delivery[]>;
  /**
   * Makes a webhook due now. One that was delivered, dead or disabled gets all its tries again; a waiting one keeps its count. Returns false if there
   * is no such webhook, if it is being sent, or if a newer one of its subject and type exists; if it was dead, it then becomes superseded.
   */
  resend(id: string, now: number): Promise<boolean>;
};

/** `isTest`: a webhook that a wallet asked for with POST /webhook-test. Anybody can send many, so they take up no connections of the others. */
export type Sending = { url: string; headers: Record<string, string>; body: string; timeoutMs: number; isTest?: boolean };
/** What we keep of a sending. It never holds the body of the response, or the address that it came from. */
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
