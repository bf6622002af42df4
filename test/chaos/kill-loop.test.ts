/**
 * G1, G2: orders under load while gateway processes are killed at random moments and providers' responses are lost, all from one seed. A wallet
 * repeats each request, at any running instance, until it has a final response.
 */
import { afterAll, expect } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { chaosSeed, createRandom, isFull, reportGoal, sizeOf } from '../fuzz/random.ts';
import { needsPostgres } from '../support/postgres.ts';
import { profiles, startFleet, type Child, type Fleet } from './replicas.ts';

/** The number of orders for each profile. */
const perProfile = sizeOf(8, 2_500);
const wallets = isFull ? 12 : 4;
const killEveryMs = isFull ? 2_000 : 900;
const lostShare = 0.12;
const lateShare = 0.03;

let fleet: Fleet | undefined;
afterAll(async () => await fleet?.close());

const wait = async (ms: number): Promise<void> => await new Promise((done) => setTimeout(done, ms));

/** Sets faults for the next orders: a provider makes the order but its response is lost, or the order also becomes visible only later. */
const misbehave = (on: Fleet, random: ReturnType<typeof createRandom>): void => {
  for (const profile of profiles) {
    const draw = random.next();
    if (draw < lostShare) on.simulators[profile].control.setFault({ endpoint: 'order', fault: 'lost-answer', times: 1 });
    else if (draw < lostShare + lateShare) on.simulators[profile].control.setFault({ endpoint: 'order', fault: 'late-commit', times: 1, ms: 900 });
  }
};

needsPostgres(
  `${perProfile} orders x ${profiles.length} profiles under kill -9`,
  async () => {
    const on = await startFleet();
    fleet = on;
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
    const shop = async (): Promise<void> => {
      const wallet = createWallet(first.url);
      let { sessionId } = await wallet.open();
      for (let bought = 1; left > 0 && Date.now() < end; bought += 1) {
        if (bought % 20 === 0) ({ sessionId } = await wallet.open());
        const { body } = await wallet.call('/offers', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
        misbehave(on, random);
        const offers = (body['offers'] ?? []) as { quote_id: string }[];
        // A provider whose price came too late gets no order in this round.
        left -= offers.length;
        await Promise.all(
          offers.map(async ({ quote_id }) => {
            // The first request goes to the process that is about to be killed.
            for (let tries = 0, until = Date.now() + 45_000; Date.now() < until; tries += 1) {
              const { status } = await on.order(tries === 0 ? child.url : (on.recoverers[tries % 2]?.url ?? ''), sessionId, quote_id);
              if (status === 200 || (status >= 400 && status < 500)) break;
              await wait(300);
            }
            await on.order(first.url, sessionId, quote_id);
          }),
        );
      }
    };
    await Promise.all(Array.from({ length: wallets }, shop));
    over = true;
    await killer;
    const kept = await on.kept();
    const share = (state: string): string => `${((kept.filter((one) => one.state === state).length / kept.length) * 100).toFixed(1)} % ${state}`;
    expect(await on.check(), `seed ${chaosSeed}`).toEqual([]);
    expect(kept.length, `seed ${chaosSeed}`).toBeGreaterThan(perProfile * 3);
    expect(kills).toBeGreaterThan(0);
    reportGoal(
      'G1',
      `${kept.length} placings, ${kills} kills, ${on.told.length} answers: 0 lost, 0 twice, 0 unknown, 0 changed (${share('confirmed')}, ${share('unpayable')}, ${share('rejected')}, ${share('dead')})`,
    );
    reportGoal('G2', `the same run: 3 instances on one database, ${kept.length} placings, 0 violations`);
  },
  isFull ? 3_000_000 : undefined,
);
