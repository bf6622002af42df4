/**
 * G6 for DFX's prices, one lie at a time: each member of each of its answers takes every value of its kind, while the other members stay true. No lie
 * may become a defect, an impossible option, or an offer over other money. The short form tries a random part.
 */
import { expect, it } from 'vitest';
import type { ProviderOffer } from '../../src/domain/offer.ts';
import { createDfxSimulator } from '../../src/providers/dfx/dfx.simulator.ts';
import { provider } from '../../src/providers/dfx/index.ts';
import type { AdapterDeps, CatalogueOption } from '../../src/providers/spec.ts';
import { flawBy, liesAbout, liesLike, orNothing, tell, type Lie } from './one-lie.ts';
import { chaosSeed, createRandom, isFull, reportGoal } from './random.ts';

const now = Date.UTC(2026, 10, 29);
const context = { signal: new AbortController().signal, requestId: 'req_lie' };
const option: CatalogueOption = { currency: 'EUR', name: 'SEPA', upstream: { method: 'Bank' }, feePpm: 0 };

/** Makes an adapter over a simulator, one of whose answers holds the lie. `told` collects the true answers, by endpoint and direction. */
const start = (lie: Lie | undefined) => {
  const told = new Map<string, unknown>();
  const { app } = createDfxSimulator({ id: 'dfx', now: () => now });
  const deps: AdapterDeps = {
    providerId: 'dfx',
    http: async ({ method, url, body }) => {
      const call = `${method} ${new URL(url).pathname}${body?.includes('"targetAmount"') ? ' for the target' : ''}`;
      const headers = { 'content-type': 'application/json' };
      const response = await app.fetch(new Request(url, { method, headers, ...(body === undefined ? {} : { body }) }));
      const answer: unknown = await response.json();
      return { status: response.status, headers, body: tell(told, call, answer, lie) };
    },
    now: () => now,
    newId: () => 'id',
    log: () => undefined,
    network: 'regtest',
    mode: 'sandbox',
    secret: () => undefined,
  };
  const { buy, sell } = provider.create(deps, provider.settings.parse({ base_url: 'http://127.0.0.1:9' }));
  if (!buy || !sell) throw new Error('a ramp is missing');
  return { buy, sell, told };
};

/** The words that DFX has for refusals. */
const words = ['AmountTooLow', 'LimitExceeded', 'KycRequired', 'Instant', 'eur', 'E€'];

const differ = (a: bigint, b: bigint): bigint => (a < b ? b - a : a - b);
/** Asks for both listings, and for all four prices. Returns what is wrong. */
const flawsOf = async ({ buy, sell }: ReturnType<typeof start>): Promise<string[]> => {
  const wrong: string[] = [];
  for (const listed of [await orNothing(buy.catalogue(context)), await orNothing(sell.catalogue(context))])
    for (const { currency, minFiat = 0n, maxFiat = 0n } of listed?.options ?? [])
      if (!/^[A-Z0-9]{2,16}$/.test(currency) || minFiat < 0n || maxFiat < 0n) wrong.push('an impossible option');
  const judge = (what: string, offer: ProviderOffer | undefined, isRight: (offer: ProviderOffer) => boolean): void => {
    if (offer && (offer.fee < 0n || offer.binding || !isRight(offer))) wrong.push(`${what}: ${offer.pay} for ${offer.receive}`);
  };
  // The gateway itself excludes an offer for an amount other than the requested one.
  const bought = { ramp: 'buy', option } as const;
  judge(
    'buy',
    await orNothing(buy.quote(context, { ...bought, fixed: 'pay', amount: 10_000n })),
    ({ pay, receive }) => pay !== 10_000n || differ(receive, 123_137n) <= 20n,
  );
  judge(
    'buy sats',
    await orNothing(buy.quote(context, { ...bought, fixed: 'receive', amount: 107_869n })),
    ({ pay, receive }) => receive === 107_869n && differ(pay, 8_760n) <= 1n,
  );
  const sold = { ramp: 'sell', option, network: 'lightning' } as const;
  judge(
    'sell',
    await orNothing(sell.quote(context, { ...sold, fixed: 'pay', amount: 250_000n })),
    ({ pay, receive }) => pay !== 250_000n || differ(receive, 19_802n) <= 6n,
  );
  judge(
    'sell for',
    await orNothing(sell.quote(context, { ...sold, fixed: 'receive', amount: 19_802n })),
    ({ pay, receive }) => receive !== 19_802n || differ(pay, 250_010n) <= 80n,
  );
  return wrong;
};

it('no lie of one member makes a defect or a wrong offer', async () => {
  const true_ = start(undefined);
  expect(await flawsOf(true_)).toEqual([]);
  expect([...true_.told.keys()].length).toBe(6);
  const random = createRandom(chaosSeed);
  const lies = liesAbout(true_.told, (_, old) => liesLike(old, words, now));
  expect(lies.length).toBeGreaterThan(1000);
  const tried = isFull ? lies : lies.filter(() => random.chance(300 / lies.length));
  const wrong: string[] = [];
  for (const lie of tried) for (const flaw of await flawsOf(start(lie))) wrong.push(flawBy(true_.told, lie, flaw));
  expect(wrong, `seed ${chaosSeed}`).toEqual([]);
  reportGoal('G6', `DFX, one lie at a time: ${tried.length} of ${lies.length} lies, no defect, no offer with other money`, chaosSeed);
}, 300_000);
