/**
 * The real adapters of DFX and Blocktank in G1, G2 and G4: how their simulators are set up, what these have in their books, what customers pay there,
 * and whether everyone who paid got what they paid for.
 */
import { addressOf, secretOf } from '../../src/providers/dfx/dfx-identity.ts';
import type { SimulatorControl as DfxControl } from '../../src/providers/dfx/dfx.simulator.ts';
import type { SimulatorOptions as DfxOptions } from '../../src/providers/dfx/dfx.simulator-state.ts';
import type { SimulatorControl as TankControl, SimulatorOptions as TankOptions } from '../../src/providers/blocktank/blocktank.simulator.ts';
import type { Habits, Kept, Made } from './checker.ts';

const most = 1_000_000_000;
const operatorKey = 'an-operator-key-of-at-least-32-characters';
export const realEnvironment = { DFX_LOGIN_KEY: operatorKey };
export const dfxOptions: DfxOptions = {
  id: 'dfx',
  network: 'regtest',
  wallets: { ours: { platformBps: 0, autoTradeApproval: true } },
  monthlyLimit: most,
  yearlyLimit: most,
};
export const tankOptions: TankOptions = { id: 'tank', lifeS: 172_800 };
/** Returns the configuration blocks of both providers, without the settings that all providers of a suite share. */
export const realBlocks = (urls: { dfx: string; tank: string }) => ({
  dfx: { kind: 'dfx', base_url: urls.dfx, login_key_env: 'DFX_LOGIN_KEY', wallet: 'ours', repost: 'same', currencies: ['EUR'] },
  tank: { kind: 'blocktank', base_url: urls.tank, repost: 'duplicates', quotes_per_node_per_day: most, orders_per_day: most },
});

/** Makes the node's owner a customer whom DFX knows. Without this, DFX refuses their first order. */
export const introduce = async (dfx: DfxControl, url: string, nodePubkey: string, send: (request: Request) => Response | Promise<Response>): Promise<void> => {
  const address = addressOf({ kind: 'node_pubkey', value: nodePubkey }) ?? '';
  const body = JSON.stringify({ address, signature: secretOf(operatorKey, address), wallet: 'ours' });
  const signedUp = await send(new Request(`${url}/v1/auth`, { method: 'POST', headers: { 'content-type': 'application/json' }, body }));
  if (signedUp.status !== 201) throw new Error(`DFX signs nobody up: ${signedUp.status}`);
  await dfx.approve(address);
};

type Shown = {
  order_id: string;
  amount_fiat?: number;
  amount_sats?: number;
  pay_sats?: number;
  payment_info: { lightning_invoice?: string; payment_details?: { provider_iban?: string; provider_reference?: string } };
};
type Row = { id: string; stage: string; upstreamOrderId: string };

