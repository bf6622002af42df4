/**
 * The conformance kit for servers of FLS01 v1.0. It makes the requests that clients make, and requests that the server must refuse. With `order`, it
 * also makes an order, and sends the same order again; nothing is paid. If the server demands a proof, the kit signs with keys that it then throws
 * away.
 */
import { signNodeMessage } from '../../bitcoin/node-signature.ts';
import { publicKeyOf } from '../../bitcoin/secp256k1.ts';
import type { Conformance } from '../kit/kind.conformance.ts';
import {
  featureFlaws,
  featureIn,
  flawsOf,
  isObject,
  listedIn,
  listingFlaws,
  shown,
  type Body,
  type Listed,
  type Members,
} from './fiat-on-ramp.conformance-answers.ts';
import type { CheckId } from './fiat-on-ramp.conformance-checks.ts';
import { tryOrder } from './fiat-on-ramp.conformance-order.ts';
import { askQuote, Ended, isGood, newRun, told, valueOf, type Answered, type Priced, type Run, type Session } from './fiat-on-ramp.conformance-run.ts';

export const conformance: Conformance = {
  standard: 'FLS01 fiat_on_ramp v1.0',
  source: 'https://github.com/breez/fiatlink',
  run: async (parts) => {
    const run = newRun(parts);
    let stopped: string | undefined;
    try {
      await walk(run);
    } catch (error) {
      if (!(error instanceof Ended)) throw error;
      stopped = error.message;
    }
    run.run.checks = run.tally.result(parts.order, stopped);
    return run.run;
  },
};

const isLoopbackHttp = (base: string): boolean => /^http:\/\/(?:127\.|localhost|\[::1\])/i.test(base);

const walk = async (run: Run): Promise<void> => {
  const { tally, base, paths } = run;
  tally.judge('transport-https', base.startsWith('https:') || isLoopbackHttp(base), 'the address is http');
  tally.held('endpoint-names');
  for (const [endpoint, path] of Object.entries(paths)) tally.broken('endpoint-names', `/${endpoint} is called ${shown(path)}`);
  const features = await run.ask('features');
  if (isGood(features)) tally.flaws('features-answer', featureFlaws(features.body));
  else if (features.exchange.status > 0) tally.broken('features-answer', told(features));
  const session = await openSession(run, await verify(run));
  await mustNotOpen(run, session.token !== undefined);
  const listed = await paymentOptions(run, session);
  const priced = await prices(run, session, listed);
  agree(run, features, priced);
  await mustNotPrice(run, session, priced[0]?.listed ?? listed[0]);
  await statusReads(run, session);
  const [first] = priced;
  if (run.order && first) await tryOrder(run, { session, first, another: async () => await openSession(run, await verifyOnce(run)) });
};

// ---- sessions --------------------------------------------------------------------------------------------------------------------------

const isPast = (run: Run, value: unknown): boolean => typeof value === 'string' && Date.parse(value) <= run.now();
const past = (name: string): string => `${name} is in the past`;

const verifyOnce = async (run: Run): Promise<Session> => {
  const answered = await run.ask('verify');
  const { session_id: id, token, expires_on: until } = valueOf(answered);
  if (!isGood(answered) || typeof id !== 'string') {
    if (answered.exchange.status > 0) run.tally.broken('verify-answer', told(answered));
    throw new Ended(`/verify returned no session: ${told(answered)}`);
  }
  run.tally.flaws('verify-answer', flawsOf('verify', answered.body));
  if (isPast(run, until))
    run.tally.broken('verify-answer', past('expires_on'), '/verify, answer, expires_on: the end of the session id (text of the standard)');
  return { id, token: typeof token === 'string' && token !== '' ? token : undefined };
};

const verify = async (run: Run): Promise<Session> => {
  const [first, second] = [await verifyOnce(run), await verifyOnce(run)];
  run.tally.judge('verify-fresh', first.id !== second.id, 'two calls got the same session_id: everybody shares a session');
  if (first.token !== undefined)
    run.tally.judge('verify-fresh', first.token !== second.token, 'two calls got the same token: an old signature would be valid again');
  return second;
};

