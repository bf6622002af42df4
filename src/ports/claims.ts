import type { Lease, Share } from './runtime.ts';

export type Claim = {
  orderId: string;
  /**
   * `refused`: the provider has refused every request so far, and the last request named a fallback address. So there is no link. Of the address,
   * only the hash is kept, and the next request may name another.
   */
  state: 'sending' | 'held' | 'review' | 'refused';
  attempt: number;
  /** Set if no answer can have been lost: each request was answered or certainly had no effect. Then, if no link is stored here, none exists. */
  isUnlost?: true;
  fallback?: string;
  fallbackHash?: string;
  lnurl?: string;
  expiresOn?: number;
  createdOn: number;
  /**
   * When the customer last asked for the link: the first time or, after a refusal, again. Absent if they asked before the release that added this
   * time, and no attempt has failed since.
   */
  askedOn?: number;
  nextTryOn: number;
};
/** `unlostAttempt`: set to the same number as `attempt` if no answer can have been lost up to that attempt. */
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
   * Takes a claim under a lease. Returns undefined for a refused claim, which only `reopen` takes. If the last lease was not given back, an answer
   * may have been lost, so the claim is no longer `isUnlost`.
   */
  take(orderId: string, lease: Lease): Promise<Claim | undefined>;
  /**
   * Takes a refused claim for a new request, which names this fallback address or none. Sets `askedOn` and `nextTryOn` to `now`. Returns undefined if
   * the claim is no longer refused, or if another owner holds it.
   */
  reopen(orderId: string, asked: { fallback?: string; fallbackHash?: string; now: number }, lease: Lease): Promise<Claim | undefined>;
  /**
   * Stores the link, and returns whether it did. If another owner has taken the claim since, stores the link only if nobody holds the claim now and
   * the stored link is still `known`. `known`: the link that was stored when this one was requested; undefined if there was none.
   */
  hold(orderId: string, owner: string, held: { lnurl: string; expiresOn?: number }, known?: string): Promise<boolean>;
  /** Returns false, and changes nothing, if another owner has taken the claim since, even if that owner has finished. */
  change(orderId: string, owner: string, change: ClaimChange): Promise<boolean>;
  /**
   * Drops the fallback address of a claim that holds no link, as if the provider had refused it, so that the next request may name another. Does
   * nothing in two cases. `lost`: an answer may have been lost, and `isSure` is false. `changed`: the claim has changed since it was read, or is
   * being worked on.
   */
  dropFallback(seen: Claim, isSure: boolean): Promise<'dropped' | 'lost' | 'changed'>;
  /** `providerId`: the provider of the claim's order. */
  claimDue(now: number, lease: Lease, limit: number, share?: Share): Promise<(Claim & { providerId: string })[]>;
};
