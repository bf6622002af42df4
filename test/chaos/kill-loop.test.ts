/**
 * G1, G2: orders under load while gateway processes are killed at random moments and providers' responses are lost, all from one seed. A wallet
 * repeats each request, at any running instance, until it has a final response. In each round it orders at one provider of each profile, and once
 * more at DFX (buying or selling) or at Blocktank (a channel). It pays for what it orders there, as the response says.
 */
import { afterAll, expect } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { startBlocktankSimulator, type RunningSimulator as Tank } from '../../src/providers/blocktank/blocktank.simulator.ts';
import { startDfxSimulator, type RunningSimulator as Dfx } from '../../src/providers/dfx/dfx.simulator.ts';
import { chaosSeed, createRandom, isFull, reportGoal, sizeOf } from '../fuzz/random.ts';
import { needsPostgres } from '../support/postgres.ts';
import { bank } from '../support/scenarios/sell.ts';
import { dfxOptions, introduce, openBooks, realBlocks, realEnvironment, tankOptions, type RealBooks } from './real-books.ts';
import { profiles, startFleet, type Child, type Fleet, type More } from './replicas.ts';

/** The number of orders for each profile. */
const perProfile = sizeOf(8, 2_500);
const wallets = isFull ? 12 : 4;
const killEveryMs = isFull ? 2_000 : 900;
const lostShare = 0.12;
const lateShare = 0.03;

let fleet: Fleet | undefined;
let real: { dfx: Dfx; tank: Tank } | undefined;
afterAll(async () => {
  await fleet?.close();
  await Promise.all([real?.dfx.close(), real?.tank.close()]);
});

const wait = async (ms: number): Promise<void> => await new Promise((done) => setTimeout(done, ms));

/** Sets faults for the next orders: a provider makes the order but its response is lost, or the order also becomes visible only later. */
const misbehave = (on: Fleet, random: ReturnType<typeof createRandom>): void => {
  for (const profile of profiles) {
    const draw = random.next();
    if (draw < lostShare) on.simulators[profile].control.setFault({ endpoint: 'order', fault: 'lost-answer', times: 1 });
    else if (draw < lostShare + lateShare) on.simulators[profile].control.setFault({ endpoint: 'order', fault: 'late-commit', times: 1, ms: 900 });
  }
};

/** How long after its request a late order is made. By then, nobody waits for the response. */
const lateMs = 1800;
/** Sends the request until it gets an answer: a fault that is meant for another wallet's order may meet it. */
const sendUntilAnswered = async (request: Request): Promise<Response> => await fetch(request.clone()).catch(async () => await sendUntilAnswered(request));
const orders = { buy: 'PUT /v1/buy/paymentInfos', sell: 'PUT /v1/sell/paymentInfos', channel: 'POST /channels' } as const;
const laterSteps = { buy: 'PUT /v1/buy/paymentInfos/{id}/confirm', sell: 'POST /v1/auth', channel: 'POST /channels/{id}/open' } as const;
type Kind = keyof typeof orders;

/** Sets faults for the next order at DFX or Blocktank: a lost or late response to the order, or a lost response to a later step. */
const misbehaveReally = ({ dfx, tank }: { dfx: Dfx; tank: Tank }, kind: Kind, random: ReturnType<typeof createRandom>): void => {
  const { control } = kind === 'channel' ? tank : dfx;
  const draw = random.next();
  if (draw < lostShare) control.setFault({ endpoint: orders[kind], fault: 'lost-answer', times: 1 });
  else if (draw < lostShare + lateShare) control.setFault({ endpoint: orders[kind], fault: 'latency', times: 1, ms: lateMs });
  else if (draw < 2 * lostShare + lateShare) control.setFault({ endpoint: laterSteps[kind], fault: 'lost-answer', times: 1 });
};

type Listing = { currencies: { [code: string]: { currency_id: number; payment_options: { id: number; option: string }[] } }[] };
type Offers = { offers?: { quote_id: string; provider: { id: string } }[] };

