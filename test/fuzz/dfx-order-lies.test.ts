/**
 * G6 for DFX's orders and accounts, one lie at a time: each member of each answer takes every value of its kind, while the other members stay true.
 * No lie may become a defect, a way to pay that was not checked, or a payout that was not shown. The short form tries a random part.
 */
import { expect, it } from 'vitest';
import { readIban } from '../../src/banking/bank-account.ts';
import { decodeInvoice } from '../../src/bitcoin/bolt11.ts';
import type { PayoutTo } from '../../src/domain/payout.ts';
import { addressOf } from '../../src/providers/dfx/dfx-identity.ts';
import { createDfxSimulator } from '../../src/providers/dfx/dfx.simulator.ts';
import { provider } from '../../src/providers/dfx/index.ts';
import type { AdapterDeps, CatalogueOption, OrderEvidence, PlacedOrder } from '../../src/providers/spec.ts';
import { flawBy, liesAbout, liesLike, orNothing, tell, type Lie } from './one-lie.ts';
import { chaosSeed, createRandom, reportGoal, sizeOf } from './random.ts';

const now = Date.UTC(2026, 10, 29);
const context = { signal: new AbortController().signal, requestId: 'req_lie' };
const option: CatalogueOption = { currency: 'EUR', name: 'SEPA', upstream: { method: 'Bank', currency: 2 }, feePpm: 0 };
const payoutTo: PayoutTo = { kind: 'node_pubkey', value: '02e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad', isProven: true };
const iban = 'DE89370400440532013000';
const offer = { pay: 0n, receive: 0n, fee: 0n, binding: false, upstream: option.upstream, facts: {}, requires: [], warnings: [] };

/** Buys, sells and reads, with one lie in one answer. Returns the true answers, and what is wrong. */
const run = async (lie: Lie | undefined): Promise<{ told: Map<string, unknown>; wrong: string[] }> => {
  const told = new Map<string, unknown>();
  let step = 'account';
  const { app, control } = createDfxSimulator({
    id: 'dfx',
    now: () => now,
    network: 'regtest',
    wallets: { ours: { platformBps: 0, autoTradeApproval: true } },
  });
  const deps: AdapterDeps = {
    providerId: 'dfx',
    http: async ({ method, url, body, headers: given = {} }) => {
      // Includes the step of the run, because the same endpoint answers differently in another step.
      const call = `${step}: ${method} ${new URL(url).pathname.replace(/\d{3,}/, '{id}')}`;
      const response = await app.fetch(new Request(url, { method, headers: given, ...(body === undefined ? {} : { body }) }));
      const text = await response.text();
      const headers = { 'content-type': 'application/json' };
      if (text === '') return { status: response.status, headers, body: new Uint8Array() };
      const answer: unknown = JSON.parse(text);
      return { status: response.status, headers, body: tell(told, call, answer, lie) };
    },
    now: () => now,
    newId: () => 'id',
    log: () => undefined,
    network: 'regtest',
    mode: 'sandbox',
    secret: () => 'an-operator-key-of-at-least-32-characters',
  };
  const settings = provider.settings.parse({ base_url: 'https://dfx.example', login_key_env: 'KEY', wallet: 'ours', search_unlinked_after_s: 0 });
  const { buy, sell, accounts } = provider.create(deps, settings);
  if (!buy || !sell || !accounts) throw new Error('a part is missing');
  const wrong: string[] = [];

  const started = await orNothing(accounts.startAccount(context, { email: 'alice@example.com', payoutTo, ref: 'r' }));
  if (started?.status === 'connected' && lie === undefined) wrong.push('connected before DFX knows the customer');
  const address = addressOf(payoutTo) ?? '';
  const customer = JSON.stringify({ address });
  step = 'order';
  await orNothing(buy.placeOrder(context, { quote: { ramp: 'buy', fixed: 'pay', amount: 10_000n, option }, offer, inputs: { payoutTo } }));
  await control.setAccount(address, { mail: 'alice@example.com', approved: true, level: 30, dataComplete: true }).catch(() => undefined);
  step = 'buy';
  const bought = await orNothing(buy.placeOrder(context, { quote: { ramp: 'buy', fixed: 'pay', amount: 10_000n, option }, offer, inputs: { payoutTo } }));
  judgeBought(bought, wrong);
  step = 'sell';
  const sold = await orNothing(
    sell.placeOrder(
      { ...context, customer },
      {
        quote: { ramp: 'sell', fixed: 'pay', amount: 250_000n, option, network: 'lightning' },
        offer: { ...offer, pay: 250_000n },
        inputs: { connection: { iban } },
      },
    ),
  );
  judgeSold(sold, wrong);
  const uid = bought?.upstreamOrderId ?? '';
  const order = {
    orderId: 'o',
    upstreamOrderId: uid,
    createdOn: now,
    pay: 10_000n,
    receive: 123_137n,
    fee: 149n,
    upstream: option.upstream,
    facts: {},
    payoutTo,
  };
  step = 'waiting';
  const waiting = bought && (await orNothing(buy.readOrders(context, order)));
  judgeRead(waiting, wrong);
  await control
    .pay(uid)
    .then(async () => await control.deliver(uid))
    .catch(() => undefined);
  step = 'done';
  const done = bought && (await orNothing(buy.readOrders(context, order)));
  judgeRead(done, wrong);
  if (lie === undefined && done?.[0]?.stage !== 'finished') wrong.push('the run did not come to its end');
  return { told, wrong };
};