export const openBooks = (dfx: DfxControl, tank: TankControl) => {
  /**
   * The quotes for channels that were not firm, so that Blocktank makes their orders later. By the channel's size, which differs for each request.
   */
  const channels = new Map<number, string>();
  const { books } = dfx;
  const { iban } = books.options.bank;
  const overLnurl = ({ lnurlId }: { lnurlId: string }, sats: number): string => `${sats} sats by ${lnurlId}`;

  const read: Habits['read'] = (answer) => {
    const { payment_info: info, amount_fiat: cents, pay_sats: paySats } = JSON.parse(answer) as Shown;
    const { payment_details: details, lightning_invoice: invoice = '' } = info;
    if (details) return `${cents} to ${details.provider_iban} ${details.provider_reference}`;
    if (paySats !== undefined) return `${paySats} sats by ${invoice}`;
    const sale = books.invoices.get(invoice);
    return sale ? overLnurl(sale.route, sale.sats) : `an invoice that DFX does not have: ${invoice}`;
  };
  const habits: { [provider: string]: Habits } = { dfx: { repeats: true, read }, tank: { lapses: true, read } };

  const made = (kept: readonly Kept[]): Made[] => [
    ...books.orders.map(({ uid, externalId = 'none', isConfirmed, route, amount }) => ({
      provider: 'dfx',
      orderId: uid,
      intentId: externalId,
      status: isConfirmed ? 'confirmed' : 'made',
      terms:
        route.ramp === 'buy' ? `${(amount.n * 100n) / amount.d} to ${iban} ${route.reference}` : overLnurl(route, Number((amount.n * 100_000_000n) / amount.d)),
    })),
    // Blocktank is not told whose order it is. An order that was made for a firm price, and never ordered, belongs to nobody.
    ...[...tank.orders.values()].flatMap(({ id, state, lspSats, paySats, invoice }) => {
      const keeper = kept.find((one) => one.upstreamOrderId === id) ?? kept.find((one) => one.quoteId === channels.get(lspSats) && one.state !== 'rejected');
      const terms = `${paySats} sats by ${invoice}`;
      return keeper ? [{ provider: 'tank', orderId: id, intentId: keeper.intentId, status: state, terms }] : channels.has(lspSats) ? [orphan(id, state)] : [];
    }),
  ];
  const orphan = (orderId: string, status: string): Made => ({ provider: 'tank', orderId, intentId: 'none', status });

  const paid: string[] = [];
  /** The answers by which nobody could pay, each with the reason. */
  const failed = new Map<string, string>();
  /** The customer pays as the answer says, once, and the provider does its part. */
  const pay = async (answer: string): Promise<void> => {
    if (paid.includes(answer)) return;
    paid.push(answer);
    try {
      await transfer(answer);
    } catch (error) {
      failed.set(answer, error instanceof Error ? error.message : String(error));
    }
  };
  const transfer = async (answer: string): Promise<void> => {
    const { payment_info: info, amount_fiat: cents = 0, pay_sats: paySats } = JSON.parse(answer) as Shown;
    const { payment_details: details, lightning_invoice: invoice = '' } = info;
    if (paySats !== undefined) tank.pay(invoice);
    else {
      const arrived = details
        ? await dfx.transfer({ reference: details.provider_reference ?? '', amount: cents, currency: 'EUR' })
        : await dfx.payInvoice(invoice);
      await dfx.deliver(arrived);
    }
  };

  /** Returns what is missing of what customers have paid for, by `orders`, which are all orders of the gateway. */
  const unfulfilled = (orders: readonly Row[]): string[] =>
    paid.flatMap((answer) => {
      const shown = JSON.parse(answer) as Shown;
      const order = orders.find(({ id }) => id === shown.order_id);
      if (!order) return [`order ${shown.order_id}: paid, and not kept`];
      if (failed.has(answer)) return [`order ${order.id} (${order.upstreamOrderId}): nobody can pay it: ${failed.get(answer)}`];
      const missing = shown.pay_sats === undefined ? exchanged(order, shown) : opened(order);
      const told = order.stage === 'finished' ? [] : [`is ${order.stage}`];
      return [...missing, ...told].map((what) => `order ${order.id} (${order.upstreamOrderId}): paid, and ${what}`);
    });
  const opened = ({ upstreamOrderId }: Row): string[] => (tank.orders.get(upstreamOrderId)?.state === 'executed' ? [] : ['Blocktank has opened no channel']);
  const exchanged = ({ upstreamOrderId }: Row, { payment_info: info, amount_sats: sats = 0 }: Shown): string[] => {
    const own = books.orders.find(({ uid }) => uid === upstreamOrderId);
    // If the request was sent again after a lost answer, DFX may book the money for the other order of the same attempt. That order counts as ours.
    const twin = books.orders.find(({ externalId, transaction }) => externalId !== undefined && externalId === own?.externalId && transaction !== undefined);
    const { transaction: done, isConfirmed } = (own?.transaction ? own : twin) ?? {};
    if (!done) return ['DFX booked the money for another order'];
    if (!info.payment_details) return [];
    if (!isConfirmed) return ['DFX did not list the order'];
    const payouts = books.payouts.filter(({ txId }) => txId === done.outputTxId);
    // DFX shows and pays sats rounded to five digits.
    const isAsTold = payouts.length === 1 && payouts.every((one) => Math.abs(one.sats - sats) <= sats / 10_000);
    return isAsTold ? [] : [`DFX sent ${payouts.map((one) => one.sats).join(' and ')} sats in place of ${sats}`];
  };
  return { habits, channels, made, pay, unfulfilled, isUnpaid: (answer: string) => !paid.includes(answer) };
};
export type RealBooks = ReturnType<typeof openBooks>;
