/** Webhooks to wallets: what the use cases write, and what sends it. */

/** A webhook as it will be sent. `url` is sealed at (deliveries, id, url); `body` are the exact bytes. Moments in Unix milliseconds. */
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
  /** Takes due ones: at most `perHost` of a host and none of the `paused`, one of a subject, under a lease by the database's clock. The attempt is counted. */
  claimDue(now: number, lease: { owner: string; seconds: number }, limit: number, perHost: number, paused?: readonly string[]): Promise<Delivery[]>;
  /** `on`: the moment of the outcome. What would be due again, while a newer one of its subject and type was written, becomes superseded. */
  finish(id: string, owner: string, outcome: { lastOutcome: string; on: number } & Ending): Promise<void>;
  /** Pulls what waits for a host to now, spread over `spreadMs`. */
  kickHost(host: string, now: number, spreadMs: number): Promise<number>;
  list(filter: { state?: DeliveryState; limit: number }): Promise<Delivery[]>;
  /** False also where a newer one of its subject and type was written: a dead one then becomes superseded. */
  resend(id: string, now: number): Promise<boolean>;
};

export type Sending = { url: string; headers: Record<string, string>; body: string; timeoutMs: number };
/** What is kept of an answer: its class, never its body or the address it came from. */
export type SendOutcome = { outcome: 'delivered' | 'failed' | 'blocked'; statusClass: string; status?: number; retryAfterMs?: number };
export type Sender = (sending: Sending) => Promise<SendOutcome>;

export type Jwk = { kid: string; kty: 'OKP'; crv: 'Ed25519'; use: 'sig'; x: string; whpk: string };
export type Signer = {
  /** The value of `webhook-signature`: `v1a` of every signing key, and `v1` of each of the app's secrets. `timestamp` in Unix seconds. */
  sign(message: { id: string; timestamp: number; body: string; appId?: string }): Promise<string>;
  jwks(): Promise<{ keys: Jwk[] }>;
};