needsPostgres(`${perProfile} orders x ${profiles.length} profiles under kill -9`, async () => {
  let opened: { dfx: Dfx; tank: Tank; books: RealBooks } | undefined;
  const on = await startFleet({}, {}, async ({ now }): Promise<More> => {
    const [dfx, tank] = await Promise.all([startDfxSimulator({ ...dfxOptions, now }), startBlocktankSimulator({ ...tankOptions, now })]);
    real = { dfx, tank };
    const books = openBooks(dfx.control, tank.control);
    opened = { dfx, tank, books };
    return { blocks: realBlocks({ dfx: dfx.url, tank: tank.baseUrl }), environment: realEnvironment, made: books.made, habits: books.habits };
  });
  fleet = on;
  if (!opened) throw new Error('no DFX and no Blocktank');
  const { dfx, tank, books } = opened;
  const random = createRandom(chaosSeed);
  const [first] = on.recoverers;
  if (!first) throw new Error('no instance recovers');
  let child: Child = await on.child('none');
  let kills = 0;
  let over = false;
  const killer = (async () => {
    while (!over) {
      await wait(killEveryMs * (0.5 + random.next()));
      await child.kill();
      kills += 1;
      await on.expireLeases('none');
      child = await on.child('none');
    }
  })();

  // The long form makes 2 % more orders, because on a busy machine a quote may expire before it is ordered.
  let left = Math.ceil(perProfile * profiles.length * (isFull ? 1.02 : 1));
  const end = Date.now() + (isFull ? 2_700_000 : 60_000);
  const optionOf = async (path: string): Promise<object> => {
    const wallet = createWallet(first.url);
    const { sessionId } = await wallet.open();
    const { currencies } = (await wallet.call(path, { session_id: sessionId, currency_code: 'EUR' })).body as Listing;
    const listed = currencies[0]?.['eur'];
    return { currency_id: listed?.currency_id, payment_option_id: listed?.payment_options.find(({ option }) => option === 'SEPA')?.id };
  };
  const [sepa, sepaSale] = await Promise.all([optionOf('/payment-options'), optionOf('/sell/payment-options')]);
  const newCustomer = async () => {
    const wallet = createWallet(first.url);
    const { sessionId } = await wallet.open();
    await introduce(dfx.control, dfx.url, wallet.pubkey, sendUntilAnswered);
    const call = async (path: string, body: object) => (await wallet.call(path, { session_id: sessionId, ...body })).body;
    let [connection, sales]: [unknown, number] = [undefined, 0];
    /** Connects the account at DFX and the bank, once. */
    const connected = async (): Promise<unknown> => {
      if (connection !== undefined) return connection;
      const { account_id } = await call('/accounts', { provider: 'dfx', payout_to: { node_pubkey: wallet.pubkey } });
      connection = (await call('/sell/connections', { account_id, name: 'Bank', lightning_username: 'unused', ...bank }))['connection_id'];
      return connection;
    };
    const nextSale = (): number => 100_000 + 2000 * (sales += 1);
    return { sessionId, pubkey: wallet.pubkey, call, connected, nextSale };
  };
  type Customer = Awaited<ReturnType<typeof newCustomer>>;
  /** Repeats an order until it has a final response, and returns the response to one more request. */
  const ordered = async ({ sessionId }: Customer, quoteId: string, more: object = {}, ramp: '' | '/sell' | '/liquidity' = '') => {
    // The first request goes to the process that is about to be killed. An attempt whose first five checks meet lost answers or short deadlines is
    // checked again only about a minute after it was sent (backOffMs). The limit only ends what hangs.
    for (let tries = 0, until = Date.now() + (isFull ? 300_000 : 90_000); Date.now() < until; tries += 1) {
      const { status } = await on.order(tries === 0 ? child.url : (on.recoverers[tries % 2]?.url ?? ''), sessionId, quoteId, more, ramp);
      if (status === 200 || (status >= 400 && status < 500)) break;
      await wait(300);
    }
    return await on.order(first.url, sessionId, quoteId, more, ramp);
  };
  let asked = 0;
  /** Orders at DFX or Blocktank. `pays`: whether the customer pays at once. */
  const orderReally = async (customer: Customer, kind: Kind, offers: Offers, pays: boolean): Promise<void> => {
    const [quoteId, more, ramp] = await wanted[kind](customer, offers);
    if (quoteId === undefined) return;
    const { status, essence } = await ordered(customer, quoteId, more, ramp);
    if (status === 200 && pays) await books.pay(essence);
  };
  const quoteOf = ({ offers = [] }: Offers, provider: string): string | undefined => offers.find((one) => one.provider.id === provider)?.quote_id;
  const wanted: { [kind in Kind]: (customer: Customer, offers: Offers) => Promise<[string | undefined, object, '' | '/sell' | '/liquidity']> } = {
    buy: async ({ pubkey }, offers) => await Promise.resolve([quoteOf(offers, 'dfx'), { payout_to: { node_pubkey: pubkey } }, '']),
    sell: async ({ call, connected, nextSale }) => {
      const connection_id = await connected();
      return [quoteOf(await call('/sell/offers', { amount_sats: nextSale(), ...sepaSale }), 'dfx'), { connection_id }, '/sell'];
    },
    channel: async ({ sessionId }) => {
      // Each channel has a size of its own, because nothing else shows whose order it is.
      const size = 100_000 + (asked += 1);
      const firm = random.chance(0.5);
      misbehaveReally({ dfx, tank }, 'channel', random);
      for (const url of [child.url, first.url, first.url]) {
        const body = { session_id: sessionId, product: 'inbound', amount_sats: size, pay_with: 'lightning', firm };
        const answer = await createWallet(url)
          .call('/liquidity/offers', body)
          .catch(() => undefined);
        const quoteId = quoteOf((answer?.body ?? {}) as Offers, 'tank');
        if (quoteId !== undefined && !firm) books.channels.set(size, quoteId);
        if (quoteId !== undefined) return [quoteId, {}, '/liquidity'];
      }
      return [undefined, {}, '/liquidity'];
    },
  };
  const kinds = Object.keys(orders) as Kind[];
  const shop = async (nth: number): Promise<void> => {
    let customer = await newCustomer();
    for (let round = 1; left > 0 && Date.now() < end; round += 1) {
      if (round % 20 === 0) customer = await newCustomer();
      // DFX cannot tell apart amounts that differ by less than 1 %.
      const body = (await customer.call('/offers', { amount_fiat: 10_000 + 200 * (round % 20), ...sepa, payout_kinds: ['node_pubkey'] })) as Offers;
      misbehave(on, random);
      const offers = (body.offers ?? []).filter((one) => one.provider.id !== 'dfx');
      const kind = kinds[(round + nth) % kinds.length] ?? 'buy';
      misbehaveReally({ dfx, tank }, kind, random);
      // A provider whose price came too late gets no order in this round.
      left -= offers.length;
      await Promise.all([...offers.map(async ({ quote_id }) => await ordered(customer, quote_id)), orderReally(customer, kind, body, random.chance(0.5))]);
    }
  };
  await Promise.all(Array.from({ length: wallets }, async (_, nth) => await shop(nth)));
  over = true;
  await killer;
  dfx.control.clearFaults();
  tank.control.clearFaults();
  const kept = await on.kept();
  const atReal = kept.filter(({ provider }) => provider in books.habits);
  const shownReally = new Set(atReal.map(({ quoteId }) => on.told.find((one) => one.quoteId === quoteId && one.status === 200)?.essence));
  for (const answer of shownReally) if (answer !== undefined) await books.pay(answer);
  const unfulfilled = async (): Promise<string[]> => books.unfulfilled(await on.orders());
  for (let round = 0; round < 60 && (await unfulfilled()).length > 0; round += 1) {
    on.clock.move(600_000);
    await Promise.all(on.recoverers.map(async (one) => await one.tick()));
  }
  const at = (id: string): number => kept.filter(({ provider }) => provider === id).length;
  const share = (state: string): string => `${((kept.filter((one) => one.state === state).length / kept.length) * 100).toFixed(1)} % ${state}`;
  expect([...(await on.check()), ...(await unfulfilled())], `seed ${chaosSeed}`).toEqual([]);
  expect(kept.length - atReal.length, `seed ${chaosSeed}`).toBeGreaterThan(perProfile * 3);
  expect(atReal.length, `seed ${chaosSeed}`).toBeGreaterThan(0);
  expect(kills).toBeGreaterThan(0);
  reportGoal(
    'G1',
    `${kept.length} placings (${at('dfx')} at DFX, ${at('tank')} at Blocktank), ${kills} kills, ${on.told.length} answers: 0 lost, 0 twice, 0 unknown, 0 changed (${share('confirmed')}, ${share('unpayable')}, ${share('rejected')}, ${share('dead')})`,
  );
  reportGoal('G2', `the same run: 3 instances on one database, ${kept.length} placings, 0 violations`);
});
