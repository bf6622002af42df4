/** How FLS01 providers differ, for `npm run provider:check`. */
import type { Dialect, Dialects, Exchange, KnownDialect } from '../kit/kind.dialects.ts';
import { bodyOf, featureFlaws, flawsOf, isObject, listingFlaws, shown, type Body, type Members } from './fiat-on-ramp.conformance-answers.ts';
import type { Flaw } from '../kit/kind.conformance.ts';

const known: readonly KnownDialect[] = [
  { after: 'nothing', change: { path_prefix: '/ALJAZ/fiatlink/1.0.0' }, what: 'has the path prefix of generated servers' },
  { after: 'answered', change: { proof: 'demanded' }, what: 'demands a proof of the customer’s node key' },
  { after: 'answered', change: { proof: 'demanded', catalogue_without_session: true }, what: 'demands a proof; its listing is read with the id of /verify' },
  { after: 'answered', change: { path_map: { session: '/auth' } }, what: 'opens sessions at /auth' },
  { after: 'answered', change: { proof_template: 'I confirm my bitcoin wallet. [TOKEN]' }, what: 'wants a sentence signed, not the bare token' },
  { after: 'session', change: { payment_options_method: 'GET' }, what: 'lists payment options by GET' },
  { after: 'price', change: { sats_field: 'amount_btc' }, what: 'takes an amount of sats only as amount_btc' },
];

/** Returns the members of the last quote, or an empty object. */
const quoteIn = (exchanges: readonly Exchange[]): Members => {
  const quote = exchanges.findLast((one) => one.path.endsWith('/quote') && one.status === 200);
  const value = quote && bodyOf(quote)?.value;
  return isObject(value) ? value : {};
};

const judges: Record<string, (body: Body) => Flaw[]> = {
  features: featureFlaws,
  verify: (body) => flawsOf('verify', body),
  session: (body) => flawsOf('session', body),
  auth: (body) => flawsOf('session', body),
  'payment-options': listingFlaws,
  quote: (body) => flawsOf('quote', body),
};
const mostRemarks = 20;

const remarks = (exchanges: readonly Exchange[]): string[] => {
  const found = new Set<string>();
  for (const exchange of exchanges) {
    const { path, status, type } = exchange;
    const name = path.split('/').at(-1) ?? '';
    if (status === 404 && name === 'features') found.add('has no /features, so it does not say which features it supports');
    if (status !== 200) continue;
    const body = bodyOf(exchange);
    if (typeof body?.value === 'string') found.add(`/${name}: a string with status 200, “${shown(body.value)}”`);
    else if (body) for (const { what } of judges[name]?.(body) ?? []) found.add(`/${name}: ${what}`);
    if (!/json/i.test(type ?? '')) found.add(`/${name}: its content type is ${type === undefined ? 'missing' : shown(type, 40)}`);
  }
  const all = [...found];
  return all.length > mostRemarks ? [...all.slice(0, mostRemarks), `and ${all.length - mostRemarks} more: --report lists all`] : all;
};

const learnt = (exchanges: readonly Exchange[], settings: Record<string, unknown>): Dialect[] => {
  const found: Dialect[] = [];
  const quote = quoteIn(exchanges);
  if ('amount_btc' in quote && !('amount_sats' in quote) && settings['sats_field'] !== 'amount_btc')
    found.push({ change: { sats_field: 'amount_btc' }, what: 'says amount_btc for sats' });
  const added = feeOnTop(quote);
  const style = added === true ? 'added' : 'included';
  if (added !== undefined && settings['fee_style'] !== style)
    found.push({ change: { fee_style: style }, what: added ? 'its fee comes on top of amount_fiat' : 'its fee is in amount_fiat' });
  return found;
};

/** Returns whether the fee comes on top of the fiat amount; undefined if the amounts do not show it. */
const feeOnTop = (quote: Members): boolean | undefined => {
  const fiat = Number(quote['amount_fiat']);
  const sats = Number(quote['amount_sats'] ?? quote['amount_btc']);
  const price = Number(quote['btc_price']);
  const fee = Number(quote['order_fee']);
  if (!Number.isFinite(fiat + sats + price + fee) || fee <= 0) return undefined;
  const worth = (sats * price) / 1e8;
  const [within, onTop] = [Math.abs(fiat - fee - worth), Math.abs(fiat - worth)];
  // Decides only if one reading fits to within a quarter of the fee.
  if (Math.min(within, onTop) > fee / 4) return undefined;
  return onTop < within;
};

export const dialects: Dialects = { known, remarks, learnt };
