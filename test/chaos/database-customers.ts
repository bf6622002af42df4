/**
 * Customers of all three ramps for G21. Their wallets repeat a request as long as the response says that it may be retried, record all responses, and
 * pay as they were shown.
 */
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';
import { connected, optionOf } from '../support/scenarios/sell.ts';
import type { startAllRamps } from '../support/all-ramps.ts';
import { invoiceOver, type Body, type Call } from '../support/wallet.ts';
import type { Random } from '../fuzz/random.ts';
import type { Told } from './checker.ts';

type Ramps = Awaited<ReturnType<typeof startAllRamps>>;
type Answer = { status: number; body: Body };
export type Kind = 'buy' | 'sell' | 'channel' | 'recharge';
/** One request for an order, with the first response that was final. */
export type Placed = { kind: Kind; wallet: Wallet; path: string; request: Body; answer: Answer; paid: boolean };

export const wait = async (ms: number): Promise<void> => await new Promise((done) => setTimeout(done, ms));
/** For how long a request is repeated. */
const patienceMs = 60_000;

export const startCustomers = async ({ gateway, world }: Ramps, random: Random) => {
  const wrong: string[] = [];
  const told: Told[] = [];
  const placed: Placed[] = [];
  const counts = { answers: 0, retried: 0, longestMs: 0, longest: '' };
  const phases = new Map<string, { good: number; retried: number }>();
  const entered = ['calm'];
  const phaseNow = (): string => entered.at(-1) ?? '';
  let isOpen = true;

  /** Sends a request, and repeats it unchanged while the response says that it may be retried. `ends` lists the problem codes that are final. */
  const ask = async (wallet: Wallet, path: string, body: Body | undefined, ends: readonly string[] = []): Promise<Answer | undefined> => {
    const until = performance.now() + patienceMs;
    for (;;) {
      const started = performance.now();
      const [begun, from] = [phaseNow(), entered.length - 1];
      const answer = await wallet.call(path, body).catch((error: unknown) => {
        wrong.push(`${begun}: ${path} was not answered: ${String(error)}`);
        return undefined;
      });
      if (!answer) return undefined;
      const { status, body: said } = answer;
      const [code, tookMs] = [String(said['code']), performance.now() - started];
      counts.answers += 1;
      if (tookMs > counts.longestMs) Object.assign(counts, { longestMs: tookMs, longest: `${path} ${status}, asked at ${begun}` });
      const { instance: _, request_id: __, ...essence } = said;
      if (path.endsWith('/order'))
        told.push({ quoteId: String(body?.['quote_id']), at: gateway.clock.now(), status, code, essence: JSON.stringify([status, essence]) });
      const isGood = status === 200 || ends.includes(code);
      // The response counts for each phase during which the request ran.
      for (const met of new Set(entered.slice(from))) {
        const of = phases.get(met) ?? { good: 0, retried: 0 };
        phases.set(met, of);
        of[isGood ? 'good' : 'retried'] += 1;
      }
      if (isGood) return answer;
      counts.retried += 1;
      const isForNow = status === 503 && said['retryable'] === true;
      if (!isForNow || performance.now() > until) {
        wrong.push(`${begun}: ${path} ${status} ${code}${isForNow ? ` for ${patienceMs} ms` : `: ${String(said['detail'])}`}`);
        return undefined;
      }
      await wait(150);
    }
  };

  // ---- paying what was shown ---------------------------------------------------------------------------------------------------------------
  const shown = ({ answer }: Placed) => answer.body['payment_info'] as { payment_details?: { payment_reference?: string }; lightning_invoice?: string };
  const pay: Record<Kind, (one: Placed) => Promise<void>> = {
    buy: async (one) => {
      const { orders, pay: transfer } = gateway.simulators['alpine']?.control ?? { orders: new Map(), pay: undefined };
      const reference = shown(one).payment_details?.payment_reference;
      for (const { id, quote } of orders.values())
        if (`ALP-${id.slice(0, 5).toUpperCase()}` === reference && quote.amountFiat === one.answer.body['amount_fiat']) await transfer?.(id);
    },
    sell: async (one) => void (await world.bringin.control.pay(shown(one).lightning_invoice ?? '')),
    channel: async (one) => {
      for (const { control } of [world.north, world.south])
        for (const { id, invoice } of control.orders.values())
          if (invoice === shown(one).lightning_invoice) {
            control.pay(id);
            control.open(id);
          }
      await Promise.resolve();
    },
    recharge: async (one) => {
      for (const { id, invoice } of world.thor.control.state.orders.values()) if (invoice === shown(one).lightning_invoice) await world.thor.control.pay(id);
    },
  };
  const settle = async (one: Placed): Promise<void> => {
    if (one.paid || one.answer.status !== 200) return;
    one.paid = true;
    await pay[one.kind](one);
  };
  /** Orders until the response is final. About half of the orders are paid at once, the others at the end. */
  const order = async (kind: Kind, wallet: Wallet, path: string, asked: Body): Promise<void> => {
    const request = { ...asked, webhook_url: world.receiver.url };
    const answer = await ask(wallet, path, request, ['order-unpayable']);
    if (!answer) return;
    const one: Placed = { kind, wallet, path, request, answer, paid: false };
    placed.push(one);
    if (random.chance(0.5)) await settle(one);
  };

  // ---- what each customer wants -------------------------------------------------------------------------------------------------------------------
  type Opened = { wallet: Wallet; session_id: string };
  let next = 0;
  const opened = async (): Promise<Opened> => {
    const wallet = createWallet(gateway.url);
    return { wallet, session_id: (await wallet.open()).sessionId };
  };
  const callOf =
    ({ wallet, session_id }: Opened): Call =>
    async (path, body) =>
      await wallet.call(path, { session_id, ...body });
  const { body: listed } = await callOf(await opened())('/payment-options', { currency_code: 'EUR' });
  const [euro] = listed['currencies'] as Record<string, { currency_id: number; payment_options: { id: number; option: string }[] }>[];
  const sepa = { currency_id: euro?.['eur']?.currency_id, payment_option_id: euro?.['eur']?.payment_options.find(({ option }) => option === 'SEPA')?.id };

  const buys = async (): Promise<void> => {
    const wallet = createWallet(gateway.url);
    while (isOpen) {
      const session_id = (await ask(wallet, '/verify', undefined))?.body['session_id'];
      if (session_id === undefined || !(await ask(wallet, '/session', { session_id }))) continue;
      const quote = await ask(wallet, '/quote', { session_id, amount_fiat: 10_000 + (next += 1), ...sepa });
      if (quote) await order('buy', wallet, '/order', { session_id, quote_id: quote.body['quote_id'] });
    }
  };
  const sells = async ({ wallet, session_id, card }: Opened & { card: Body }): Promise<void> => {
    while (isOpen) {
      const quote = await ask(wallet, '/sell/quote', { session_id, amount_sats: 100_000 + (next += 1), ...card });
      if (quote) await order('sell', wallet, '/sell/order', { session_id, quote_id: quote.body['quote_id'] });
    }
  };
  const opensChannels = async ({ wallet, session_id }: Opened): Promise<void> => {
    const inbound = { session_id, product: 'inbound', pay_with: 'lightning', lease_blocks: 4320, firm: true };
    while (isOpen) {
      const offers = await ask(wallet, '/liquidity/offers', { ...inbound, amount_sats: 1_000_000 + (next += 1) });
      const [offer] = (offers?.body['offers'] ?? []) as Body[];
      if (offers && !offer) wrong.push(`${phaseNow()}: no offer of a channel: ${JSON.stringify([offers.body['refused'], offers.body['failed']])}`);
      if (offer) await order('channel', wallet, '/liquidity/order', { session_id, quote_id: offer['quote_id'] });
    }
  };
  const recharges = async ({ wallet, session_id }: Opened): Promise<void> => {
    while (isOpen) {
      const amount_sats = 100_000 + (next += 1);
      const quote = await ask(wallet, '/liquidity/quote', { session_id, product: 'recharge', amount_sats, pay_with: 'lightning' });
      const invoice = invoiceOver(amount_sats, { timestamp: Math.floor(gateway.clock.now() / 1000) });
      if (quote) await order('recharge', wallet, '/liquidity/order', { session_id, quote_id: quote.body['quote_id'], invoice });
    }
  };

  const sellers: (Opened & { card: Body })[] = [];
  for (let n = 0; n < 3; n += 1) {
    const one = await opened();
    await connected(world, callOf(one), `seller-${n}@example.com`);
    sellers.push({ ...one, card: await optionOf(callOf(one), 'Card balance') });
  }
  const others = [await opened(), await opened(), await opened()] as const;
  const busy = Promise.all([...[1, 2, 3].map(buys), ...sellers.map(sells), opensChannels(others[0]), opensChannels(others[1]), recharges(others[2])]);

  return {
    wrong,
    told,
    placed,
    counts,
    phases,
    enter: (what: string): void => {
      entered.push(what);
    },
    /** Stops new requests; those in progress are repeated to their end. */
    leave: async (): Promise<void> => {
      isOpen = false;
      await busy;
    },
    /** Repeats each request once more, and pays what is not paid yet. */
    repeatAndPay: async (): Promise<void> => {
      for (const one of placed) {
        await ask(one.wallet, one.path, one.request, ['order-unpayable']);
        await settle(one);
      }
    },
  };
};
