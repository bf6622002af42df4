/** A request that failover moved has an attempt for each provider. Each names the next. */
import type { Gateway } from '../ports/gateway.ts';
import type { Intent } from '../ports/intents.ts';

/** From this attempt to the one with which the request ended, or is at present. */
export const attemptsFrom = async ({ stores }: Gateway, first: Intent): Promise<[...Intent[], Intent]> => {
  const earlier: Intent[] = [];
  let last = first;
  while (last.movedTo !== undefined) {
    const next = await stores.intents.find(last.movedTo);
    if (!next) break;
    earlier.push(last);
    last = next;
  }
  return [...earlier, last];
};

/** The attempt that holds the request's answer, or will. */
export const lastAttempt = async (gateway: Gateway, first: Intent): Promise<Intent> => (await attemptsFrom(gateway, first)).at(-1) ?? first;
