/**
 * Where bought sats go when the provider sends them itself (a pushed payout), instead of letting the customer withdraw them (a claim). The kinds are
 * the names of the members of `payout_to` in the API.
 */
export const payoutKinds = ['lightning_address', 'lnurl', 'invoice', 'node_pubkey', 'onchain'] as const;
export type PayoutKind = (typeof payoutKinds)[number];

export const payoutForms = ['claim', 'push'] as const;
export type PayoutForm = (typeof payoutForms)[number];

/**
 * A destination that the customer named, checked and in one canonical form (bitcoin/destination.ts). `isProven`: the customer's session has proved
 * the node key that gets the sats. Nobody can prove to us that a Lightning address, an LNURL or an on-chain address is theirs: for those it is always
 * false.
 */
export type PayoutTo = { kind: PayoutKind; value: string; isProven: boolean };
