import type { Json as AnyJson } from '../domain/offer.ts';
import type { LogFields } from './log-fields.ts';

export type Clock = () => number;
export type Ids = { uuid: () => string; /** Returns that many random bytes in base64url. */ secret: (bytes: number) => string };
export type Log = (level: 'debug' | 'info' | 'warn' | 'error', event: string, fields?: LogFields) => void;
export type Place = { table: string; row: string; field: string };
export type Seal = { seal(text: string, place: Place): Promise<string>; open(sealed: string, place: Place): Promise<string> };

/** JSON that the store accepts: any value except a bare null. */
export type Json = NonNullable<AnyJson>;

export type Lease = { owner: string; seconds: number };

/**
 * How the rows of a queue are shared among providers: at most `most` rows of one provider are worked on at a time. `busy`: how many are being worked
 * on already, by provider id.
 */
export type Share = { most: number; busy: Readonly<Record<string, number>> };
