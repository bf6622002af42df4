import type { Lease, Share } from './runtime.ts';

export type Claim = {
  orderId: string;
  /**
   * `refused`: the provider has answered every request so far with a refusal, the last of which named a fallback address. So there is no link, and
   * the address is no longer kept, only its hash: the next request may name another.
   */
  state: 'sending' | 'held' | 'review' | 'refused';
  attempt: number;
  /** Set if no answer can have been lost: each request was refused, or certainly did nothing. Without a link here, there is none anywhere then. */
  isUnlost?: true;
  fallback?: string;
  fallbackHash?: string;
  lnurl?: string;
  expiresOn?: number;
  createdOn: number;
  /** When the customer asked: for the first time, or anew after a refusal. Absent if that was before the upgrade, and no attempt has failed since. */
  askedOn?: number;
  nextTryOn: number;
};
/** `unlostAttempt`: the same as `attempt`, if no answer can have been lost until then. */
export type ClaimChange = {
  state?: 'sending' | 'review' | 'refused';
  attempt?: number;
  unlostAttempt?: number;
  askedOn?: number;
  nextTryOn?: number;
  fallback?: null;
  fallbackHash?: null;
};
export type ClaimStore = {
  /** Stores a new claim. Returns false if the order already has one. */
  create(claim: { orderId: string; fallback?: string; fallbackHash?: string; now: number }, lease: Lease): Promise<boolean>;
  find(orderId: string): Promise<Claim | undefined>;
  /**
   * Takes a claim. Returns undefined for a refused one, which only `reopen` takes. If the last lease was not given back, an answer may have been
   * lost, so the claim is no longer `isUnlost`.
   */
  take(orderId: string, lease: Lease): Promise<Claim | undefined>;
  /**
   * Takes a claim that was refused, for a request with this fallback address or none: it counts as asked for `now`, and is due. Returns undefined if
   * it is no longer refused, or is taken.
   */
  reopen(orderId: string, asked: { fallback?: string; fallbackHash?: string; now: number }, lease: Lease): Promise<Claim | undefined>;
  /**
   * Stores the link. Returns false, and stores nothing, if another owner has taken the claim since, unless that owner has finished or lost its lease
   * and stored no link. In that case the claim still has the link that it had when this one was requested (`known`), or none.
   */
  hold(orderId: string, owner: string, held: { lnurl: string; expiresOn?: number }, known?: string): Promise<boolean>;
  /** Returns false if another owner has taken the claim since, even if that owner has finished. */
  change(orderId: string, owner: string, change: ClaimChange): Promise<boolean>;
  /**
   * Drops the fallback address of a claim that holds no link, as if the provider had refused it: the next request may name another. `lost`: did
   * nothing, because an answer may have been lost, and `isSure` is not given. `changed`: did nothing, because the claim has changed since it was
   * read, or is in hand.
   */
  dropFallback(seen: Claim, isSure: boolean): Promise<'dropped' | 'lost' | 'changed'>;
  /** `providerId`: the provider of the claim's order. */
  claimDue(now: number, lease: Lease, limit: number, share?: Share): Promise<(Claim & { providerId: string })[]>;
};
