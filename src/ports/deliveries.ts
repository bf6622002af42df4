/** Webhooks to wallets: what the use cases write and what the sender needs. */

/** A webhook as it will be sent. `url` is sealed at (deliveries, id, url); `body` holds the exact bytes. Times in Unix milliseconds. */
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
  /** Takes deliveries that are due, under a lease by the database's clock: at most `perHost` for a host, none for `paused` hosts, one per subject. Counts the attempt. */
  claimDue(now: number, lease: { owner: string; seconds: number }, limit: number, perHost: number, paused?: readonly string[]): Promise<Delivery[]>;
  /** `on`: the time of the outcome. A delivery due again becomes superseded if a newer one of its subject and type exists. */
  finish(id: string, owner: string, outcome: { lastOutcome: string; on: number } & Ending): Promise<void>;
  /** Makes a host's waiting deliveries due now, spread over `spreadMs`. */
  kickHost(host: string, now: number, spreadMs: number): Promise<number>;
  list(filter: { state?: DeliveryState; limit: number }): Promise<Delivery[]>;
  /** False also if a newer one of its subject and type exists; a dead one then becomes superseded. */
  resend(id: string, now: number): Promise<boolean>;
};

export type Sending = { url: string; headers: Record<string, string>; body: string; timeoutMs: number };
/** What we keep of an answer: its class, never its body or the address it came from. */
export type SendOutcome = { outcome: 'delivered' | 'failed' | 'blocked'; statusClass: string; status?: number; retryAfterMs?: number };
export type Sender = (sending: Sending) => Promise<SendOutcome>;

export type Jwk = { kid: string; kty: 'OKP'; crv: 'Ed25519'; use: 'sig'; x: string; whpk: string };
export type Signer = {
  /** The value of `webhook-signature`: `v1a` of every signing key, and `v1` of each of the app's secrets. `timestamp` in Unix seconds. */
  sign(message: { id: string; timestamp: number; body: string; appId?: string }): Promise<string>;
  jwks(): Promise<{ keys: Jwk[] }>;
};
