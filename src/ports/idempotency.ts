export type IdempotencyStore = {
  begin(row: {
    caller: string;
    route: string;
    keyHash: string;
    fingerprint: string;
    now: number;
    leaseSeconds: number;
  }): Promise<{ state: 'begun' } | { state: 'running'; fingerprint: string } | { state: 'done'; fingerprint: string; answer: string }>;
  finish(row: { caller: string; route: string; keyHash: string; answer: string }): Promise<void>;
  abandon(row: { caller: string; route: string; keyHash: string }): Promise<void>;
};
