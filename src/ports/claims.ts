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
   * Stores the link. If another owner has taken the claim since, the link is stored only if that owner has finished without a link of its own. Then
   * the claim has no link, or still the one that it had when this link was requested (`known`). Returns whether the link was stored.
   */
  hold(orderId: string, owner: string, held: { lnurl: string; expiresOn?: number }, known?: string): Promise<boolean>;
  /** Returns false if another owner has taken the claim since, even if that one has finished. */
  change(orderId: string, owner: string, change: { state?: 'sending' | 'review'; attempt?: number; nextTryOn?: number }): Promise<boolean>;
  /** `providerId`: the provider of the claim's order. */
  claimDue(now: number, lease: Lease, limit: number, share?: Share): Promise<(Claim & { providerId: string })[]>;
};