const judgeBought = (order: PlacedOrder | undefined, wrong: string[]): void => {
  if (!order) return;
  const { paymentInfo: info } = order;
  const account = info.kind === 'fiat' ? (info.paymentDetails?.['provider_iban'] ?? '') : '';
  if (readIban(account) !== account || order.pay !== 10_000n || order.receive > 123_160n || order.fee < 0n) wrong.push('a purchase that was not checked');
};
const judgeSold = (order: PlacedOrder | undefined, wrong: string[]): void => {
  if (!order) return;
  const { paymentInfo: info } = order;
  const invoice = info.kind === 'invoice' ? decodeInvoice(info.value) : undefined;
  if (invoice?.amountMsat !== 250_000_000n || order.pay !== 250_000n || (order.expiresOn ?? 0) <= now) wrong.push('a sale that was not checked');
};
const judgeRead = (rows: OrderEvidence[] | undefined, wrong: string[]): void => {
  for (const { pay = 0n, receive = 0n, facts } of rows ?? [])
    if (pay < 0n || receive < 0n || (facts?.payout_on !== undefined && !Number.isFinite(Date.parse(facts.payout_on)))) wrong.push('an impossible state');
};

/** The words that DFX has. */
const words = ['AmountTooLow', 'KycRequired', 'Completed', 'Returned', 'Stopped', 'T1', 'Q1', 'Sell', 'DE00', 'lnbc1'];

it('no lie of one member makes a defect, or a way to pay that was not checked', async () => {
  const true_ = await run(undefined);
  expect(true_.wrong).toEqual([]);
  const random = createRandom(chaosSeed);
  const lies = liesAbout(true_.told, (_, old) => liesLike(old, words, now));
  expect(lies.length).toBeGreaterThan(3000);
  // Each lie takes the whole way from the login to the sats. All of them would take longer than the long form may.
  const tried = lies.filter(() => random.chance(sizeOf(150, 3_000) / lies.length));
  const wrong: string[] = [];
  for (const lie of tried) for (const flaw of (await run(lie)).wrong) wrong.push(flawBy(true_.told, lie, flaw));
  expect(wrong, `seed ${chaosSeed}`).toEqual([]);
  reportGoal('G6', `DFX's orders, one lie at a time: ${tried.length} of ${lies.length} lies, no defect, nothing unchecked`, chaosSeed);
}, 300_000);
