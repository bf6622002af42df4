/** What the three demos share: a customer with a node and the client, and the lines that they print. */
import { randomBytes } from 'node:crypto';
import { createRamp, type Money, type NotOffered, type Offer, type Order, type OrderState, type Ramp } from '../../packages/client/src/index.ts';
import { signNodeMessage } from '../../src/bitcoin/node-signature.ts';
import { grouped, table } from './table.ts';
import { createWallet, type Wallet } from './wallet.ts';

export const say = (text = ''): void => void process.stdout.write(`${text}\n`);

/** The longest pause between two polls of a demo. A wallet need not poll that often. */
const lookMs = 500;

export const openDemo = (url: string): { ramp: Ramp; wallet: Wallet } => {
  const key = randomBytes(32).toString('hex');
  const wallet = createWallet(url, key);
  const node = { pubkey: wallet.pubkey, sign: (text: string) => signNodeMessage(text, key) };
  const sleep = async (ms: number): Promise<void> => await new Promise((done) => setTimeout(done, Math.min(ms, lookMs)));
  return { wallet, ramp: createRamp({ url, store: new Map(), node, runtime: { sleep } }) };
};

/**
 * Prints the order's stage at each change, until it is the wanted stage. Throws if that takes longer than a minute, or if the order ends in another
 * stage.
 */
export const follow = async (order: Order, wanted: string): Promise<OrderState> => {
  const patience = AbortSignal.timeout(60_000);
  for await (const state of order.updates(patience)) {
    say(`   ${String(state.raw['order_status_date'])}  ${String(state.raw['order_status']).padEnd(9)} ${state.stage}`);
    if (state.stage === wanted) return state;
  }
  throw new Error(`the order did not become ${wanted}`);
};

/** Formats an amount: `100.00 EUR`, `107 869 sats`. */
export const shown = (money: Money | undefined): string =>
  money === undefined ? '' : money.currency === 'sat' ? `${grouped(Number(money.units))} sats` : `${money.text} ${money.currency}`;
export const priceIs = ({ binding }: Offer): string => (binding ? 'binding' : 'estimate');

/** Prints a table of the offers, with `columns` after rank and provider, and then the providers that made no offer. */
export const showOffers = (all: Offer[], not: NotOffered[], columns: Record<string, (offer: Offer) => string>): void => {
  const rows = all.map((offer) => [String(offer.rank), offer.provider.name, ...Object.values(columns).map((cell) => cell(offer))]);
  say(`\n${table(['#', 'provider', ...Object.keys(columns)], rows)}`);
  for (const { provider, kind, reason, min, max, connectTo } of not) {
    const limit = min ? `, starts at ${shown(min)}` : max ? `, ends at ${shown(max)}` : '';
    const peer = connectTo === undefined ? '' : `, connect to ${connectTo.slice(0, 20)}…`;
    say(`   ${provider.name}: ${kind === 'excluded' ? 'excluded, ' : ''}${reason}${limit}${peer}`);
  }
};