const sentence = 'I confirm my bitcoin wallet. [TOKEN]';
const randomText = (run: Run): string => run.newId().replaceAll('-', '');
const signed = (message: string, key: string, named = key): Members => ({ signature: signNodeMessage(message, key), node_pubkey: publicKeyOf(named) });
const open = async (run: Run, session: Session, proof: Members): Promise<Answered> => await run.ask('session', { session_id: session.id, ...proof });

const openSession = async (run: Run, session: Session): Promise<Session> => {
  const { tally } = run;
  const { token } = session;
  let answered = await open(run, session, token === undefined ? { signature: randomText(run) } : signed(token, run.newKey()));
  let opened = session;
  if (!isGood(answered) && token !== undefined) {
    const other = await verifyOnce(run);
    const again = await open(run, other, signed(sentence.replace('TOKEN', other.token ?? ''), run.newKey()));
    if (isGood(again)) {
      tally.broken(
        'session-opens',
        'a signature is accepted for “I confirm my bitcoin wallet. [TOKEN]” (TOKEN replaced, brackets kept), but not for the bare token',
      );
      run.run.learnt['proof_template'] = sentence;
      [answered, opened] = [again, other];
    }
  }
  if (!isGood(answered)) {
    const how = token === undefined ? 'without a token, any string as the signature' : 'the token signed by a node key';
    tally.broken('session-opens', `${how}: ${told(answered)}`);
    throw new Ended(`no session could be opened: ${told(answered)}`);
  }
  tally.held('session-opens');
  tally.flaws('session-answer', flawsOf('session', answered.body));
  const { session_id: id, expires_on: until } = valueOf(answered);
  if (isPast(run, until)) tally.broken('session-answer', past('expires_on'), '/session, answer, expires_on: the end of the session (text of the standard)');
  tally.judge(
    'session-answer',
    id === undefined || id === opened.id,
    'session_id is not the one that was opened',
    '/session, answer, session_id (text of the standard)',
  );
  return { ...opened, id: typeof id === 'string' ? id : opened.id };
};

const mustNotOpen = async (run: Run, demandsProof: boolean): Promise<void> => {
  const says = (value: Members): boolean => 'session_id' in value || 'expires_on' in value;
  const unknown = { id: run.newId(), token: undefined };
  await run.mustRefuse('session-unknown', 'a session_id that was never issued', open(run, unknown, { signature: randomText(run) }), says);
  if (!demandsProof) return;
  const [foreign, random] = [await verifyOnce(run), await verifyOnce(run)];
  const key = run.newKey();
  const proof = signed(foreign.token ?? '', key, run.newKey());
  await run.mustRefuse('session-proof', 'a signature by a key other than node_pubkey', open(run, foreign, proof), says);
  const none = { signature: randomText(run), node_pubkey: publicKeyOf(key) };
  await run.mustRefuse('session-proof', 'a string that is not a signature', open(run, random, none), says);
};

// ---- the listing -----------------------------------------------------------------------------------------------------------------------

const same = (a: string, b: string): boolean => a.toUpperCase() === b.toUpperCase();
const idsOf = (listed: readonly Listed[]): string =>
  listed
    .map((one) => `${one.code} ${one.currencyId} ${one.id} ${one.name}`)
    .toSorted()
    .join('\n');

const paymentOptions = async (run: Run, session: Session): Promise<Listed[]> => {
  const { tally } = run;
  const read = async (filter?: string, method?: 'GET'): Promise<Answered> =>
    await run.ask('payment-options', { session_id: session.id, ...(filter === undefined ? {} : { currency_code: filter }) }, method);
  let method: 'GET' | undefined;
  let answered = await read();
  if (!isGood(answered)) {
    const byGet = await read(undefined, 'GET');
    tally.broken(
      'options-answer',
      `${told(answered)}${isGood(byGet) ? '; it lists options only by GET' : ''}`,
      '/payment-options: POST (its section and OpenAPI; the table of endpoints says GET)',
    );
    if (isGood(byGet)) [answered, method] = [byGet, 'GET'];
  }
  if (!isGood(answered)) throw new Ended(`there is no listing: ${told(answered)}`);
  tally.flaws('options-answer', listingFlaws(answered.body));
  const listed = listedIn(answered.body.value);
  tally.judge('options-listed', listed.length > 0, 'the listing is empty');
  const [first] = listed;
  if (!first) throw new Ended('the listing is empty');
  tally.judge(
    'options-stable',
    idsOf(listedIn((await read(undefined, method)).body?.value)) === idsOf(listed),
    'the second reading does not list the same ids and names',
  );
  for (const code of [first.code.toLowerCase(), first.code.toUpperCase()]) {
    const filtered = await read(code, method);
    const found = listedIn(filtered.body?.value);
    const isRight = isGood(filtered) && found.length > 0 && found.every((one) => same(one.code, code));
    tally.judge(
      'options-filter',
      isRight,
      `currency_code ${shown(code, 16)} lists ${found.length === 0 ? 'nothing' : 'other currencies as well'}: ${told(filtered)}`,
    );
  }
  const unknown = await read('XXX', method);
  const isEmpty = isGood(unknown) && Array.isArray(valueOf(unknown)['currencies']) && listedIn(unknown.body.value).length === 0;
  tally.judge('options-unknown', isEmpty, `currency_code XXX: ${told(unknown)}`);
  return listed;
};

