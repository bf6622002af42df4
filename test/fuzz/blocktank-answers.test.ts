/**
 * G6 for Blocktank, one lie at a time: each member of each of its answers takes every value of its kind, while the other members stay true. No lie
 * may become a defect, an offer for an amount other than the invoice's, or an order that can be paid after its end. Both forms try a random part.
 */
import { expect, it } from 'vitest';
import { decodeInvoice } from '../../src/bitcoin/bolt11.ts';
import { provider } from '../../src/providers/blocktank/index.ts';
import { createBlocktankSimulator } from '../../src/providers/blocktank/blocktank.simulator.ts';
import type { AdapterDeps, FollowedOrder, LiquidityAdapter, LiquidityQuoteRequest } from '../../src/providers/spec.ts';
import { liesOfKind } from './kinds.ts';
import { flawBy, liesAbout, orNothing, tell, type Lie } from './one-lie.ts';
import { chaosSeed, createRandom, isFull, reportGoal, sizeOf } from './random.ts';

const nodePubkey = '02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619';
const turbo: LiquidityQuoteRequest = {
  ramp: 'liquidity',
  product: 'turbo',
  amountSats: 500_000n,
  payWith: 'lightning',
  leaseBlocks: 13_000,
  announce: false,
  firm: true,
  nodePubkey,
};
const context = { signal: new AbortController().signal, requestId: 'req_lie' };
const now = Date.UTC(2026, 10, 21, 10, 15);

/** Makes an adapter over a simulator, one of whose answers holds the lie. `told` collects the true answers. */
const start = (lie: Lie | undefined) => {
  const told = new Map<string, unknown>();
  const { app, control } = createBlocktankSimulator({ id: 'tank', now: () => now, lifeS: 172_800, lnurl: true }, () => 'http://127.0.0.1:9');
  const deps: AdapterDeps = {
    providerId: 'tank',
    http: async ({ method, url, body }) => {
      const path = new URL(url).pathname.replace(/[0-9a-f-]{36}/, '{id}');
      const call = `${method} ${path}`;
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
  const { liquidity: adapter } = provider.create(deps, provider.settings.parse({ base_url: 'http://127.0.0.1:9/api' }));
  if (!adapter) throw new Error('no liquidity');
  return { adapter, control, told };
};

/** Values that no member of any kind should have. */
const odd: unknown[] = [null, true, false, [], {}, '', 'x', -1, 0, 1, 'NaN', '1e400', 'x'.repeat(5000)];
/** Returns lies for a member. Goes by the type of its true value, because kinds.ts knows only the names of another standard. */
const liesFor = (key: string, old: unknown): unknown[] => {
  const like = (name: string): unknown[] => liesOfKind(name, old, { now, ids: [] });
  if (typeof old === 'number') return [...odd, ...like('amount_sats')];
  if (typeof old !== 'string') return odd;
  if (/^\d{4}-\d\d-\d\dT/.test(old)) return [...odd, ...like('expires_on')];
  if (key === 'lnurl') return [...odd, ...like('url')];
  const states = ['created', 'paid', 'executed', 'expired', 'open', 'closed', 'refunded', 'refundAvailable', 'canceled', 'partiallyPaid', 'holding', 'PAID'];
  return [...odd, ...(key.startsWith('state') ? states : [`${old}0`, old.slice(1), old.toUpperCase(), ` ${old}`, `${old}\u0000`])];
};

/**
 * Buys a channel from the seller with the lie: an estimate, a firm price, and reads around the payment, as far as the lie is in their answers.
 * Returns what is wrong.
 */
const flawsOf = async ({ adapter, control }: ReturnType<typeof start>, lie?: Lie): Promise<string[]> => {
  const wrong: string[] = [];
  const say = (what: string, isWrong: boolean): void => void (isWrong && wrong.push(what));
  const listed = await orNothing(adapter.catalogue(context));
  for (const one of listed ?? []) say('an impossible listing', one.minSats <= 0n || one.minSats > one.maxSats || (one.maxLeaseBlocks ?? 1) < 1);
  const isAbout = (call: RegExp): boolean => lie === undefined || /info|geocheck/.test(lie.call) || call.test(lie.call);
  const estimate = isAbout(/estimate/) && (await orNothing(adapter.quote(context, { ...turbo, firm: false })));
  if (estimate) say('an impossible estimate', estimate.pay !== estimate.receive + estimate.fee || estimate.fee < 0n || estimate.receive !== 500_000n);
  if (!isAbout(/channels(?!\/estimate)/)) return wrong;
  const firm = await orNothing(adapter.quote(context, turbo));
  const order = [...control.orders.values()].at(-1);
  if (firm && order) {
    const invoice = decodeInvoice(firm.secret ?? '');
    say('another amount than the invoice', invoice?.amountMsat !== firm.pay * 1000n);
    say('another amount than the order', firm.pay !== BigInt(order.paySats) || firm.receive !== 500_000n || firm.fee !== firm.pay - firm.receive);
    say('payable after its end', (firm.expiresOn ?? Infinity) > order.expiresOn || (firm.expiresOn ?? 0) <= now);
    say('another lease', Number(firm.facts.lease_blocks) !== 13_104);
  }
  if (order && isAbout(/id/)) wrong.push(...(await readFlaws(adapter, control, order.id)));
  return wrong;
};
const readFlaws = async (adapter: LiquidityAdapter, control: ReturnType<typeof start>['control'], upstreamOrderId: string): Promise<string[]> => {
  const order: FollowedOrder = {
    orderId: 'ours',
    upstreamOrderId,
    createdOn: now,
    pay: 0n,
    receive: 0n,
    fee: 0n,
    upstream: { pay_with: 'lightning', announce: false },
    facts: { inbound_sats: 500_000 },
  };
  const read = async (more: object = {}) => (await orNothing(adapter.readOrders(context, { ...order, ...more })))?.[0];
  const unpaid = await read({ nodePubkey });
  control.pay(upstreamOrderId);
  const byWallet = await read();
  const opened = await read({ nodePubkey });
  const seen = [unpaid, byWallet, opened].filter((one) => one !== undefined);
  const foreign = seen.filter((one) => one.upstreamOrderId !== upstreamOrderId).map(() => 'evidence of another order');
  const redemption = byWallet?.secret === undefined ? undefined : adapter.redemption?.(byWallet);
  const leads = redemption?.lnurl !== undefined && !/^LNURL1[0-9A-Z]+$/.test(redemption.lnurl) ? ['an LNURL that is none'] : [];
  return [...foreign, ...leads];
};

it(
  'no lie of one member makes a defect or a wrong offer',
  async () => {
    const true_ = start(undefined);
    expect(await flawsOf(true_)).toEqual([]);
    const random = createRandom(chaosSeed);
    const lies = liesAbout(true_.told, liesFor);
    expect(lies.length).toBeGreaterThan(1000);
    const tried = lies.filter(() => random.chance(sizeOf(60, 6_400) / lies.length));
    const wrong: string[] = [];
    for (const lie of tried) for (const flaw of await flawsOf(start(lie), lie)) wrong.push(flawBy(true_.told, lie, flaw));
    expect(wrong, `seed ${chaosSeed}`).toEqual([]);
    reportGoal('G6', `Blocktank, one lie at a time: ${tried.length} of ${lies.length} lies, no defect, no offer with other money`, chaosSeed);
  },
  isFull ? 600_000 : undefined,
);
