/**
 * The part of the conformance kit that makes an order. The order is for the minimum of the first option that has a price, or for 10,000 cents if the
 * option has no minimum. It is not paid.
 */
import { flawsOf, isObject, type Members } from './fiat-on-ramp.conformance-answers.ts';
import { askQuote, isGood, judgeRefusal, told, valueOf, type Priced, type Run, type Session } from './fiat-on-ramp.conformance-run.ts';

type Trial = { session: Session; first: Priced; /** Opens one more session. */ another: () => Promise<Session> };

const isOrder = (value: Members): boolean => 'order_id' in value;

export const tryOrder = async (run: Run, { session, first, another }: Trial): Promise<void> => {
  const { tally, ask } = run;
  const smallest = { amount_fiat: first.listed.min ?? 10_000 };
  const quote = valueOf(await askQuote(run, session, first.listed, smallest));
  const placed = await ask('order', { session_id: session.id, quote_id: quote['quote_id'] });
  const order = valueOf(placed);
  if (!isGood(placed) || typeof order['order_id'] !== 'string') return tally.broken('order-answer', told(placed));
  const { order_id: orderId } = order;
  run.run.orders.push(orderId);
  tally.flaws('order-answer', flawsOf('order', placed.body));
  for (const name of ['amount_fiat', 'amount_sats', 'currency_id', 'payment_option_id']) {
    const isFree = quote['is_estimate'] === true && name.startsWith('amount_');
    const isSame = order[name] === undefined || Number(order[name]) === Number(quote[name]);
    tally.judge('order-as-quoted', isFree || isSame, `${name} is ${String(order[name])} in the order and ${String(quote[name])} in the quote`);
  }
  tally.judge('order-payable', isPayable(order['payment_info']), 'payment_info has neither payment_url nor payment_details');
  await repeat(run, session, quote, orderId);
  await read(run, session, orderId, await another());
  await run.mustRefuse('order-unknown', 'a quote_id that was never issued', ask('order', { session_id: session.id, quote_id: run.newId() }), isOrder);
  const early = ask('withdrawal', { session_id: session.id, order_id: orderId });
  await run.mustRefuse('withdrawal-early', 'an unpaid order', early, (value) => 'lnurlw' in value);
};

const isPayable = (info: unknown): boolean => {
  const { payment_url: url, payment_details: details } = isObject(info) ? info : {};
  return (typeof url === 'string' && url !== '') || (isObject(details) && Object.keys(details).length > 0);
};

/** Orders the same quote again. The result decides what a gateway may do if the answer to an order is lost. */
const repeat = async (run: Run, session: Session, quote: Members, orderId: string): Promise<void> => {
  const second = await run.ask('order', { session_id: session.id, quote_id: quote['quote_id'] });
  const { status } = second.exchange;
  const { order_id: again } = valueOf(second);
  if (isGood(second) && typeof again === 'string') {
    if (again !== orderId) run.run.orders.push(again);
    run.run.learnt['repost'] = again === orderId ? 'same' : 'duplicates';
    return run.tally.judge('order-repeat', again === orderId, 'a second order was made from the same quote');
  }
  if (status >= 400 && status < 500) run.run.learnt['repost'] = 'rejects';
  run.tally.held('order-repeat');
  judgeRefusal(run.tally, second, 'the same quote again');
};

const entryOf = (value: Members, orderId: string): unknown => Object.entries(value).find(([id]) => id.toLowerCase() === orderId.toLowerCase())?.[1];

const read = async (run: Run, session: Session, orderId: string, stranger: Session): Promise<void> => {
  const { tally, ask } = run;
  for (const about of [{ order_id: orderId }, {}]) {
    const how = 'order_id' in about ? 'by its id' : 'in the list of its session';
    const found = await ask('order-status', { session_id: session.id, ...about });
    const entry = entryOf(valueOf(found), orderId);
    if (!isObject(entry)) {
      tally.broken('status-answer', `the order is not found ${how}: ${told(found)}`);
      continue;
    }
    const { written } = found.body ?? {};
    tally.flaws('status-answer', flawsOf('status', { value: entry, written: isObject(written) ? entryOf(written, orderId) : undefined }));
  }
  const byOther = await ask('order-status', { session_id: stranger.id, order_id: orderId });
  tally.judge('status-own', stranger.id !== session.id, 'every session is the same one, so everybody sees every order');
  if (isObject(entryOf(valueOf(byOther), orderId)) || 'order_status' in valueOf(byOther))
    tally.broken('status-own', 'another session reads the order by its id');
};