// ---- prices ----------------------------------------------------------------------------------------------------------------------------

/** The most options whose prices are asked for: more would burden the provider. */
const mostOptions = 25;
const within = (wanted: number, { min, max }: Listed): number => Math.max(min ?? 1, Math.min(wanted, max ?? wanted));
const isQuote = (value: Members): boolean => 'quote_id' in value || 'amount_sats' in value || 'amount_btc' in value;
const nameOf = (listed: Listed): string => `${shown(listed.code, 16)} ${shown(listed.name, 32)}`;

const prices = async (run: Run, session: Session, listed: readonly Listed[]): Promise<Priced[]> => {
  const { tally } = run;
  const priced: Priced[] = [];
  for (const one of listed.slice(0, mostOptions)) {
    const amount = { amount_fiat: within(10_000, one) };
    const answered = await askQuote(run, session, one, amount);
    const quote = valueOf(answered);
    if (!isGood(answered) || !isQuote(quote)) {
      tally.broken('quote-price', `${nameOf(one)}: ${told(answered)}`);
      continue;
    }
    tally.held('quote-price');
    judgeQuote(run, one, answered, amount);
    priced.push({ listed: one, quote });
  }
  const [first] = priced;
  if (!first) return [];
  run.run.priced = true;
  await inSats(run, session, first);
  const again = valueOf(await askQuote(run, session, first.listed, { amount_fiat: within(10_000, first.listed) }));
  const ids = [...priced.map(({ quote }) => quote), again].map((quote) => quote['quote_id']).filter((id) => id !== undefined);
  tally.judge('quote-fresh', new Set(ids).size === ids.length, 'two quotes have the same quote_id');
  return priced;
};

const satsOf = (quote: Members): number => Number(quote['amount_sats'] ?? quote['amount_btc']);

const inSats = async (run: Run, session: Session, { listed, quote }: Priced): Promise<void> => {
  const sats = Math.floor(satsOf(quote));
  if (!Number.isSafeInteger(sats) || sats <= 0) return;
  const answered = await askQuote(run, session, listed, { amount_sats: sats });
  if (isGood(answered) && isQuote(valueOf(answered))) {
    run.tally.held('quote-sats');
    return judgeQuote(run, listed, answered, { amount_sats: sats });
  }
  run.tally.broken('quote-sats', `${nameOf(listed)}: ${told(answered)}`);
  const older = await askQuote(run, session, listed, { amount_btc: sats });
  if (!isGood(older) || !isQuote(valueOf(older))) return;
  run.tally.broken('quote-sats', 'it understands only amount_btc, the name before 2024-01-22');
  run.run.learnt['sats_field'] = 'amount_btc';
};

