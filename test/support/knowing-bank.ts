/**
 * A kind of provider only for tests: a bank that knows its customers. One account buys and sells; it needs terms, a phone and a code. The bank
 * refuses until a customer was identified on its page, and sends all its webhooks to one URL. It lives in this process, and a test sets what it says.
 */
import * as z from 'zod';
import { ProviderFault } from '../../src/providers/fault.ts';
import type { Refusal } from '../../src/domain/refusal.ts';
import type { Stage } from '../../src/domain/order.ts';
import {
  defineProvider,
  type AccountState,
  type Answer,
  type Catalogue,
  type OrderEvidence,
  type PlacedOrder,
  type ProviderModule,
} from '../../src/providers/spec.ts';
import { invoiceOver } from './wallet.ts';

type User = { id: string; email: string; phone?: string; terms?: true; code?: string; wrong: number; isConfirmed?: true };
type Order = { id: string; user: string | undefined; pay: bigint; receive: bigint; stage: Stage };
type Asked = { verb: string; customer: string | undefined; country?: string | undefined; told?: object };

const settings = z.strictObject({ base_url: z.url(), notice_key_env: z.string().optional(), known_by: z.enum(['email', 'payout_to']).default('email') });
const option = { currency: 'EUR', name: 'SEPA', upstream: {}, feePpm: 0, minFiat: 100n, maxFiat: 1_000_000n };
const features = { quotes: true, estimates: false, on_chain_fallback: false, webhook: true };
const catalogue = async (): Promise<Answer<Catalogue>> => await Promise.resolve({ ok: true, value: { features, options: [option] } });

