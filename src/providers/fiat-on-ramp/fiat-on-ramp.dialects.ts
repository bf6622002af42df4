/** How FLS01 providers differ, for `npm run provider:check`. */
import type { Dialect, Dialects, Exchange } from '../kit/kind.dialects.ts';

const known: readonly Dialect[] = [
  { change: { path_prefix: '/ALJAZ/fiatlink/1.0.0' }, what: 'lives under the prefix of generated servers' },
  { change: { path_map: { session: '/auth' } }, what: 'opens sessions at /auth' },
  { change: { payment_options_method: 'GET' }, what: 'lists payment options by GET' },
  { change: { proof: 'demanded', catalogue_without_session: true }, what: 'demands a proof; its listing is read with the id of /verify' },
  { change: { proof: 'demanded' }, what: 'demands a proof, and shows no listing without one: set catalogue_key_env, or list its options' },
];

const jsonOf = (exchange: Exchange | undefined): unknown => {
  try {
    return exchange && JSON.parse(exchange.text);
  } catch {
    return undefined;
  }
};
/** The members of the last quote; none without a quote. */
const quoteIn = (exchanges: readonly Exchange[]): Record<string, unknown> => {
  const quote = jsonOf(exchanges.findLast((one) => one.path.endsWith('/quote') && one.status === 200));
  return typeof quote === 'object' && quote !== null ? { ...quote } : {};
};

const remarks = (exchanges: readonly Exchange[]): string[] => {
  const found: string[] = [];
  const features = exchanges.filter((one) => one.path.endsWith('/features'));
  if (features.some((one) => one.status === 404)) found.push('has no /features: nothing is promised');
  if (Array.isArray(jsonOf(features.at(-1)))) found.push('/features is a list');
  const quote = quoteIn(exchanges);
  for (const name of ['amount_fiat', 'amount_sats', 'btc_price', 'order_fee']) {
    const value = quote[name];
    if (typeof value === 'string') found.push(`${name} of a quote is text`);
    if (typeof value === 'number' && !Number.isInteger(value)) found.push(`${name} of a quote has a fraction`);
  }
  const expires = quote['expires_on'];
  if (typeof expires === 'string' && !/(?:Z|[+-]\d\d:?\d\d)$/.test(expires)) found.push('its times name no zone: read as UTC');
  if (typeof expires === 'string' && /\.\d{4,}/.test(expires)) found.push('its times have more than milliseconds');
  if (Object.keys(quote).length > 0 && quote['is_estimate'] === undefined) found.push('does not say is_estimate: its prices count as estimates');
  return found;
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

/** Whether the fee is in the fiat amount or on top of it, if the amounts tell. */
const feeOnTop = (quote: Record<string, unknown>): boolean | undefined => {
  const fiat = Number(quote['amount_fiat']);
  const sats = Number(quote['amount_sats'] ?? quote['amount_btc']);
  const price = Number(quote['btc_price']);
  const fee = Number(quote['order_fee']);
  if (!Number.isFinite(fiat + sats + price + fee) || fee <= 0) return undefined;
  const worth = (sats * price) / 1e8;
  const [within, onTop] = [Math.abs(fiat - fee - worth), Math.abs(fiat - worth)];
  // Only if one reading fits clearly better than the other.
  if (Math.min(within, onTop) > fee / 4) return undefined;
  return onTop < within;
};

export const dialects: Dialects = { known, remarks, learnt };