const judgeQuote = (run: Run, listed: Listed, answered: Answered & { body: Body }, amount: Members): void => {
  const { tally } = run;
  const quote = valueOf(answered);
  tally.flaws('quote-answer', flawsOf('quote', answered.body));
  if (isPast(run, quote['expires_on']))
    tally.broken('quote-answer', past('expires_on'), '/quote, answer, expires_on: the time until which the payment must arrive (text of the standard)');
  const expected: Members = { ...amount, currency_id: listed.currencyId, payment_option_id: listed.id };
  for (const [name, wanted] of Object.entries(expected)) {
    const given = name === 'amount_sats' ? satsOf(quote) : quote[name];
    tally.judge(
      'quote-echo',
      given === undefined || Number(given) === Number(wanted),
      `asked with ${name} ${String(wanted)}, answered with ${shown(String(given), 24)}`,
    );
  }
  for (const what of figuresOf(quote, listed)) tally.broken('quote-figures', what);
  tally.held('quote-figures');
  const { ms } = answered.exchange;
  tally.judge('quote-in-time', ms <= run.quoteMs, `a price took longer than ${run.quoteMs} ms`);
};

/** Returns contradictions between a quote's figures. Accepts amount_fiat with or without the fee, and differences from rounding. */
const figuresOf = (quote: Members, { rate }: Listed): string[] => {
  const [fiat, sats, price, fee] = [quote['amount_fiat'], satsOf(quote), quote['btc_price'], quote['order_fee']].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  if (!Number.isFinite(fiat + sats + price + fee)) return [];
  const worth = (sats * price) / 1e8;
  const off = Math.min(Math.abs(fiat - fee - worth), Math.abs(fiat - worth)) / Math.max(worth, 1);
  const expected = rate === undefined ? fee : fiat * rate;
  return [
    ...(off > 0.02 ? [`${fiat} cents less a fee of ${fee} at ${price} per bitcoin are ${Math.round(off * 100)} % off ${sats} sats`] : []),
    ...(Math.abs(fee - expected) > Math.max(2, expected * 0.02)
      ? [`order_fee is ${fee}, but fee_rate ${String(rate)} of ${fiat} is ${Math.round(expected)}`]
      : []),
  ];
};

const agree = (run: Run, features: Answered, priced: readonly Priced[]): void => {
  for (const [name, says] of [
    ['quotes', false],
    ['estimates', true],
  ] as const) {
    const promised = featureIn(features.body?.value, name);
    const seen = priced.some(({ quote }) => quote['is_estimate'] === says);
    if (promised !== undefined && priced.length > 0)
      run.tally.judge('features-agree', promised || !seen, `${name} is false, but it returned prices with is_estimate ${String(says)}`);
  }
};

const mustNotPrice = async (run: Run, session: Session, listed: Listed | undefined): Promise<void> => {
  if (!listed) return;
  const refuse = async (id: CheckId, what: string, from: Session, one: Listed, amount: Members): Promise<void> =>
    await run.mustRefuse(id, what, askQuote(run, from, one, amount), isQuote);
  const { min, max } = listed;
  if (min !== undefined && min > 1) await refuse('quote-limits', `${min - 1} cents, below min_amount`, session, listed, { amount_fiat: min - 1 });
  if (max !== undefined) await refuse('quote-limits', `${max + 1} cents, above max_amount`, session, listed, { amount_fiat: max + 1 });
  const amount = within(10_000, listed);
  await refuse('quote-refuses', 'no amount', session, listed, {});
  await refuse('quote-refuses', 'both amounts', session, listed, { amount_fiat: amount, amount_sats: 100_000 });
  await refuse('quote-refuses', 'an option that is not listed', session, { ...listed, id: 987_654_321 }, { amount_fiat: amount });
  await refuse('quote-refuses', 'a session_id that was never issued', { id: run.newId(), token: undefined }, listed, { amount_fiat: amount });
};

// ---- orders, only read -----------------------------------------------------------------------------------------------------------------

const statusReads = async (run: Run, session: Session): Promise<void> => {
  const { tally } = run;
  const all = await run.ask('order-status', { session_id: session.id });
  if (!isGood(all)) tally.broken('status-list', `a session without orders: ${told(all)}`);
  else tally.judge('status-list', Object.keys(valueOf(all)).length === 0, `a session without orders: ${told(all)}`);
  const isOrder = (value: Members): boolean => 'order_status' in value || Object.values(value).some(isObject);
  const unknown = await run.ask('order-status', { session_id: session.id, order_id: run.newId() });
  if (isGood(unknown) && Object.keys(valueOf(unknown)).length === 0) return tally.held('status-unknown');
  await run.mustRefuse('status-unknown', 'an order_id that was never issued', Promise.resolve(unknown), isOrder);
};
