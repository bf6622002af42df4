/** What the suites of "one lie at a time" share: each member of each answer takes every value of its kind, while the other members stay true. */
import { ProviderFault } from '../../src/providers/fault.ts';
import { toText } from './hostile.ts';
import { liesOfKind } from './kinds.ts';
import { placesOf } from './lying-provider.ts';

/** A value in one place of the answer to one call. */
export type Lie = { call: string; place: number; value: unknown };

/** Notes the true answer to a call, and returns its text as the adapter gets it: with the lie, if the lie is about this call. */
export const tell = (told: Map<string, unknown>, call: string, answer: unknown, lie: Lie | undefined): Uint8Array => {
  told.set(call, structuredClone(answer));
  const place = call === lie?.call ? placesOf(answer)[lie.place] : undefined;
  if (place) place.holder[place.key] = lie?.value;
  return new TextEncoder().encode(toText(answer));
};

/** Returns every lie about the true answers. `liesFor` returns the lies for one member. */
export const liesAbout = (told: ReadonlyMap<string, unknown>, liesFor: (key: string, old: unknown) => unknown[]): Lie[] =>
  [...told].flatMap(([call, answer]) =>
    placesOf(answer).flatMap(({ holder, key }, place) => liesFor(String(key), holder[key]).map((value): Lie => ({ call, place, value }))),
  );

const odd: unknown[] = [null, true, false, [], {}, '', 'x', -1, 0, 1, 1e-9, 1e9, '0x10', 'NaN', '1e400', 'x'.repeat(5000)];
/** Returns values that no member of any kind should have, and lies that resemble the true value. `words` are the provider's. */
export const liesLike = (old: unknown, words: readonly string[], now: number): unknown[] => {
  if (typeof old === 'number') return [...odd, ...liesOfKind('amount_sats', old, { now, ids: [] }), old * 1.001, old * 2, -old, `${old}`, `${old} EUR`];
  return typeof old === 'string' ? [...odd, ...words, `${old}0`, ` ${old}`, `${old}\u0000`] : odd;
};

/** Names a lie and what came of it. */
export const flawBy = (told: ReadonlyMap<string, unknown>, { call, place, value }: Lie, flaw: string): string =>
  `${call} ${placesOf(told.get(call))[place]?.key} = ${JSON.stringify(value)?.slice(0, 80)}: ${flaw}`;

/** Returns the answer, or undefined for a fault or a refusal. Throws for a defect. */
export const orNothing = async <T>(call: Promise<{ ok: true; value: T } | { ok: false }>): Promise<T | undefined> => {
  try {
    const answer = await call;
    return answer.ok ? answer.value : undefined;
  } catch (error) {
    if (error instanceof ProviderFault) return undefined;
    throw error;
  }
};
