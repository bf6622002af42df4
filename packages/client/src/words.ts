import type { paths } from './api.gen.ts';
import type { Open } from './error.ts';
import type { Stage as KnownStage } from './words.gen.ts';

export type RampName = 'buy' | 'sell' | 'liquidity';

type Post<Body, Good> = { post: { requestBody: { content: { 'application/json': Body } }; responses: { 200: { content: { 'application/json': Good } } } } };
export type PostPath = { [Path in keyof paths]: paths[Path] extends Post<infer _Body, infer _Good> ? Path : never }[keyof paths];
/** The body of a good answer. */
export type Answer<Path extends keyof paths> = paths[Path] extends Post<infer _Body, infer Good> ? Good : never;
/** The body of a request, without the session. */
export type Asked<Path extends keyof paths> = paths[Path] extends Post<infer Body, infer _Good> ? Omit<Body, 'session_id'> : never;

/** Where an order is in its life: see the words of `KnownStage`. */
export type Stage = Open<KnownStage>;
export type ProviderRef = { id: string; name: string };

/** A kind of place that sats can be sent to. `node_pubkey` is the proven node of this wallet. */
export type PayoutKind = 'lightning_address' | 'lnurl' | 'invoice' | 'node_pubkey' | 'onchain';
/** Where sats are sent: exactly one member, named like its kind. */
export type PayoutTo = { [Kind in PayoutKind]: { [K in Kind]: string } & { [Other in Exclude<PayoutKind, Kind>]?: never } }[PayoutKind];