export const knowingBank = (now: () => number) => {
  const users: User[] = [];
  const orders: Order[] = [];
  const asked: Asked[] = [];
  /**
   * What the bank says next. `lose`: it makes the order, and its answer is lost. `codesLost`: its answer to a request for a code is lost.
   * `startRefused`: it makes the user, and refuses the rest. `rings`: called before it answers.
   */
  const says: {
    refusal?: Refusal;
    lose?: true;
    termsUrl: string;
    attemptsLeft?: number;
    codesRefused?: true;
    codesLost?: true;
    startRefused?: true;
    rings?: (orderId: string) => Promise<unknown>;
  } = { termsUrl: 'https://bank.example/terms' };

  const userOf = (customer: string | undefined): User | undefined => users.find(({ id }) => id === customer);
  const stateOf = (user: User): AccountState => {
    const missing = [...(user.phone === undefined ? (['phone'] as const) : []), ...(user.terms ? [] : (['terms_accepted'] as const))];
    const needs = missing.length > 0 ? missing : user.isConfirmed ? [] : (['code'] as const);
    return {
      status: needs.length === 0 ? 'connected' : 'onboarding',
      userId: user.id,
      needs: [...needs],
      termsUrl: says.termsUrl,
      ...(user.code === undefined ? {} : { codeSentBy: 'sms', codeExpiresOn: now() + 600_000 }),
    };
  };
  const told = (user: User): Answer<AccountState> => ({ ok: true, value: stateOf(user), customer: user.id });
  const noUser = { ok: false, refusal: { reason: 'account-required' } } as const;

  const quoted = (request: { fixed: 'pay' | 'receive'; amount: bigint; country?: string }, customer: string | undefined, ramp: 'buy' | 'sell', less = 0n) => {
    asked.push({ verb: `${ramp} quote`, customer, country: request.country });
    if (says.refusal && says.refusal.reason === 'busy') return { ok: false, refusal: says.refusal } as const;
    // 1 cent is 10 sats, both ways.
    const receive = ramp === 'buy' ? request.amount * 10n - less : request.amount / 10n;
    const value = { pay: request.amount, receive, fee: 0n, binding: true, expiresOn: now() + 3_600_000, upstream: {}, facts: {}, warnings: [] };
    return { ok: true, value: { ...value, requires: customer === undefined ? (['account'] as const).slice() : [] } } as const;
  };
  const place = async (
    ramp: 'buy' | 'sell',
    customer: string | undefined,
    { pay, receive }: { pay: bigint; receive: bigint },
  ): Promise<Answer<PlacedOrder>> => {
    asked.push({ verb: `${ramp} order`, customer });
    if (says.refusal) return { ok: false, refusal: says.refusal };
    const order: Order = { id: `KB-${orders.length + 1}-${ramp}`, user: customer, pay, receive, stage: 'awaiting_payment' };
    orders.push(order);
    await says.rings?.(order.id);
    if (says.lose) throw new ProviderFault('timeout', 'lost');
    const paymentInfo: PlacedOrder['paymentInfo'] =
      ramp === 'buy'
        ? { kind: 'fiat', paymentDetails: { iban: 'CH4431999123000889012', reference: order.id } }
        : { kind: 'invoice', value: invoiceOver(Number(pay), { timestamp: Math.floor(now() / 1000) }), amountSats: pay };
    return {
      ok: true,
      value: { upstreamOrderId: order.id, stage: 'awaiting_payment', pay, receive, fee: 0n, expiresOn: now() + 3_600_000, paymentInfo, matchedBy: 'order_id' },
    };
  };
  const read = (customer: string | undefined, id: string | undefined): Answer<OrderEvidence[]> => {
    asked.push({ verb: `read ${id ?? 'all'}`, customer });
    const rows = orders.filter((order) => order.user === customer && (id === undefined || order.id === id));
    return {
      ok: true,
      value: rows.map((order) => ({ upstreamOrderId: order.id, rawStatus: order.stage, stage: order.stage, pay: order.pay, receive: order.receive })),
    };
  };

  const module = defineProvider({
    kind: 'knowing',
    ramps: ['buy', 'sell'],
    settings,
    create: (deps, { notice_key_env: named, known_by: knownBy }) => ({
      buy: {
        byAccount: true,
        catalogue,
        beginSession: () => Promise.reject(new Error('has no sessions')),
        openSession: () => Promise.reject(new Error('has no sessions')),
        quote: async ({ customer }, request) => await Promise.resolve(quoted(request, customer, 'buy', knownBy === 'payout_to' ? 1n : 0n)),
        placeOrder: async ({ customer }, { offer }) => await place('buy', customer, offer),
        readOrders: async ({ customer }, order) => await Promise.resolve(read(customer, order?.upstreamOrderId)),
        // A bank that knows its users by their destination sends the sats there.
        ...(knownBy === 'payout_to'
          ? { payoutKinds: ['lightning_address' as const, 'lnurl' as const] as const }
          : { claim: () => Promise.resolve({ ok: false, refusal: { reason: 'declined' } } as const) }),
      },
      sell: {
        catalogue,
        quote: async ({ customer }, request) => await Promise.resolve(quoted(request, customer, 'sell')),
        placeOrder: async ({ customer }, { offer }) => await place('sell', customer, offer),
        readOrders: async ({ customer }, order) => await Promise.resolve(read(customer, order?.upstreamOrderId)),
        balance: () => Promise.resolve({ ok: false, refusal: { reason: 'declined' } }),
        transactions: () => Promise.resolve({ ok: true, value: [] }),
      },
      accounts: {
        takes: [knownBy, 'phone', 'terms_accepted'],
        knownBy,
        startAccount: async ({ customer }, { ref: _ref, noticeUrl: _url, ...said }) => {
          asked.push({ verb: 'start', customer, told: said });
          const email = said.email ?? said.payoutTo?.value ?? userOf(customer)?.email;
          if (email === undefined) return await Promise.resolve(noUser);
          let user = users.find((one) => one.email === email);
          if (!user) users.push((user = { id: `u-${users.length + 1}`, email, wrong: 0 }));
          Object.assign(user, said.phone === undefined ? {} : { phone: said.phone }, said.termsAccepted ? { terms: true } : {});
          if (says.startRefused) return { ok: false, refusal: { reason: 'declined', note: 'email-refused' }, customer: user.id };
          return told(user);
        },
        readAccount: async ({ customer }) => {
          asked.push({ verb: 'read account', customer });
          const user = userOf(customer);
          return await Promise.resolve(user ? told(user) : noUser);
        },
        codes: {
          send: async ({ customer }) => {
            asked.push({ verb: 'send code', customer });
            const user = userOf(customer);
            if (!user) return noUser;
            if (says.codesRefused) return { ok: false, refusal: { reason: 'declined', note: 'resend-refused' } };
            if (says.codesLost) throw new ProviderFault('timeout', 'lost');
            Object.assign(user, { code: String(100_000 + asked.length), wrong: 0 });
            return await Promise.resolve(told(user));
          },
          confirm: async ({ customer }, code) => {
            asked.push({ verb: 'confirm code', customer });
            const user = userOf(customer);
            if (!user) return noUser;
            if (user.code === undefined) return { ok: 'code-expired' };
            if (code !== user.code) return { ok: 'code-wrong', ...(says.attemptsLeft === undefined ? {} : { attemptsLeft: says.attemptsLeft }) };
            Object.assign(user, { isConfirmed: true });
            delete user.code;
            return await Promise.resolve(told(user));
          },
        },
      },
      notices: {
        hints: (body) => {
          try {
            const { orders: ids = [], user } = JSON.parse(body) as { orders?: string[]; user?: string };
            return [...ids.map((upstreamOrderId) => ({ upstreamOrderId })), ...(user === undefined ? [] : [{ userId: user }])];
          } catch {
            return [];
          }
        },
        ...(named === undefined ? {} : { key: { header: 'x-api-key', value: deps.secret(named) ?? '' } }),
      },
    }),
  }) as ProviderModule;
  return { module, users, orders, asked, says, calls: (verb: string): number => asked.filter((one) => one.verb === verb).length };
};
