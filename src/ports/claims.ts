import type { Lease, Share } from './runtime.ts';

export type Claim = {
  orderId: string;
  state: 'sending' | 'held' | 'review';
  attempt: number;
  fallback?: string;
  fallbackHash?: string;
  lnurl?: string;
  expiresOn?: number;
  createdOn: number;
  nextTryOn: number;
};
export type ClaimStore = {
  /** Stores a new claim. Returns false if the order already has one. */
  create(claim: { orderId: string; fallback?: string; fallbackHash?: string; now: number }, lease: Lease): Promise<boolean>;
  find(orderId: string): Promise<Claim | undefined>;
  take(orderId: string, lease: Lease): Promise<Claim | undefined>;
  /**
   * Stores the link. Returns false, and stores nothing, if another owner has taken the claim since, unless that owner has finished or lost its lease
   * and stored no link. In that case the claim still has the link that it had when this one was requested (`known`), or none.
   */
  hold(orderId: string, owner: string, held: { lnurl: string; expiresOn?: number }, known?: string): Promise<boolean>;
  /** Returns false if another owner has taken the claim since, even if that owner has finished. */
  change(orderId: string, owner: string, change: { state?: 'sending' | 'review'; attempt?: number; nextTryOn?: number }): Promise<boolean>;
  /** `providerId`: the provider of the claim's order. */
  claimDue(now: number, lease: Lease, limit: number, share?: Share): Promise<(Claim & { providerId: string })[]>;
};
