import type { Json as AnyJson } from '../domain/offer.ts';

export type Clock = () => number;
export type Ids = { uuid: () => string; /** base64url of that many random bytes */ secret: (bytes: number) => string };
export type LogFields = Record<string, string | number | boolean | undefined>;
export type Log = (level: 'debug' | 'info' | 'warn' | 'error', event: string, fields?: LogFields) => void;
export type Place = { table: string; row: string; field: string };
export type Seal = { seal(text: string, place: Place): Promise<string>; open(sealed: string, place: Place): Promise<string> };
export type Count = (name: string, labels?: Record<string, string>) => void;

/** JSON that is stored: never a bare null. */
export type Json = NonNullable<AnyJson>;

export type Lease = { owner: string; seconds: number };
