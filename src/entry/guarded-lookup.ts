import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isLoopback, isPublicAddress } from '../domain/public-address.ts';

export class BlockedAddress extends Error {}

export const isReachable = (address: string, sandbox: boolean): boolean => isPublicAddress(address) || (sandbox && isLoopback(address));

/**
 * Makes a DNS lookup that checks every address that it resolves. If one of the addresses is not public (in sandbox mode: neither public nor
 * loopback), all are refused, so a host with mixed addresses gets no connection.
 */
export const guardedLookup =
  ({ sandbox, lookup = systemLookup as LookupFunction }: { sandbox: boolean; lookup?: LookupFunction }): LookupFunction =>
  (host, given, done) => {
    lookup(host, { ...given, all: true }, (error, addresses) => {
      if (error) return done(error, [], 0);
      const all = Array.isArray(addresses) ? addresses : [{ address: addresses, family: 4 }];
      if (all.length === 0 || !all.every(({ address }) => isReachable(address, sandbox)))
        return done(new BlockedAddress('a resolved address is not public'), [], 0);
      if (given.all) done(null, all);
      else done(null, all[0]?.address ?? '', all[0]?.family);
    });
  };
